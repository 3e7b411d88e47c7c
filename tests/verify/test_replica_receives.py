"""A replica that receives what the primary writes passes; one that stands still fails; one that cannot be reached is skipped."""

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from aya.db.configuration import DATABASE
from aya.db.connection import Connection, connect, rows
from aya.db.database import Login
from aya.db.observed import Observed, Route
from aya.model import Outcome
from aya.record.recorder import record
from aya.verify.check import Finding, Subject
from aya.verify.checks import replica_receives
from tests.collect.postgresql.cluster import free_port
from tests.conftest import make_home
from tests.record.states import identified, state
from tests.verify.conftest import Node, OwnServer, Servers


class Replica:
    """A real standby of AYA's own server, named `beta`, streaming through the slot `to_beta`."""

    def __init__(self, node: Node, own: OwnServer, folder: Path) -> None:
        self._server = node.database.server
        self._own = own
        self._folder = folder
        self.port = free_port()
        url = node.database.url(Login.ADMIN) + "&application_name=beta"
        self._run("pg_basebackup", f"--pgdata={folder}", "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
                  "--create-slot", "--slot=to_beta", f"--dbname={url}")  # fmt: skip
        options = f"-c port={self.port} -c logging_collector=off -c fsync=off -c listen_addresses=''"
        self._run(
            "pg_ctl", "start", "--wait", "--silent", f"--pgdata={folder}", f"--log={folder}/log", f"--options={options}"
        )

    @property
    def route(self) -> Route:
        return Route(host=self._own.route.host, port=self.port, user="postgres")

    @property
    def reachable(self) -> Servers:
        """The primary and the replica, as they are found on the machine."""
        identifier = self._own.instance.partition(":")[0]
        return {**self._own.reachable, f"{identifier}:{self.port}": partial(Observed.open, self.route)}

    def say(self, statement: str) -> None:
        with connect(f"postgresql://postgres@/{DATABASE}?host={self.route.host}&port={self.port}") as connection:
            connection.execute(statement.encode())

    def remove(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate", f"--pgdata={self._folder}")

    def _run(self, program: str, *arguments: str) -> None:
        answer = self._server.run_program(program, *arguments)
        assert answer.outcome is Outcome.OK, f"{answer.reason} {answer.errors}"


@pytest.fixture
def replica(described: Node, own_server: OwnServer, admin: Connection) -> Iterator[Replica]:
    """A replica, and the primary recorded with its link to it."""
    folder = make_home()
    os.chown(folder, described.database.server.owner.pw_uid, -1)
    replica = Replica(described, own_server, folder / "beta")
    try:
        while not rows(admin, "SELECT FROM pg_stat_replication WHERE state = 'streaming'"):
            pass
        record(described.connection, [state(identified(), *own_server.collected())])
        yield replica
    finally:
        replica.remove()
        shutil.rmtree(folder)
        while rows(admin, "SELECT FROM pg_replication_slots WHERE active"):
            pass
        admin.execute("SELECT pg_drop_replication_slot('to_beta')")


def in_this_process(node: Node, servers: Servers) -> list[Finding]:
    """What the check finds; here, where a test may shorten how long it waits."""
    subject = node.subject(servers)
    with subject.database:
        return list(replica_receives.run(subject))


def message_arrives(subject: Subject, instance: str, standby: Route) -> Finding:
    there = replica_receives.Standby(partial(Observed.open, standby), "", None, "")
    return replica_receives._message_arrives(subject, instance, "it", there)


def test_a_replica_that_receives_passes_and_one_that_stands_still_fails(
    described: Node,
    own_server: OwnServer,
    admin: Connection,
    replica: Replica,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = f"{own_server.instance} beta"
    (result,) = described.results("replica_receives", replica.reachable)
    assert (result.target, result.outcome, result.reason) == (target, "pass", None)
    assert "arrived after" in result.evidence
    assert "on the replica: SELECT" in str(result.probe)
    assert message_arrives(described.subject(replica.reachable), own_server.instance, replica.route).outcome == "pass"

    # The same server, but nobody can be asked who would be the replica.
    (skipped,) = described.tested_by("replica_receives", own_server.reachable)
    assert skipped[:2] == (target, "skipped")
    # By URL it can.
    url = f"postgresql://postgres@/postgres?host={replica.route.host}&port={replica.port}"
    by_url = described.tested_by("replica_receives", own_server.reachable, postgres_urls=(SecretStr(url),))
    assert by_url == [(target, "pass", None)]

    monkeypatch.setattr(replica_receives, "WAIT_S", 0.3)
    replica.say("SELECT pg_wal_replay_pause()")
    (stands,) = in_this_process(described, replica.reachable)
    assert (stands.target, stands.outcome.value) == (target, "fail")
    assert "did not arrive within 0.3 s" in str(stands.reason)
    message = message_arrives(described.subject(replica.reachable), own_server.instance, replica.route)
    assert message.outcome == "fail"
    assert rows(admin, "SELECT FROM aya.probe_rows") == []


def test_nothing_is_tested_of_a_server_that_feeds_no_replica(described: Node, own_server: OwnServer) -> None:
    assert described.tested_by("replica_receives", own_server.reachable) == []


def test_a_slot_that_no_replica_uses_is_skipped(described: Node, own_server: OwnServer, admin: Connection) -> None:
    admin.execute("SELECT pg_create_physical_replication_slot('unused')")
    try:
        record(described.connection, [state(identified(), *own_server.collected())])
        assert described.tested_by("replica_receives", own_server.reachable) == [
            (f"{own_server.instance} unused", "skipped", "no replica uses the slot unused now")
        ]
    finally:
        admin.execute("SELECT pg_drop_replication_slot('unused')")
