"""Both ends of a replication link are told, and lag is neither invented nor hidden."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from aya.collect.postgresql.collector import Server
from aya.collect.postgresql.collectors.replication import LAGS, LINK, LINK_OBSERVED, parse
from aya.model import Facts, Outcome, Replication
from tests.collect.postgresql.cluster import Cluster
from tests.collect.postgresql.conftest import collected, made


@dataclass
class Pair:
    primary: Cluster
    standby: Cluster


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A primary with a streaming standby that uses a slot, both PostgreSQL 18."""
    primary = made(18)
    standby = Cluster(18)
    try:
        primary.run(
            "CREATE ROLE feeder LOGIN REPLICATION PASSWORD 'hunter2'", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor"
        )
        source = f"host={primary.folder} port={primary.port} user=feeder password=hunter2 application_name=beta"
        primary.program(
            "pg_basebackup", "-D", str(standby.data), "-R", "-C", "-S", "beta_slot", "-d", source, "--checkpoint=fast"
        )
        standby.configure(f"port = {standby.port}\nunix_socket_directories = '{standby.folder}'\n")
        standby.start()
        until(lambda: link(primary).state == "streaming" and link(primary).replay_lag_bytes == 0)
        yield Pair(primary, standby)
    finally:
        standby.remove()
        primary.remove()


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline, "it did not come to this within 30 s"
        time.sleep(0.1)


def link(cluster: Cluster, user: str = "postgres") -> Replication:
    (only,) = collected("replication", cluster, user=user).replication
    return only


def role(cluster: Cluster) -> str | None:
    return collected("instance", cluster).instances[0].server_role


def test_a_server_without_replication_has_none(cluster: Cluster) -> None:
    facts = collected("replication", cluster)
    assert (facts.replication, facts.absent) == ((), True)


def test_the_primary_tells_its_link_with_the_slot(pair: Pair) -> None:
    told = link(pair.primary)
    assert (told.side, told.slot_name, told.application_name) == ("primary", "beta_slot", "beta")
    assert (told.state, told.sync_state, told.client_address) == ("streaming", "async", None)
    assert (told.replay_lag_bytes, told.replay_lag_ms, told.write_lag_ms, told.flush_lag_ms) == (0, 0, 0, 0)
    expected = {"slot_type": "physical", "temporary": False, "wal_status": "reserved", "login": "feeder"}
    assert expected.items() <= told.metadata.items()
    assert role(pair.primary) == "primary"


def test_the_replica_tells_who_feeds_it_and_never_the_password(pair: Pair) -> None:
    facts = collected("replication", pair.standby)
    (told,) = facts.replication
    assert (told.side, told.slot_name, told.state) == ("replica", "beta_slot", "streaming")
    assert told.peer == f"{pair.primary.folder}:{pair.primary.port}"
    assert (told.replay_lag_bytes, told.replay_lag_ms) == (0, 0)
    assert told.metadata["replay_pause_state"] == "not paused"
    assert "hunter2" not in repr(facts)
    assert role(pair.standby) == "replica"
    (ours,), (theirs,) = (collected("instance", c).instances for c in (pair.standby, pair.primary))
    assert (
        (ours.system_identifier, ours.timeline)
        == (theirs.system_identifier, theirs.timeline)
        == (theirs.system_identifier, 1)
    )


def test_a_monitor_is_told_the_same(pair: Pair) -> None:
    for cluster in (pair.primary, pair.standby):
        ours, all_of_it = link(cluster, "monitor"), link(cluster)
        assert replace(ours, last_check=None, metadata={}) == replace(all_of_it, last_check=None, metadata={})


def test_two_looks_at_an_idle_pair_differ_only_in_observation(pair: Pair) -> None:
    for cluster in (pair.primary, pair.standby):
        first, second = link(cluster), link(cluster)
        assert [getattr(first, f) for f in Replication.state_fields() if f != "metadata"] == [
            getattr(second, f) for f in Replication.state_fields() if f != "metadata"
        ]
        assert {k: v for k, v in first.metadata.items() if k != "observed"} == {
            k: v for k, v in second.metadata.items() if k != "observed"
        }


def test_each_known_lag_is_also_measured(pair: Pair) -> None:
    measured = {m.name: (m.value, m.unit) for m in collected("replication", pair.primary).measurements}
    assert measured["replay_lag_bytes"] == (Decimal(0), "bytes")
    assert measured["replay_lag_ms"] == (Decimal(0), "ms")
    assert "retained_bytes" in measured


def test_a_replica_that_stops_replaying_lags_on_both_sides(pair: Pair) -> None:
    pair.standby.run("SELECT pg_wal_replay_pause()")
    try:
        pair.primary.run("CREATE TABLE written AS SELECT generate_series(1, 10000)")
        until(lambda: (link(pair.primary).replay_lag_bytes or 0) > 0 and (link(pair.standby).replay_lag_bytes or 0) > 0)
        assert link(pair.primary).replay_lag_ms != 0
        # Nothing was ever replayed here, so that how long ago is not known; afterwards it is.
        assert link(pair.standby).replay_lag_ms != 0
        assert link(pair.standby).metadata["replay_pause_state"] == "paused"
    finally:
        pair.standby.run("SELECT pg_wal_replay_resume()")
    until(lambda: link(pair.primary).replay_lag_bytes == 0 and link(pair.standby).replay_lag_bytes == 0)


