"""The shape of a check, and what it may use.

A check is one file in `aya/verify/checks/` that defines `check = Check(run)`. Its module docstring is its page in the
docs. `run` yields one `Finding` for each thing it tested; yielding nothing means that there was nothing to test.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aya.db.connection import Connection, rows
from aya.db.observed import Observed
from aya.host.local import LocalHost
from aya.model import CheckOutcome
from aya.redaction import Redactor


@dataclass(frozen=True, slots=True)
class Finding:
    """What testing one thing showed."""

    target: str
    """What was tested: a service, an interface, an instance, a path."""
    outcome: CheckOutcome
    evidence: str = ""
    """What came back, as it came back."""
    reason: str | None = None
    """What was wrong, or why it could not be tested."""


def passed(target: str, evidence: str = "") -> Finding:
    """It is so."""
    return Finding(target, CheckOutcome.PASS, evidence)


def failed(target: str, reason: str, evidence: str = "") -> Finding:
    """It is not so."""
    return Finding(target, CheckOutcome.FAIL, evidence, reason)


def skipped(target: str, reason: str) -> Finding:
    """It could not be tested."""
    return Finding(target, CheckOutcome.SKIPPED, "", reason)


@dataclass(frozen=True, slots=True)
class Subject:
    """One node as recorded, and the means to test it."""

    node_name: str
    node_id: int
    database: Connection
    """AYA's own database; read what is recorded through `recorded`."""
    host: LocalHost
    """The machine itself."""
    servers: Mapping[str, Callable[[], Observed]]
    """How to reach each PostgreSQL server that was found running on it, by instance; opening one may raise
    NotObserved.
    """

    redactor: Redactor
    """Secrets are compared by their marks, as they are recorded."""

    def recorded(self, select: str) -> list[dict[str, Any]]:
        """Rows of this node: a SELECT that ends in a condition, with `%(node)s` for its number."""
        return rows(self.database, select, {"node": self.node_id})


@dataclass(frozen=True, slots=True)
class Check:
    """One functional test."""

    run: Callable[[Subject], Iterator[Finding]]
