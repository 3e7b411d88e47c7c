"""The shape of a check, and what it may use.

    \"\"\"The certificate of the web server is there.\"\"\"

    from pathlib import Path

    from aya.verify.check import Check, failed, passed

    CERTIFICATE = Path("/etc/ssl/certs/web.pem")


    def run(subject):
        if CERTIFICATE.exists():
            yield passed("web", probe=f"look for {CERTIFICATE}")
        else:
            yield failed("web", "it is not there", probe=f"look for {CERTIFICATE}")


    check = Check(run)

The docstring of the file is its page in the docs. `run` yields one `Finding` for each thing it tested (`passed`, `failed`,
`skipped`); yielding nothing means that there was nothing to test. `subject` is the node as recorded and the means to test it:
`subject.recorded("SELECT ... WHERE node_id = %(node)s")` gives rows of it. What the check prints stands with its evidence.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from aya.db.connection import Connection, rows
from aya.db.database import Database, Login
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
    probe: str | None = None
    """What was run: the statement, command or other probe, readable."""


def passed(target: str, evidence: str = "", *, probe: str | None = None) -> Finding:
    """It is so."""
    return Finding(target, CheckOutcome.PASS, evidence, None, probe)


def failed(target: str, reason: str, evidence: str = "", *, probe: str | None = None) -> Finding:
    """It is not so."""
    return Finding(target, CheckOutcome.FAIL, evidence, reason, probe)


def skipped(target: str, reason: str, *, probe: str | None = None) -> Finding:
    """It could not be tested."""
    return Finding(target, CheckOutcome.SKIPPED, "", reason, probe)


@dataclass(frozen=True)
class Subject:
    """One node as recorded, and the means to test it. It travels to the process of a check, and holds nothing open."""

    node_name: str
    node_id: int
    is_here: bool
    """Whether the node is this machine. Of another one only what the network shows can be tested."""
    own: Database
    """AYA's own database, and the options."""
    host: LocalHost
    """This machine."""
    servers: Mapping[str, Callable[[], Observed]]
    """How to reach each PostgreSQL server of the node that was found, by instance; opening one may raise
    NotObserved.
    """

    redactor: Redactor
    """Secrets are compared by their marks, as they are recorded."""

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # without the connection

    @cached_property
    def database(self) -> Connection:
        """A connection to AYA's own database that may only read."""
        return self.connect(Login.READER)

    def connect(self, login: Login) -> Connection:
        """A further connection to AYA's own database; none of its statements outlives the check by much."""
        connection = self.own.connect(login)
        connection.execute(f"SET statement_timeout = '{self.own.settings.check_limit_s}s'")
        return connection

    def recorded(self, select: str) -> list[dict[str, Any]]:
        """Rows of this node: a SELECT that ends in a condition, with `%(node)s` for its number."""
        return rows(self.database, select, {"node": self.node_id})


@dataclass(frozen=True, slots=True)
class Check:
    """One functional test."""

    run: Callable[[Subject], Iterator[Finding]]
    from_afar: bool = False
    """Whether it can also test a node that is not this machine; it then looks at `subject.is_here` itself."""
