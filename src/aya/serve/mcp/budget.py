"""An answer within a number of bytes: what is too long is shortened inside, so that it stays whole JSON of the same shape.

Of a list the first items stay whole; of an object every field stays, the small ones whole; a text loses its end. Objects with
free keys may lose keys, fields of a type never do. Each loss is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from pydantic_core import to_json, to_jsonable_python

from aya.serve.mcp.marking import visible

SHORT_BYTES = 64
"""A text of up to so many bytes is never shortened: it may be a time or a word of a list of words."""
LEAST_BYTES = 48
"""With less room than this for each, keys of a free object are left out."""
MOST_TOLD = 8
PATH_CHARACTERS = 60


def plain(value: Any) -> Any:
    """A value as JSON knows it; numbers that JSON cannot say are null."""
    return to_jsonable_python(value, inf_nan_mode="null")


def json_of(value: Any) -> str:
    """A value as JSON, as a model reads it."""
    return visible(to_json(value, inf_nan_mode="null").decode())


def size_bytes(value: Any) -> int:
    """Bytes of its JSON."""
    return len(json_of(value).encode())


@dataclass
class Budget:
    """Shortens values, and remembers what of them was left out."""

    left_out: list[str] = field(default_factory=list)

    def fit(self, value: Any, budget_bytes: int, path: str = "data") -> Any:
        """The value as JSON of at most so many bytes, where its shape allows for it."""
        if size_bytes(value) <= budget_bytes:
            return plain(value)
        if isinstance(value, str):
            return self._text(value, budget_bytes, path)
        if is_dataclass(value) and not isinstance(value, type):
            return self._fields({one.name: getattr(value, one.name) for one in fields(value)}, budget_bytes, path)
        if isinstance(value, Mapping):
            return self._entries(value, budget_bytes, path)
        if isinstance(value, Sequence):
            return self._items(value, budget_bytes, path)
        return plain(value)

    def told(self) -> list[str]:
        """What was left out, in few words."""
        more = len(self.left_out) - MOST_TOLD
        return self.left_out[:MOST_TOLD] + ([f"and {more} more places"] if more > 0 else [])

    def _text(self, text: str, budget_bytes: int, path: str) -> str:
        room = max(budget_bytes, SHORT_BYTES)
        kept = text.encode(errors="replace")[:room].decode(errors="ignore")
        while size_bytes(kept + "…") > room and kept:
            # Escapes make JSON longer than the text; each turn takes off as much as is too much.
            kept = kept[: min(len(kept) - 1, len(kept) * room // size_bytes(kept + "…"))]
        if len(kept) < len(text):
            self._tell(path, len(kept), len(text), "characters")
            return kept + "…"
        return text

    def _fields(self, named: Mapping[str, Any], budget_bytes: int, path: str) -> dict[str, Any]:
        room = budget_bytes - 2 - sum(size_bytes(name) + 2 for name in named)
        shares = _shares([size_bytes(value) for value in named.values()], room)
        return {
            name: self.fit(value, share, f"{path}.{visible(name)}")
            for (name, value), share in zip(named.items(), shares, strict=True)
        }

    def _entries(self, entries: Mapping[Any, Any], budget_bytes: int, path: str) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        room = budget_bytes - 2
        for key, value in entries.items():
            name = str(plain(key))
            room -= size_bytes(name) + 2 + min(LEAST_BYTES, size_bytes(value))
            if room < 0:
                break
            kept[name] = value
        if len(kept) < len(entries):
            self._tell(path, len(kept), len(entries), "keys")
        return self._fields(kept, budget_bytes, path)

    def _items(self, items: Sequence[Any], budget_bytes: int, path: str) -> list[Any]:
        kept: list[Any] = []
        room = budget_bytes - 2
        for number, item in enumerate(items):
            needed = size_bytes(item) + 1
            if needed > room and not kept:
                before = len(self.left_out)
                item = self.fit(item, room - 1, f"{path}[{number}]")
                needed = size_bytes(item) + 1
                if needed > room:
                    del self.left_out[before:]
            if needed > room:
                break
            kept.append(plain(item))
            room -= needed
        if len(kept) < len(items):
            self._tell(path, len(kept), len(items), "items")
        return kept

    def _tell(self, path: str, kept: int, of: int, what: str) -> None:
        shown = path if len(path) <= PATH_CHARACTERS else path[: PATH_CHARACTERS - 1] + "…"
        self.left_out.append(f"{shown}: {kept} of {of} {what} are shown")


def _shares(sizes: Sequence[int], room: int) -> list[int]:
    """How many bytes each gets: small ones what they need, the others as much as one another."""
    shares, left, waiting = [0] * len(sizes), max(room, 0), len(sizes)
    for number in sorted(range(len(sizes)), key=lambda number: sizes[number]):
        shares[number] = min(sizes[number], left // waiting)
        left -= shares[number]
        waiting -= 1
    return shares
