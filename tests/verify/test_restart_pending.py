"""What is recorded as waiting for a restart is really waiting, no more and no less."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from aya.db.connection import Connection, rows
from aya.db.observed import Observed
from aya.record.recorder import record
from tests.record.states import identified, state
from tests.verify.conftest import Node, OwnServer
from tests.verify.test_checks import change

CHANGED = "ALTER SYSTEM SET max_connections = 123"


@pytest.fixture
def server(described: Node, own_server: OwnServer, admin: Connection) -> Iterator[OwnServer]:
    """AYA's own server as recorded; afterwards nothing waits any more."""
    yield own_server
    change(admin, "ALTER SYSTEM RESET max_connections")


def described_again(node: Node, server: OwnServer) -> None:
    record(node.connection, [state(identified(), *server.collected())])


def test_a_server_without_waiting_settings_passes(described: Node, own_server: OwnServer) -> None:
    (result,) = described.results("restart_pending", own_server.reachable)
    assert (result.target, result.outcome, result.evidence) == (own_server.instance, "pass", "waiting: none")


def test_a_setting_that_waits_and_is_recorded_so_passes(described: Node, server: OwnServer, admin: Connection) -> None:
    change(admin, CHANGED)
    described_again(described, server)
    (result,) = described.results("restart_pending", server.reachable)
    assert (result.outcome, result.evidence) == ("pass", "waiting: max_connections")
    assert "pg_file_settings" in str(result.probe)


def test_a_setting_that_waits_but_is_not_recorded_so_fails(
    described: Node, server: OwnServer, admin: Connection
) -> None:
    change(admin, CHANGED)
    assert described.tested_by("restart_pending", server.reachable) == [
        (server.instance, "fail", "max_connections is waiting, but not recorded so")
    ]


def test_a_setting_recorded_as_waiting_that_waits_no_more_fails(
    described: Node, server: OwnServer, admin: Connection
) -> None:
    change(admin, CHANGED)
    described_again(described, server)
    change(admin, "ALTER SYSTEM RESET max_connections")
    assert described.tested_by("restart_pending", server.reachable) == [
        (server.instance, "fail", "max_connections is recorded as waiting, but is not")
    ]


def test_a_setting_said_to_wait_although_the_files_say_what_is_in_force_fails(
    described: Node, server: OwnServer, admin: Connection
) -> None:
    change(admin, CHANGED)
    described_again(described, server)
    (in_force,) = rows(admin, "SELECT setting FROM pg_settings WHERE name = 'max_connections'")
    admin.execute(f"ALTER SYSTEM SET max_connections = {in_force['setting']}".encode())
    ((_, outcome, reason),) = described.tested_by("restart_pending", server.reachable)
    assert outcome == "fail"
    assert "max_connections is said to wait, but the files say what is in force" in str(reason)


def test_where_the_files_may_not_be_read_the_evidence_says_so(
    described: Node, server: OwnServer, admin: Connection
) -> None:
    change(admin, CHANGED)
    described_again(described, server)
    reader = {server.instance: partial(Observed.open, replace(server.route, user="aya_reader"))}
    (result,) = described.results("restart_pending", reader)
    assert result.outcome == "pass"
    assert "could not be compared: permission denied" in result.evidence
