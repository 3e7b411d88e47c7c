"""The state of any past moment comes back exactly as it was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aya.db.connection import Connection, rows
from aya.errors import UsageError
from aya.history.moment import as_of, moment
from aya.model import Collected, Facts, Node
from aya.record.recorder import record
from aya.snapshot.document import read_document
from tests.conftest import empty
from tests.record.states import collected, identified, setting, settings_of, state, whole

values = st.none() | st.sampled_from(["1", "2", "ü", ""])
states_of_settings = st.dictionaries(st.sampled_from("abcdef"), values, max_size=6)
metadata = st.dictionaries(
    st.sampled_from(["cpu", "memory", "dns"]),
    st.recursive(
        st.none() | st.booleans() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3),
        lambda inner: st.lists(inner, max_size=2),
    ),
    max_size=3,
)
by_hand = st.sampled_from(
    [
        "UPDATE postgresql_configuration SET setting_value = 'hand' WHERE setting_name = 'a'",
        "UPDATE postgresql_configuration SET setting_value = NULL, metadata = '{\"x\": null}' WHERE setting_name < 'c'",
        "UPDATE postgresql_configuration SET metadata = NULL WHERE setting_name = 'd'",
        "DELETE FROM postgresql_configuration WHERE setting_name = 'b'",
        "TRUNCATE postgresql_configuration",
        "INSERT INTO postgresql_configuration (node_id, instance, setting_name, setting_value) "
        "SELECT max(id), 'other', 'z', '9' FROM system_nodes ON CONFLICT DO NOTHING",
        "DELETE FROM postgresql_configuration WHERE instance = 'other'",
        "UPDATE system_nodes SET serial_number = 'S' || id || coalesce(serial_number, '')",
        "UPDATE system_nodes SET metadata = NULL",
        'UPDATE system_nodes SET metadata = \'{"dns": null, "cpu": {"x": [null, 1.50]}}\'',
        "UPDATE system_nodes SET metadata = '{}'",
        "DELETE FROM system_nodes",
    ]
)
steps = st.lists(states_of_settings | by_hand | metadata.map(lambda m: ("metadata", m)), min_size=2, max_size=12)
TABLES = ("system_nodes", "postgresql_configuration", "postgresql_instances", "services", "software_versions")


def change_number(connection: Connection) -> int:
    return int(rows(connection, "SELECT coalesce(max(id), 0) AS id FROM change_log")[0]["id"])


def present(connection: Connection) -> list[dict[str, Any]]:
    """All state rows of some tables as they are now, without what is not state."""
    return _rows(connection, "{table}")


def past(connection: Connection, change: int) -> list[dict[str, Any]]:
    return _rows(connection, "aya.{table}_as_of(" + str(change) + "::bigint)")


def _rows(connection: Connection, source: str) -> list[dict[str, Any]]:
    found = []
    for table in TABLES:
        for row in rows(connection, f"SELECT to_jsonb(t) AS row FROM {source.format(table=table)} AS t ORDER BY id"):
            kept = row["row"]
            for name in ("updated_at", "last_verified", "process_id", "uptime_seconds"):
                kept.pop(name, None)
            if table == "system_nodes" and kept["metadata"] is not None:
                kept["metadata"].pop("observed", None)
            found.append({"table": table, **kept})
    return found


@given(steps)
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_state_of_any_sequence_of_changes_comes_back(
    writer: Connection, admin: Connection, steps: list[dict[str, str | None] | str | tuple[str, dict[str, Any]]]
) -> None:
    empty(admin)
    remembered = [(0, present(admin))]
    for step in steps:
        match step:
            case str():
                admin.execute(step)
            case ("metadata", value):
                record(writer, [state(_with_metadata(value))])
            case _:
                settings = settings_of(*(setting(name, value) for name, value in step.items()))
                record(writer, [state(identified(), settings, collected("services", services=whole_services()))])
        remembered.append((change_number(admin), present(admin)))
    for change, state_then in remembered:
        assert past(admin, change) == state_then


def whole_services() -> tuple[Any, ...]:
    return whole().collected[3].facts.services


def _with_metadata(value: dict[str, Any]) -> Collected:
    known = identified()
    return replace(
        known,
        owns=(*known.owns, "metadata.cpu", "metadata.memory", "metadata.dns"),
        facts=Facts(node=Node(hardware_uuid=known.facts.node.hardware_uuid), metadata=known.facts.metadata | value),
    )


def test_any_query_runs_on_the_past(writer: Connection) -> None:
    record(writer, [whole()])
    before = change_number(writer)
    record(writer, [state(identified(), settings_of(setting("fsync", "off")), collected("packages", software=()))])
    asked = "SELECT installed_software FROM v_system_overview"
    assert rows(writer, asked) == [{"installed_software": 0}]
    with writer.transaction():
        writer.execute("SET LOCAL search_path = past, public")
        writer.execute(f"SET LOCAL aya.as_of = '#{before}'")
        assert rows(writer, asked) == [{"installed_software": 1}]
        assert rows(
            writer, "SELECT setting_value FROM postgresql_configuration WHERE setting_name = 'fsync' AND is_active"
        ) == [{"setting_value": "on"}]


def test_before_the_first_record_there_is_nothing(writer: Connection) -> None:
    record(writer, [whole()])
    with writer.transaction():
        writer.execute("SET LOCAL search_path = past, public")
        writer.execute("SET LOCAL aya.as_of = '2001-01-01'")
        assert rows(writer, "SELECT FROM system_nodes") == []
        assert rows(writer, "SELECT FROM v_system_overview") == []


def test_the_past_of_now_is_now(writer: Connection) -> None:
    record(writer, [whole()])
    present_document = read_document(writer)
    writer.execute("SET search_path = past, public")
    assert read_document(writer) == present_document


def test_a_moment_never_shows_half_a_transaction(writer: Connection, database: Any) -> None:
    nodes = [
        record(writer, [state(settings_of(setting("a"), setting("b")), name=name)])[0].node_id for name in ("A", "B")
    ]
    change = "UPDATE postgresql_configuration SET setting_value = '7' WHERE node_id = %s AND setting_name = %s"
    with database.connect() as early, database.connect() as late, early.transaction():
        # The one that began first writes around what the other one writes.
        early.execute(change, (nodes[0], "a"))
        with late.transaction():
            late.execute(change, (nodes[1], "a"))
            early.execute(change, (nodes[0], "b"))
            late.execute(change, (nodes[1], "b"))
    began = {row["transaction_id"]: row["created_at"] for row in rows(writer, "SELECT * FROM change_log")}
    for at in began.values():
        seen = rows(writer, f"SELECT aya.change_number('{at.isoformat()}') AS n")[0]["n"]
        on_both_sides = rows(
            writer,
            "SELECT transaction_id FROM change_log GROUP BY 1 HAVING min(id) <= %(n)s AND max(id) > %(n)s",
            {"n": seen},
        )
        assert on_both_sides == []


def test_a_clock_that_was_set_back_a_day_loses_no_state(writer: Connection, admin: Connection) -> None:
    today = datetime.now(UTC)
    record(writer, [replace(whole(), collected_at=today)])
    record(
        writer,
        [replace(state(identified(), settings_of(setting("fsync", "off"))), collected_at=today - timedelta(days=1))],
    )
    last = rows(writer, "SELECT * FROM change_log WHERE fact LIKE '%%fsync%%' ORDER BY id DESC LIMIT 1")[0]
    assert last["happened_before"] == today - timedelta(days=1)
    assert last["happened_after"] is None, "an interval that ends before it begins is not known"
    first_of_run = rows(writer, "SELECT min(id) AS id FROM change_log WHERE run_id = %(run)s", {"run": last["run_id"]})[
        0
    ]["id"]
    assert past(admin, first_of_run - 1) != present(admin)
    assert past(admin, change_number(admin)) == present(admin)


@pytest.mark.parametrize("table", ["system_nodes", "postgresql_configuration"])
def test_what_moves_is_unknown_in_the_past(writer: Connection, table: str) -> None:
    record(writer, [whole()])
    assert rows(writer, f"SELECT updated_at FROM aya.{table}_as_of(now()) WHERE updated_at IS NOT NULL") == []


def test_the_number_of_a_row_cannot_be_changed(writer: Connection, admin: Connection) -> None:
    record(writer, [whole()])
    with pytest.raises(Exception, match="the log knows the rows by them"):
        admin.execute("UPDATE services SET id = id + 1")


def test_a_change_that_is_not_there_yet_is_no_moment(writer: Connection) -> None:
    record(writer, [whole()])
    newest = rows(writer, "SELECT max(id) AS id FROM change_log")[0]["id"]
    with as_of(writer, moment(f"#{newest}")):
        assert rows(writer, "SELECT node_name FROM system_nodes") == [{"node_name": "ALPHA"}]
    with pytest.raises(UsageError, match=f"no change {newest + 1} yet"), as_of(writer, moment(f"#{newest + 1}")):
        pass


@pytest.mark.parametrize(
    "said",
    [
        "",
        "2026-02-31",
        "'; DROP TABLE change_log",
        "#-1",
        "#99999999999999999999",
        "infinity",
        "0001-01-01",
        "2999-01-01",
    ],
)
def test_what_is_no_moment_of_the_past_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match=r"no moment|lies in the future"):
        moment(said)
