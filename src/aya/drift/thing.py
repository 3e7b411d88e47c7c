"""What is compared: things, found in a node's part of a state document, and aligned across nodes by their names."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

NodeDocument = Mapping[str, Any]
"""One node's part of a state document: `node`, and the rows of each section by their keys."""

PRESENCE = "presence"
"""The aspect that says whether a thing is there at all."""


Look = tuple[str, str]
"""A collector, and what it looked at: '' for the machine, an instance, or an instance and database."""


class Value(NamedTuple):
    """What an aspect of a thing is on some node, as text; and what it will be after a restart, where that is pending."""

    text: str | None
    """None: the thing is not there."""
    pending: str | None = None


THERE, MISSING = Value("there"), Value(None)


class Severity(StrEnum):
    """How much it matters, worst first."""

    CRITICAL = "critical"
    """A failover, a standby or data is at risk."""
    WARNING = "warning"
    """The nodes behave differently."""
    INFO = "info"
    """They are different, and that may well be meant."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a node that others may have too."""

    scope: tuple[str, ...]
    """What it is in: the server, the database, the table. Only nodes that have that are asked whether they have the thing."""
    name: str
    """What it is called on every node alike."""
    aspects: Mapping[str, Value]
    """What is compared of it. What is not known is left out."""
    target: str = ""
    """By what it was found: its section says which looks that takes."""
    by_nature: frozenset[str] = frozenset()
    """The aspects (and `PRESENCE`) that differ between machines by nature: compared only if everything is."""
    unit: str | None = None
    about: str = ""
    """What it is, in a sentence."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the comparison: a file in `sections/`, whose docstring says what is compared and what is not."""

    things: Callable[[NodeDocument, Mapping[str, str]], Iterator[Thing]]
    """The things of a node, given the common name of each of its PostgreSQL instances. Pure."""
    severity: Severity = Severity.WARNING
    reads: tuple[str, ...] = ()
    """The sections of the state document that it needs."""
    looks: Callable[[str], tuple[Look, ...]] = field(default=lambda _target: ())
    """The looks that must have seen everything, so that what a target shows is known."""


def text(value: Any) -> str:
    """A value as text that is equal where the values are."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def told(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Value]:
    """The fields of a row that are known, as aspects."""
    return {name: Value(text(row[name])) for name in names if row.get(name) is not None}
