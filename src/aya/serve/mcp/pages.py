"""Going on where an answer was cut: a cursor says how many rows were shown, and which the last one was.

The tool is called again with the same arguments and the cursor; the rows up to that last one are left out. When rows came or
went meanwhile, the last one is searched for, so that none is shown twice or passed over.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass, replace
from hashlib import blake2b
from typing import Any, get_args, get_origin, get_type_hints

import orjson

from aya.errors import UsageError
from aya.serve.mcp.budget import json_of

DIGEST_BYTES = 9


@dataclass(frozen=True, slots=True)
class Shape:
    """Where in results of a type rows stand: the result is them itself, or some of its fields are."""

    places: tuple[str, ...]
    """Names of fields, or one empty text for the result itself."""

    @classmethod
    def of(cls, result_type: Any) -> "Shape":
        """The shape of a type."""
        if _is_rows(result_type):
            return cls(("",))
        fields = get_type_hints(result_type) if is_dataclass(result_type) else {}
        return cls(tuple(name for name, one in fields.items() if _is_rows(one)))

    def rows(self, result: Any, place: str) -> Sequence[Any]:
        """The rows at a place of a result, or of its JSON."""
        if not place:
            rows: Sequence[Any] = result
        else:
            rows = result[place] if isinstance(result, dict) else getattr(result, place)
        return rows

    def counts(self, result: Any) -> dict[str, int]:
        """How many rows stand at each place."""
        return {place: len(self.rows(result, place)) for place in self.places}

    def without(self, result: Any, before: dict[str, int]) -> Any:
        """A result without its first rows, so many at each place."""
        rest = {place: self.rows(result, place)[number:] for place, number in before.items()}
        return rest[""] if "" in rest else replace(result, **rest) if rest else result


def seal(query: object) -> str:
    """What ties a cursor to the call that it belongs to: a digest of the tool and its arguments."""
    return _digest(query)


def cursor_after(shape: Shape, result: Any, shown: dict[str, int], query: str) -> str:
    """The cursor of what comes after the rows that were shown: so many at each place, counted from the first of all."""
    last = {
        place: [count, _digest(shape.rows(result, place)[count - 1]) if count else ""] for place, count in shown.items()
    }
    return base64.urlsafe_b64encode(orjson.dumps([query, last])).decode().rstrip("=")


def shown_before(shape: Shape, result: Any, cursor: str, query: str) -> dict[str, int]:
    """How many rows at each place of a result were shown when that cursor was given out.

    Raises UsageError for a cursor of another call, and when the last row that was shown is no longer there.
    """
    before: dict[str, int] = {}
    for place, (count, digest) in _read(cursor, query, shape.places).items():
        rows = shape.rows(result, place)
        if count and not (count <= len(rows) and _digest(rows[count - 1]) == digest):
            count = next((at + 1 for at, row in enumerate(rows) if _digest(row) == digest), -1)
        if count < 0:
            raise UsageError(
                "What this cursor goes on from is no longer recorded so.",
                remedy="Call the tool again without a cursor.",
            )
        before[place] = count
    return before


def _read(cursor: str, query: str, places: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    try:
        said, last = orjson.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        if said != query or last.keys() != set(places):
            raise ValueError
        return {name: (max(int(count), 0), str(digest)) for name, (count, digest) in last.items()}
    except (ValueError, TypeError, AttributeError, UnicodeError, binascii.Error):
        raise UsageError(
            "This cursor belongs to another call, or was changed on the way.",
            remedy="Give `next` as it was answered, with the same arguments; or call without a cursor.",
        ) from None


def _digest(row: Any) -> str:
    return base64.urlsafe_b64encode(blake2b(json_of(row).encode(), digest_size=DIGEST_BYTES).digest()).decode()


def _is_rows(result_type: Any) -> bool:
    origin, arguments = get_origin(result_type), get_args(result_type)
    return (
        origin is list or origin is Sequence or (origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis)
    )
