"""`host.json`, the list of what a recording holds; its form is told in docs/recordings.md.

Read generously where that is safe (people write it by hand), and refused where it says nothing that can be used.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aya.errors import UsageError
from aya.host.archive import MANIFEST
from aya.model import Json, Outcome

SYSTEMS: Mapping[str, str] = {"linux": "Linux", "darwin": "Darwin", "macos": "Darwin", "mac os x": "Darwin"}
"""What a manifest may call a system, in lower case, and what its kernel calls itself."""
KINDS = ("files", "links", "names")
"""The questions that ask for a pattern."""
REMEDY = "See docs/recordings.md for its form, or record again with `aya host record`."


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer in a recording."""

    content: str | None = None
    """The file of the recording with what was answered; a target for a link, JSON for a call."""
    value: Json = None
    outcome: Outcome | None = None
    """None: to be told from the exit status."""
    reason: str = ""
    exit_status: int | None = None
    errors: str | None = None
    """The file of the recording with what was printed to stderr."""
    broken_off: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that a recording says it holds."""

    system: str
    commands: Mapping[str, Kept] = field(default_factory=dict)
    files: Mapping[str, Kept] = field(default_factory=dict)
    heads: Mapping[str, Kept] = field(default_factory=dict)
    links: Mapping[str, Kept] = field(default_factory=dict)
    calls: Mapping[str, Kept] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    whole: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each of `KINDS` the patterns of which everything there was is in the recording."""
    notices: tuple[str, ...] = ()
    """What was not understood and left aside."""


def read_manifest(data: bytes) -> Manifest:
    """The manifest that a text is. Raises UsageError which says what is wrong with it."""
    try:
        said = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _wrong(f"is not JSON: {error}") from None
    if not isinstance(said, dict):
        raise _wrong("is not a JSON object")
    notices: list[str] = []
    system = said.get("system")
    if not isinstance(system, str) or system.strip().lower() not in SYSTEMS:
        raise _wrong(f"names the system {system!r:.100}; collectors exist for Linux and Darwin (macOS)")
    known = {"system", "commands", "files", "heads", "links", "calls", "names", "whole", "about"}
    notices += [f"{MANIFEST}: {key!r:.100} is not known and was left aside" for key in said if key not in known]
    return Manifest(
        system=SYSTEMS[system.strip().lower()],
        commands=dict(_entries(said, "commands", "stdout", notices)),
        files=dict(_entries(said, "files", "content", notices)),
        heads=dict(_entries(said, "heads", "content", notices)),
        links=dict(_entries(said, "links", "target", notices)),
        calls=dict(_calls(said, notices)),
        names=_texts(said, "names"),
        whole={kind: _texts(_object(said, "whole"), kind) for kind in KINDS},
        notices=tuple(notices),
    )


def _entries(said: dict[str, Any], key: str, content: str, notices: list[str]) -> Iterator[tuple[str, Kept]]:
    for name, value in _object(said, key).items():
        entry = {content: value} if isinstance(value, str) else value
        if not isinstance(entry, dict):
            raise _wrong(f"says {value!r:.100} of {name[:200]!r}, which is neither a text nor an object")
        yield name, _kept(entry, content, f"{key}: {name[:200]!r}", notices)


def _calls(said: dict[str, Any], notices: list[str]) -> Iterator[tuple[str, Kept]]:
    for name, entry in _object(said, "calls").items():
        if not isinstance(entry, dict):
            raise _wrong(f"says {entry!r:.100} of the call {name[:200]!r}; an object with `value` or `outcome` is due")
        yield name, _kept(entry, "value", f"calls: {name[:200]!r}", notices)


def _kept(entry: dict[str, Any], content: str, what: str, notices: list[str]) -> Kept:
    texts = {key: _typed(entry, key, str, what) for key in (content, "outcome", "reason", "stderr") if key != "value"}
    outcome = texts["outcome"]
    if outcome is not None and outcome not in set(Outcome):
        raise _wrong(f"says of {what} the outcome {outcome!r:.100}; there are {', '.join(Outcome)}")
    known = {content, "outcome", "reason", "stderr", "exit", "broken_off"}
    notices += [
        f"{MANIFEST}: {what}: {key!r:.100} is not known and was left aside" for key in entry if key not in known
    ]
    return Kept(
        content=texts.get(content),
        value=entry.get("value"),
        outcome=Outcome(outcome) if outcome is not None else None,
        reason=texts["reason"] or "",
        exit_status=_typed(entry, "exit", int, what),
        errors=texts["stderr"],
        broken_off=bool(_typed(entry, "broken_off", bool, what)),
    )


def _typed(entry: dict[str, Any], key: str, kind: type, what: str) -> Any:
    value = entry.get(key)
    if value is None or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
        return value
    raise _wrong(f"says of {what} as {key!r} {value!r:.100}, which is no {kind.__name__}")


def _object(said: dict[str, Any], key: str) -> dict[str, Any]:
    value = said.get(key, {})
    if not isinstance(value, dict):
        raise _wrong(f"has {key!r} that is not an object")
    return value


def _texts(said: dict[str, Any], key: str) -> frozenset[str]:
    value = said.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(f"has {key!r} that is not a list of texts")
    return frozenset(value)


def _wrong(problem: str) -> UsageError:
    return UsageError(f"{MANIFEST} {problem}.", remedy=REMEDY)
