"""What comparing found: what differs and who is alone with what, and what is not known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from aya.drift.thing import Severity, Value


class Verdict(StrEnum):
    """What the values of a thing are measured by."""

    MAJORITY = "majority"
    """More than half of the nodes agree; the others are the odd ones."""
    TIE = "tie"
    """No value has more than half of the nodes: nobody is accused."""
    BASELINE = "baseline"
    """They are not what the chosen baseline is."""
    RULE = "rule"
    """What a primary and its replica must have in common is not so."""


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that have the same value."""

    value: str | None
    """As text; None: they do not have the thing."""
    nodes: tuple[str, ...]
    pending: str | None = None
    """What a restart will make of it; None: the same."""

    @classmethod
    def of(cls, value: Value, nodes: tuple[str, ...]) -> "Group":
        """Those nodes with that value."""
        return cls(value.text, nodes, value.pending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not the same everywhere."""

    section: str
    scope: tuple[str, ...]
    """What the thing is in: the server, the database, the table."""
    name: str
    aspect: str
    """What of it differs; `presence`: whether it is there at all."""
    verdict: Verdict
    severity: Severity
    expected: Group | None
    """What the majority has, or the baseline; of a rule the primary's side. None: a tie."""
    groups: tuple[Group, ...]
    """The others, those with the fewest nodes first; of a tie all of them."""
    unit: str | None = None
    about: str = ""
    """What the thing is."""
    why: str = ""
    """Why it matters."""
    evidence: tuple[Mapping[str, object], ...] = field(default=())
    """The rows of both sides that a rule judged."""

    @property
    def odd(self) -> frozenset[str]:
        """The nodes that differ."""
        return frozenset(node for group in self.groups for node in group.nodes)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that could not be compared, because it is not known: it counts as neither equal nor different."""

    node: str
    section: str
    what: str
    """The server or database; empty for the whole section."""
    since: datetime | None
    """When it was last known; None: never."""
    reason: str