def test_a_replica_that_stops_replaying_again_tells_for_how_long(pair: Pair) -> None:
    pair.primary.run("CREATE TABLE replayed ()")
    until(
        lambda: (
            link(pair.standby).metadata["observed"]["replay_lsn"]
            == link(pair.standby).metadata["observed"]["sender_lsn"]
        )
    )
    pair.standby.run("SELECT pg_wal_replay_pause()")
    try:
        pair.primary.run("CREATE TABLE unreplayed ()")
        until(lambda: (link(pair.standby).replay_lag_bytes or 0) > 0)
        assert (link(pair.standby).replay_lag_ms or 0) > 0
    finally:
        pair.standby.run("SELECT pg_wal_replay_resume()")
    until(lambda: link(pair.primary).replay_lag_bytes == 0 and link(pair.standby).replay_lag_bytes == 0)


def test_a_replica_whose_link_is_cut_does_not_look_up_to_date(pair: Pair) -> None:
    pair.primary.stop()
    try:
        until(lambda: link(pair.standby).state == "disconnected")
        told = link(pair.standby)
        assert (told.replay_lag_bytes, told.replay_lag_ms) == (None, None)
        assert (told.slot_name, told.peer) == ("beta_slot", f"{pair.primary.folder}:{pair.primary.port}")
    finally:
        pair.primary.start()
    until(lambda: link(pair.standby).state == "streaming" and link(pair.primary).state == "streaming")


def test_a_slot_that_nobody_reads_is_told_and_its_lag_is_not_known(pair: Pair) -> None:
    pair.standby.stop()
    try:
        # While it leaves, its sender and its slot are seen apart for a moment.
        until(lambda: [one.state for one in collected("replication", pair.primary).replication] == ["inactive"])
        told = link(pair.primary)
        assert (told.slot_name, told.application_name, told.replay_lag_bytes, told.replay_lag_ms) == (
            "beta_slot", None, None, None,
        )  # fmt: skip
        assert told.metadata["observed"]["inactive_since"] <= datetime.now(UTC).isoformat()
        assert role(pair.primary) == "standalone"
    finally:
        pair.standby.start()
    until(lambda: [one.state for one in collected("replication", pair.primary).replication] == ["streaming"])


def test_a_slot_is_told_on_every_version(cluster: Cluster) -> None:
    cluster.run("SELECT pg_create_physical_replication_slot('waiting', true)")
    try:
        told = link(cluster)
        assert (told.slot_name, told.state, told.metadata["slot_type"]) == ("waiting", "inactive", "physical")
        assert "restart_lsn" in told.metadata["observed"]
    finally:
        cluster.run("SELECT pg_drop_replication_slot('waiting')")


SERVER = Server(instance="1:5432", system_identifier="1", port=5432, version_num=180000, database="postgres")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def sender(**given: Any) -> dict[str, Any]:
    names = (
        *LINK,
        *LINK_OBSERVED,
        *("slot_name", "client_address", "state", "sync_state", *LAGS),
    )
    return dict.fromkeys(names) | {"is_connected": True, "checked_at": NOW, "application_name": "walreceiver"} | given


def parsed(*senders: dict[str, Any], server: Server = SERVER) -> Facts:
    return parse({"links": list(senders), "receiver": []}, server)


def test_links_that_nothing_tells_apart_are_one_row_with_the_greatest_lag() -> None:
    (told,) = parsed(sender(replay_lag_bytes=5), sender(replay_lag_bytes=70), sender(replay_lag_bytes=None)).replication
    assert (told.replay_lag_bytes, told.metadata["connections"]) == (70, 3)


def test_links_from_different_addresses_stay_apart() -> None:
    told = parsed(sender(client_address="10.0.0.1"), sender(client_address="10.0.0.2")).replication
    assert [row.client_address for row in told] == ["10.0.0.1", "10.0.0.2"]


def test_a_receiver_ahead_of_what_the_sender_knew_of_itself_has_no_lag() -> None:
    (told,) = parsed(sender(replay_lag_bytes=-8)).replication
    assert told.replay_lag_bytes == 0


def test_a_lag_of_a_month_fits() -> None:
    (told,) = parsed(sender(replay_lag_ms=31 * 86_400_000)).replication
    assert told.replay_lag_ms == 2**31 - 1


def test_a_login_that_may_not_see_others_leaves_a_gap() -> None:
    facts = parsed(sender(application_name=None), server=replace(SERVER, reads_all_stats=False))
    assert [gap.outcome for gap in facts.gaps] == [Outcome.DENIED]
    assert facts.absent is False
