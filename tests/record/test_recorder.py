"""Recording: all or nothing, only what changed, and nothing removed by somebody who could not look."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aya.db.connection import Connection, rows
from aya.db.database import Database
from aya.errors import PayloadRefused
from aya.model import Collected, Facts, Instance, Interface, NodeState, Outcome, SchemaObject, Service
from aya.record.recorder import record
from tests.record.states import ALPHA_UUID, INSTANCE, collected, identified, setting, settings_of, state, whole

STATE_TABLES = (
    "system_nodes",
    "network_interfaces",
    "software_versions",
    "services",
    "postgresql_instances",
    "postgresql_configuration",
    "replication_status",
    "database_schemas",
)


def versions(connection: Connection) -> dict[str, list[tuple[int, int]]]:
    """The transaction that wrote each row of state: writing a row again would change it."""
    return {
        table: [
            (row["id"], row["xmin"])
            for row in rows(connection, f"SELECT id, xmin::text::bigint FROM {table} ORDER BY id")
        ]
        for table in STATE_TABLES
    }


def settings_now(connection: Connection) -> dict[str, str | None]:
    found = rows(connection, "SELECT setting_name, setting_value FROM postgresql_configuration WHERE is_active")
    return {row["setting_name"]: row["setting_value"] for row in found}


def test_what_was_recorded_is_in_the_tables(writer: Connection) -> None:
    done = record(writer, [whole()])[0]
    assert (done.inserted, done.updated, done.vanished) == (7, 0, 0)
    assert settings_now(writer) == {"work_mem": "65536", "fsync": "on"}
    node = rows(writer, "SELECT * FROM system_nodes")[0]
    assert (node["node_name"], node["serial_number"], node["hardware_uuid"]) == ("ALPHA", "X99R32LQKN", ALPHA_UUID)
    assert node["metadata"]["observed"]["filesystems"] == {"/": 5}
    assert rows(writer, "SELECT metric_value FROM performance_metrics")[0]["metric_value"] == 5


def test_the_same_state_again_writes_no_row_of_state(writer: Connection) -> None:
    record(writer, [whole()])
    before = versions(writer)
    done = record(writer, [replace(whole(), collected_at=datetime.now(UTC) + timedelta(minutes=5))])[0]
    assert not done.changed
    assert versions(writer) == before


def test_the_same_state_after_a_change_by_hand_is_compared_row_by_row(writer: Connection, admin: Connection) -> None:
    record(writer, [whole()])
    admin.execute("UPDATE postgresql_configuration SET setting_value = 'off' WHERE setting_name = 'fsync'")
    assert record(writer, [whole()])[0].updated == 1
    assert settings_now(writer)["fsync"] == "on"


@pytest.mark.parametrize("statement", ["TRUNCATE services", "DELETE FROM services"])
def test_rows_that_somebody_removed_are_recorded_again(writer: Connection, admin: Connection, statement: str) -> None:
    record(writer, [whole()])
    admin.execute(statement)
    assert record(writer, [whole()])[0].inserted == 1


def test_only_the_changed_row_is_written(writer: Connection) -> None:
    record(writer, [state(settings_of(setting("a"), setting("b"), setting("c")))])
    before = dict(versions(writer)["postgresql_configuration"])
    done = record(writer, [state(settings_of(setting("a"), setting("b", "2"), setting("c")))])[0]
    after = dict(versions(writer)["postgresql_configuration"])
    assert (done.inserted, done.updated, done.vanished) == (0, 1, 0)
    assert sum(before[number] != after[number] for number in before) == 1


def test_nodes_that_are_recorded_together_are_written_and_counted_each_for_itself(writer: Connection) -> None:
    def fleet(**settings: dict[str, str]) -> list[tuple[int, int, int]]:
        states = [
            state(settings_of(*(setting(name, value) for name, value in values.items())), name=node)
            for node, values in settings.items()
        ]
        return [(done.inserted, done.updated, done.vanished) for done in record(writer, states)]

    fleet(A={}, B={}, C={})
    assert fleet(A={"a": "1", "b": "1"}, B={"a": "1"}, C={"a": "1"}) == [(2, 0, 0), (1, 0, 0), (1, 0, 0)]
    assert fleet(A={"a": "1"}, B={"a": "2"}, C={"a": "1"}) == [(0, 0, 1), (0, 1, 0), (0, 0, 0)]
    found = rows(
        writer,
        "SELECT node_name, setting_value FROM postgresql_configuration c JOIN system_nodes n ON n.id = c.node_id "
        "WHERE is_active ORDER BY 1",
    )
    assert [tuple(row.values()) for row in found] == [("A", "1"), ("B", "2"), ("C", "1")]
    runs = rows(
        writer, "SELECT rows_inserted, rows_updated, rows_vanished FROM collection_runs ORDER BY id DESC LIMIT 3"
    )
    assert sorted(tuple(row.values()) for row in runs) == [(0, 0, 0), (0, 0, 1), (0, 1, 0)]


def test_a_change_is_on_disk_when_it_is_recorded_whatever_the_servers_default(writer: Connection) -> None:
    def written(position: str) -> int:
        return int(rows(writer, f"SELECT pg_current_wal_{position}_lsn() - '0/0' AS bytes")[0]["bytes"])

    writer.execute("SET synchronous_commit = off")
    for changed in (state(), state(settings_of(setting("a"))), state(settings_of(setting("a", "2")))):
        before = written("insert")
        record(writer, [changed])
        assert written("flush") > before


def test_two_states_of_one_node_are_not_recorded_together(writer: Connection) -> None:
    record(writer, [state()])
    with pytest.raises(PayloadRefused, match="one node"):
        record(writer, [state(), state(name="RENAMED")])
    assert len(rows(writer, "SELECT FROM collection_runs")) == 1


def test_uptime_alone_is_no_reason_to_write(writer: Connection) -> None:
    def up_for(seconds: int) -> NodeState:
        return state(collected(services=(Service(service_name="sshd", process_id=7, uptime_seconds=seconds),)))

    record(writer, [up_for(10)])
    before = versions(writer)
    assert not record(writer, [up_for(20)])[0].changed
    assert versions(writer) == before


def test_what_moves_at_every_look_is_refreshed_after_an_hour(writer: Connection, admin: Connection) -> None:
    def sized(size: int) -> NodeState:
        thing = SchemaObject(instance=INSTANCE, database_name="d", kind="table", table_name="t", table_size_bytes=size)
        return state(collected(schemas=(thing,)))

    def size_now() -> int:
        return int(rows(writer, "SELECT table_size_bytes FROM database_schemas")[0]["table_size_bytes"])

    record(writer, [sized(1)])
    assert not record(writer, [sized(2)])[0].changed
    assert size_now() == 1
    admin.execute("SET aya.recording = 'on'")  # as time passes, which takes back no promise
    admin.execute("UPDATE database_schemas SET updated_at = updated_at - interval '61 minutes'")
    admin.execute("UPDATE aya.section_marks SET marked_at = marked_at - interval '61 minutes'")
    assert record(writer, [sized(2)])[0].updated == 1
    assert size_now() == 2


def test_a_vanished_fact_becomes_inactive_and_a_returned_one_active_again(writer: Connection) -> None:
    record(writer, [state(settings_of(setting("a"), setting("b")))])
    assert record(writer, [state(settings_of(setting("a")))])[0].vanished == 1
    assert settings_now(writer) == {"a": "1"}
    assert record(writer, [state(settings_of(setting("a"), setting("b", "3")))])[0].inserted == 1
    assert settings_now(writer) == {"a": "1", "b": "3"}
    kept = rows(writer, "SELECT setting_value FROM postgresql_configuration WHERE NOT is_active")
    assert [row["setting_value"] for row in kept] == ["1"]


def test_a_vanished_service_is_stopped(writer: Connection) -> None:
    record(writer, [state(collected(services=(Service(service_name="sshd", process_id=7),)))])
    record(writer, [state(collected(services=()))])
    row = rows(writer, "SELECT status, process_id, is_present FROM services")[0]
    assert row == {"status": "stopped", "process_id": None, "is_present": False}


def test_an_interface_that_is_down_is_there_and_one_that_is_gone_is_not(writer: Connection) -> None:
    en0, en1 = Interface(interface_name="en0", is_primary=True), Interface(interface_name="en1", is_active=False)
    record(writer, [state(collected("network", interfaces=(en0, en1)))])
    record(writer, [state(collected("network", interfaces=(en1,)))])
    found = rows(writer, "SELECT interface_name, is_present, is_active, is_primary FROM network_interfaces ORDER BY 1")
    assert [tuple(row.values()) for row in found] == [("en0", False, False, False), ("en1", True, False, False)]


@pytest.mark.parametrize("outcome", [o for o in Outcome if not o.complete])
def test_a_collector_that_could_not_look_removes_nothing(writer: Connection, outcome: Outcome) -> None:
    record(writer, [state(settings_of(setting("a"), setting("b")))])
    done = record(writer, [state(settings_of(setting("a", "2"), outcome=outcome))])[0]
    assert (done.updated, done.vanished) == (1, 0)
    assert settings_now(writer) == {"a": "2", "b": "1"}


def test_a_collector_that_could_not_look_blanks_nothing_of_the_node(writer: Connection) -> None:
    record(writer, [state(identified())])
    record(writer, [state(identified(uuid=None, outcome=Outcome.DENIED))])
    node = rows(writer, "SELECT * FROM system_nodes")[0]
    assert (node["hardware_uuid"], node["serial_number"]) == (ALPHA_UUID, "X99R32LQKN")
    assert node["metadata"]["identity"] == {"machine_id": "m1", "chassis": "desktop"}


def test_a_collector_that_looked_blanks_what_is_gone(writer: Connection) -> None:
    part = identified()
    record(writer, [state(part)])
    record(writer, [state(replace(part, facts=Facts(metadata={"identity": {"machine_id": "m1"}})))])
    node = rows(writer, "SELECT * FROM system_nodes")[0]
    assert (node["serial_number"], node["metadata"]["identity"]) == (None, {"machine_id": "m1"})


def test_a_server_that_runs_no_more_takes_its_facts_with_it_and_brings_them_back(writer: Connection) -> None:
    def search(*running: str) -> Collected:
        return replace(collected("postgresql.servers"), roll_call=running)

    there = (collected("postgresql.instance", instances=(Instance(instance=INSTANCE),)), settings_of(setting("a")))
    record(writer, [state(search(INSTANCE), *there)])
    assert record(writer, [state(search())])[0].vanished == 2
    assert settings_now(writer) == {}
    record(writer, [state(search(INSTANCE), *there)])
    assert settings_now(writer) == {"a": "1"}


def test_a_server_that_cannot_be_told_from_others_keeps_its_facts(writer: Connection) -> None:
    record(writer, [state(replace(collected("postgresql.servers"), roll_call=(INSTANCE,)), settings_of(setting("a")))])
    refused = replace(settings_of(outcome=Outcome.DENIED), target="/run/postgresql:5432")
    assert record(writer, [state(collected("postgresql.servers"), refused)])[0].vanished == 0
    assert settings_now(writer) == {"a": "1"}


def test_collectors_of_one_section_do_not_remove_each_others_rows(writer: Connection) -> None:
    one = collected("systemd", services=(Service(service_name="a"),))
    other = collected("listeners", services=(Service(service_name="b"),))
    record(writer, [state(one, other)])
    done = record(writer, [state(one)])[0]
    assert done.vanished == 0
    assert record(writer, [state(replace(one, facts=Facts()), other)])[0].vanished == 1


def test_a_renamed_node_is_the_same_node(writer: Connection) -> None:
    record(writer, [state(name="ALPHA")])
    record(writer, [state(name="OMEGA")])
    found = rows(writer, "SELECT id, node_name FROM system_nodes")
    assert [row["node_name"] for row in found] == ["OMEGA"]


def test_a_node_is_found_again_by_its_machine_id_when_the_hardware_may_not_be_read(writer: Connection) -> None:
    record(writer, [state(identified())])
    record(writer, [state(identified(uuid=None, outcome=Outcome.DENIED), name="RENAMED")])
    found = rows(writer, "SELECT node_name, identity FROM system_nodes")
    assert found == [{"node_name": "RENAMED", "identity": f"uuid:{ALPHA_UUID}"}]


def test_a_clone_with_the_same_machine_id_but_other_hardware_is_another_node(writer: Connection) -> None:
    record(writer, [state(identified())])
    record(writer, [state(identified(uuid=UUID(int=5)), name="CLONE")])
    assert len(rows(writer, "SELECT FROM system_nodes")) == 2


def test_a_name_that_belongs_to_another_machine_is_refused(writer: Connection) -> None:
    record(writer, [state(identified())])
    with pytest.raises(PayloadRefused, match="another machine"):
        record(writer, [state(identified(uuid=UUID(int=5), machine_id="m2"))])
    assert len(rows(writer, "SELECT FROM collection_runs")) == 1


def test_an_announced_node_becomes_active_when_it_is_first_seen(writer: Connection) -> None:
    writer.execute("INSERT INTO system_nodes (node_name, node_role, status) VALUES ('AIR', 'client', 'pending')")
    writer.commit()
    record(writer, [state(name="AIR")])
    assert rows(writer, "SELECT node_name, status FROM system_nodes") == [{"node_name": "AIR", "status": "active"}]


def test_a_role_set_by_hand_wins_over_the_found_one(writer: Connection) -> None:
    record(writer, [state(node_role="primary", role_by_hand=True)])
    record(writer, [state(node_role="replica")])
    node = rows(writer, "SELECT node_role, node_role_source FROM system_nodes")[0]
    assert node == {"node_role": "primary", "node_role_source": "hand"}


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (Service(service_name="x", port=2**40), "port"),
        (Service(service_name="x", uptime_seconds=2**70), "uptime_seconds"),
        (Interface(interface_name="x", ipv4_address="300.1.1.1"), "ipv4_address"),
        (Interface(interface_name="x", mac_address="nonsense"), "mac_address"),
        (Service(service_name=None), "service_name"),  # type: ignore[arg-type]
        (Service(service_name="x", port="22"), "port"),  # type: ignore[arg-type]
        (Service(service_name="x", status="odd"), "services_status_check"),
        (Service(service_name="x", port=70000), "services_port_check"),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_whole_and_named(
    writer: Connection, row: Service | Interface, named: str
) -> None:
    bad = collected("bad", **{row.SECTION: (row,)})
    with pytest.raises(PayloadRefused, match=named):
        record(writer, [state(identified(), settings_of(setting("a")), bad)])
    assert rows(writer, "SELECT FROM system_nodes") == []
    assert rows(writer, "SELECT FROM postgresql_configuration") == []


def test_the_same_fact_twice_is_refused(writer: Connection) -> None:
    with pytest.raises(PayloadRefused, match="twice"):
        record(writer, [state(settings_of(setting("a"), setting("a", "2")))])


def test_a_state_beyond_the_limit_is_refused_whole(writer: Connection) -> None:
    with pytest.raises(PayloadRefused, match="limit"):
        record(writer, [state(settings_of(setting("a", "x" * 5000)))], payload_limit_bytes=4000)
    assert rows(writer, "SELECT FROM system_nodes") == []


def test_every_collector_leaves_one_outcome(writer: Connection) -> None:
    done = record(writer, [state(identified(), replace(settings_of(outcome=Outcome.DENIED), reason="no right"))])[0]
    found = rows(
        writer,
        "SELECT collector, target, outcome, reason FROM collection_outcomes WHERE run_id = %(run)s",
        {"run": done.run_id},
    )
    assert sorted(tuple(row.values()) for row in found) == [
        ("identification", "", "ok", None),
        ("postgresql.settings", INSTANCE, "denied", "no right"),
    ]


def test_two_who_record_one_node_at_once_leave_one_node_and_no_doubles(database: Database) -> None:
    def again(number: int) -> int:
        with database.connect() as connection:
            return record(connection, [state(identified(), settings_of(setting("a", str(number)), setting("b")))])[
                0
            ].node_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(again, range(24)))) == 1
    with database.connect() as connection:
        assert len(rows(connection, "SELECT FROM postgresql_configuration WHERE is_active")) == 2


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(st.lists(st.dictionaries(names, st.none() | names, max_size=8), min_size=1, max_size=5))
@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_sequence_of_states_the_tables_hold_exactly_the_last(
    writer: Connection, sequence: list[dict[str, str | None]]
) -> None:
    for values in sequence:
        record(writer, [state(settings_of(*(setting(name, value) for name, value in values.items())))])
        assert settings_now(writer) == values


def test_names_with_quotes_and_ten_thousand_characters_are_kept(writer: Connection) -> None:
    name = "Ünï\"cö'de; DROP TABLE x; -- " + "n" * 10_000
    record(writer, [state(settings_of(setting(name, "'")))])
    assert settings_now(writer) == {name: "'"}
