"""A node whose records a test makes true or false, and the checks on it."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aya.collect.postgresql.run import collect_server, identify
from aya.db.connection import Connection
from aya.db.database import Database
from aya.db.observed import Observed, Route
from aya.host.local import LocalHost
from aya.model import CheckResult, Collected, Fact
from aya.operations.context import Context
from aya.record.recorder import record
from aya.redaction import Redactor
from aya.verify.catalogue import catalogue
from aya.verify.check import Subject
from aya.verify.runner import run_checks
from tests.record.states import collected, identified, state

NO_HOME = Path("/nowhere")
"""Where nobody has checks of their own."""
REDACTOR = Redactor(b"\1" * 32)
Servers = Mapping[str, Callable[[], Observed]]
Finding = tuple[str, str, str | None]
"""Target, outcome and reason."""


class Node:
    """One node of the database: record something of it, and let a check test it."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self.connection = connection
        self.database = database
        self.id = record(connection, [state(identified())])[0].node_id

    def has(self, *facts: Fact) -> "Node":
        """Record facts, of one section, as a collector would."""
        section = facts[0].SECTION
        record(self.connection, [state(identified(), collected(section, **{section: facts}))])
        return self

    def subject(self, servers: Servers | None = None, *, is_here: bool = True, **options: Any) -> Subject:
        """The node as checks see it, with further options of AYA."""
        own = Database(self.database.settings.model_copy(update=options))
        return Subject("ALPHA", self.id, is_here, own, LocalHost(), servers or {}, REDACTOR)

    def results(self, check: str, servers: Servers | None = None, **more: Any) -> list[CheckResult]:
        """What one check shows."""
        entries = catalogue(NO_HOME, [check])
        return [result for result, _ in run_checks(self.subject(servers, **more), entries)]

    def tested_by(self, check: str, servers: Servers | None = None, **more: Any) -> list[Finding]:
        return [(r.target, r.outcome.value, r.reason) for r in self.results(check, servers, **more)]


@pytest.fixture
def node(writer: Connection, database: Database) -> Node:
    return Node(writer, database)


class OwnServer:
    """The embedded server as AYA finds and describes it on the machine."""

    def __init__(self, context: Context) -> None:
        server = context.database.server
        self.route = Route(host=str(server.socket_folder), port=server.status().port, user="postgres")
        with self.open() as connection:
            self.instance = identify(connection, REDACTOR).instance

    def open(self) -> Observed:
        return Observed.open(self.route)

    @property
    def reachable(self) -> Servers:
        return {self.instance: partial(Observed.open, self.route)}

    def collected(self) -> tuple[Collected, ...]:
        with self.open() as connection:
            return collect_server(connection, REDACTOR)


@pytest.fixture(scope="session")
def own_server(context: Context) -> OwnServer:
    return OwnServer(context)


@pytest.fixture
def described(node: Node, own_server: OwnServer) -> Node:
    """The node with everything of its own server recorded as it is."""
    record(node.connection, [state(identified(), *own_server.collected())])
    return node
