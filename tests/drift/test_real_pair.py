"""A real primary and its real standby: nothing is said of them while all is well, and what breaks them is foreseen."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid5

import pytest

from aya.collect.postgresql.run import collect_server
from aya.db.connection import Connection
from aya.model import NodeState
from aya.operations.context import Context
from aya.operations.drift import Drift, find_drift
from aya.record.recorder import record
from tests.collect.postgresql.cluster import Cluster
from tests.collect.postgresql.conftest import REDACTOR, made
from tests.drift.fleet import server
from tests.drift.test_drift import aya
from tests.record.states import ALPHA_UUID, collected, identified

__all__ = ["aya"]


@dataclass
class Pair:
    primary: Cluster
    standby: Cluster


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    primary = made(18, conf="wal_level = logical\nwal_retrieve_retry_interval = 100ms\n")
    standby = Cluster(18)
    try:
        source = f"host={primary.folder} port={primary.port} user=postgres application_name=beta"
        primary.program(
            "pg_basebackup", "-D", str(standby.data), "-R", "-C", "-S", "beta", "-d", source, "--checkpoint=fast"
        )
        standby.configure(f"port = {standby.port}\nunix_socket_directories = '{standby.folder}'\n")
        standby.start()
        until(lambda: bool(primary.run("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'")))
        yield Pair(primary, standby)
    finally:
        standby.remove()
        primary.remove()


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, "it did not come to this within 60 s"
        time.sleep(0.1)


def looked_at(name: str, cluster: Cluster) -> NodeState:
    with cluster.observed() as connection:
        parts = collect_server(connection, REDACTOR)
    here = next(part.target for part in parts if part.collector == "postgresql.instance")
    machine = (
        identified(uuid5(ALPHA_UUID, name), name),
        collected("packages", software=()),
        collected("services", services=()),
        replace(server("servers", ""), roll_call=(here,)),
    )
    return NodeState(node_name=name, collected_at=datetime.now(UTC), collected=(*machine, *parts))


def compared(context: Context, writer: Connection, pair: Pair) -> Drift:
    record(writer, [looked_at("ALPHA", pair.primary)])
    record(writer, [looked_at("BETA", pair.standby)])
    return find_drift(context)


def test_a_real_pair_is_judged_as_postgresql_judges_it(aya: Context, writer: Connection, pair: Pair) -> None:
    well = compared(aya, writer, pair)
    assert [(one.section, one.name, one.groups) for one in well.findings] == []
    assert well.unknown == ()

    pair.primary.run("ALTER SYSTEM SET max_connections = 150")
    pair.primary.reload()
    foreseen = {(one.section, one.name): one for one in compared(aya, writer, pair).findings}
    assert foreseen["failover", "max_connections"].why.startswith("after a restart")
    assert {group.pending for group in foreseen["settings", "max_connections"].groups} == {None, "150"}

    pair.primary.restart()
    until(lambda: pair.standby.run("SELECT pg_get_wal_replay_pause_state() AS state")[0][0] == "paused")
    (broken,) = (one for one in compared(aya, writer, pair).findings if one.section == "failover")
    assert (broken.name, broken.severity, broken.scope) == ("max_connections", "critical", ("ALPHA → BETA",))
    assert broken.expected is not None
    assert (broken.expected.value, broken.groups[0].value) == ("150", "100")
