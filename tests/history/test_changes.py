"""What the log says of changes: what, where, when, by whom and why; whoever made them, and by whatever client."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aya.db.connection import Connection, rows
from aya.db.database import Database, Login
from aya.errors import NotFound, UsageError
from aya.history.changes import Change, Filter, change, changes, note_verification
from aya.history.why import why
from aya.model import Instance, NodeState, Outcome, Software
from aya.record.recorder import record
from tests.record.states import INSTANCE, collected, identified, setting, settings_of, state, whole


def logged(connection: Connection, **wanted: Any) -> list[Change]:
    return changes(connection, Filter(**wanted), limit=1000)


def settings(*values: tuple[str, str | None], unit: str | None = None, outcome: Outcome = Outcome.OK) -> NodeState:
    rows = (setting(name, value, setting_unit=unit) for name, value in values)
    return state(identified(), settings_of(*rows, outcome=outcome))


def test_a_change_reads_as_people_say_it(writer: Connection) -> None:
    record(writer, [settings(("shared_buffers", "16384"), ("work_mem", "1"), unit="8kB")])
    record(writer, [settings(("shared_buffers", "16777216"), ("work_mem", "1"), unit="8kB")])
    last = logged(writer)[-1]
    assert last.change_description == "shared_buffers 128MB -> 128GB on ALPHA"
    assert (last.old_value, last.new_value) == ({"setting_value": "16384"}, {"setting_value": "16777216"})
    assert last.fact == f"{INSTANCE} | shared_buffers"
    assert (last.section, last.table_affected, last.change_type) == (
        "settings",
        "postgresql_configuration",
        "configuration",
    )


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("16384", "8kB", "128MB"), ("0", "kB", "0 kB"), ("-1", "ms", "-1 ms"), ("90", "s", "90s"), ("120", "s", "2min"),
        ("1", "MB", "1MB"), ("1024", "kB", "1MB"), ("1025", "kB", "1025kB"), ("1440", "min", "1d"), ("on", None, "on"),
        ("", None, "''"), (None, "kB", "nothing"), ("7", "furlongs", "7 furlongs"),
        ("99999999999999999999", "kB", "99999999999999999999 kB"),
    ],
)  # fmt: skip
def test_settings_are_shown_in_the_units_of_postgresql(
    writer: Connection, value: str | None, unit: str | None, said: str
) -> None:
    shown = rows(writer, "SELECT aya.shown_setting(%(value)s, %(unit)s) AS s", {"value": value, "unit": unit})
    assert shown == [{"s": said}]


def test_postgresql_shows_its_own_settings_alike(writer: Connection) -> None:
    different = rows(
        writer,
        "SELECT name, setting, unit, current_setting(name) AS shown, aya.shown_setting(setting, unit) AS said FROM pg_settings "
        "WHERE unit IS NOT NULL AND setting ~ '^[1-9]' AND current_setting(name) <> aya.shown_setting(setting, unit)",
    )
    assert different == []


def test_a_first_load_is_one_row_for_each_node_and_section(writer: Connection) -> None:
    record(writer, [whole(), replace(whole(), node_name="BETA", collected=whole().collected[1:])])
    loads = [(c.node_name, c.section) for c in logged(writer)]
    assert len(loads) == len(set(loads)) == 12
    assert {c.action for c in logged(writer) if c.section != "node"} == {"first load"}


def test_a_first_load_by_hand_is_one_row_as_well(writer: Connection, admin: Connection) -> None:
    record(writer, [state(identified())])
    admin.execute(
        "INSERT INTO software_versions (node_id, software_name) SELECT id, 'a' || n FROM system_nodes, generate_series(1, 50) n"
    )
    admin.execute(
        "INSERT INTO software_versions (node_id, software_name) SELECT id, 'b' || n FROM system_nodes, generate_series(1, 2) n"
    )
    with admin.cursor() as cursor, cursor.copy("COPY services (node_id, service_name, status) FROM STDIN") as copy:
        for name in "abc":
            copy.write_row((rows(writer, "SELECT id FROM system_nodes")[0]["id"], name, "running"))
    assert [c.change_description for c in logged(writer) if c.section != "node"] == [
        "50 software first recorded on ALPHA",
        "b1 appeared on ALPHA",
        "b2 appeared on ALPHA",
        "3 services first recorded on ALPHA",
    ]


def test_what_appears_later_is_told_one_by_one(writer: Connection) -> None:
    record(
        writer,
        [
            state(
                identified(), collected("packages", software=(Software(software_name="a"), Software(software_name="b")))
            )
        ],
    )
    more = tuple(Software(software_name=name) for name in "abcd")
    record(writer, [state(identified(), collected("packages", software=more))])
    assert [c.change_description for c in logged(writer, section="software")][1:] == [
        "c appeared on ALPHA",
        "d appeared on ALPHA",
    ]


def test_what_vanishes_is_gone_and_comes_back(writer: Connection) -> None:
    both, one = (tuple(Software(software_name=name) for name in names) for names in ("ab", "a"))
    for software in (both, one, both):
        record(writer, [state(identified(), collected("packages", software=software))])
    assert [c.change_description for c in logged(writer, section="software")][1:] == [
        "b is gone on ALPHA",
        "b appeared on ALPHA",
    ]


def test_the_same_again_is_no_change(writer: Connection) -> None:
    record(writer, [whole()])
    before = logged(writer)
    record(writer, [whole()])
    writer.execute("UPDATE postgresql_configuration SET setting_value = setting_value")
    assert logged(writer) == before


@pytest.mark.parametrize("login", [Login.WRITER, Login.ADMIN])
def test_whoever_changes_state_by_hand_is_in_the_log(database: Database, writer: Connection, login: Login) -> None:
    record(writer, [whole()])
    with database.connect(login) as connection:
        connection.execute("SET aya.actor = 'Arthur'")
        connection.execute("SET aya.reason = 'tuning, see ticket 7'")
        connection.execute("SET session_replication_role = replica") if login is Login.ADMIN else None
        connection.execute("UPDATE services SET status = 'failed'")
    last = logged(writer)[-1]
    assert (last.changed_by, last.change_reason, last.run_id) == ("Arthur", "tuning, see ticket 7", None)
    assert last.session_role == ("aya_writer" if login is Login.WRITER else "postgres")
    assert last.change_description == "sshd status running -> failed on ALPHA"


def test_without_an_actor_the_login_is_named(database: Database, writer: Connection) -> None:
    record(writer, [whole()])
    writer.execute("RESET ALL")
    writer.execute("SET aya.actor = ''")
    writer.execute("UPDATE services SET status = 'failed'")
    assert logged(writer)[-1].changed_by == "aya_writer"


def test_a_truncation_is_told_row_by_row(writer: Connection, admin: Connection) -> None:
    record(writer, [whole()])
    admin.execute("TRUNCATE postgresql_configuration")
    gone = [c for c in logged(writer) if c.action == "delete"]
    assert sorted(c.change_description for c in gone) == [
        "fsync was truncated away on ALPHA",
        "work_mem was truncated away on ALPHA",
    ]
    assert {(c.old_value or {})["setting_value"] for c in gone} == {"on", "65536"}


def test_a_node_that_goes_takes_its_facts_along_and_its_name_stays(writer: Connection, admin: Connection) -> None:
    record(writer, [whole()])
    admin.execute("DELETE FROM system_nodes")
    gone = [c for c in logged(writer) if c.action == "delete"]
    assert {c.node_name for c in gone} == {"ALPHA"}
    assert {c.section for c in gone} >= {"node", "settings", "software", "services", "interfaces", "instances"}


def test_what_moves_is_never_in_the_log(writer: Connection) -> None:
    record(writer, [whole()])
    before = logged(writer)
    writer.execute("UPDATE services SET process_id = 9, uptime_seconds = 99")
    writer.execute('UPDATE system_nodes SET last_verified = now(), metadata = metadata || \'{"observed": {"x": 1}}\'')
    assert logged(writer) == before


def test_a_change_of_a_node_names_the_keys_of_its_metadata(writer: Connection) -> None:
    record(writer, [whole()])
    record(writer, [state(identified(machine_id="m2"))])
    last = logged(writer, section="node")[-1]
    assert last.change_description == "ALPHA metadata.identity"
    assert (last.new_value or {}).keys() == {"metadata.identity"}


def at(hour: int) -> datetime:
    return datetime(2026, 11, 20, hour, tzinfo=UTC)


def test_a_change_happened_after_the_last_complete_look_that_saw_the_old_value(writer: Connection) -> None:
    record(writer, [replace(settings(("a", "1")), collected_at=at(1))])
    record(writer, [replace(settings(("a", "1")), collected_at=at(2))])
    record(writer, [replace(settings(outcome=Outcome.DENIED), collected_at=at(3))])
    record(writer, [replace(settings(("a", "2")), collected_at=at(4))])
    last = logged(writer)[-1]
    assert (last.happened_after, last.happened_before) == (at(2), at(4))


def test_a_column_of_a_node_has_the_interval_of_the_collector_that_owns_it(writer: Connection) -> None:
    record(writer, [replace(state(identified(machine_id="m1")), collected_at=at(1))])
    record(writer, [replace(state(identified(machine_id="m1", outcome=Outcome.DENIED)), collected_at=at(2))])
    record(writer, [replace(state(identified(machine_id="m2")), collected_at=at(3))])
    assert logged(writer)[-1].happened_after == at(1)


def test_the_run_that_found_a_change_is_named(writer: Connection) -> None:
    record(writer, [settings(("a", "1"))])
    done = record(writer, [settings(("a", "2"))])
    assert {c.run_id for c in logged(writer, run=done[0].run_id)} == {done[0].run_id}
    assert logged(writer)[-1].run_id == done[0].run_id
    assert rows(writer, "SELECT max(id) AS id FROM collection_runs") == [{"id": done[0].run_id}]


def test_a_node_that_was_renamed_keeps_its_history(writer: Connection) -> None:
    record(writer, [settings(("a", "1"))])
    record(writer, [settings(("a", "2"))])
    writer.execute("UPDATE system_nodes SET node_name = 'OMEGA'")
    assert logged(writer)[-1].change_description == "OMEGA node_name ALPHA -> OMEGA"
    assert logged(writer, node="OMEGA") == logged(writer)
    assert [told.change.change_description for told in why(writer, "OMEGA", "a").changes] == ["a 1 -> 2 on ALPHA"]


def test_filters_let_through_what_fits(writer: Connection) -> None:
    start = datetime.now(UTC)
    record(writer, [settings(("a", "1"), ("b", "1"))])
    record(writer, [replace(settings(("a", "1")), node_name="BETA", collected=settings(("a", "1")).collected[1:])])
    record(writer, [settings(("a", "2"), ("b", "2"))])
    assert [c.change_description for c in logged(writer, setting="a")] == ["a 1 -> 2 on ALPHA"]
    assert {c.node_name for c in logged(writer, node="BETA")} == {"BETA"}
    assert len(logged(writer, section="settings", node="ALPHA")) == 3
    assert len(logged(writer, match="B 1 -> 2")) == 1
    assert logged(writer, until=start) == []
    assert logged(writer, since=start) == logged(writer)
    assert logged(writer, since=start + timedelta(days=1)) == []
    assert logged(writer, actor="nobody") == []
    assert logged(writer, table="services") == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE change_log SET change_description = 'x'",
        "DELETE FROM change_log",
        "TRUNCATE change_log",
        "INSERT INTO change_log (change_description) VALUES ('forged')",
        "ALTER TABLE change_log DISABLE TRIGGER append_only",
        "ALTER TABLE services DISABLE TRIGGER log_updated",
        "DROP TRIGGER append_only ON change_log",
        "SET session_replication_role = replica",
        "SET ROLE aya_owner",
        "CREATE OR REPLACE FUNCTION aya.log_services() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ],
)
@pytest.mark.parametrize("login", [Login.READER, Login.WRITER])
def test_no_login_but_the_superuser_can_touch_the_log(
    database: Database, writer: Connection, login: Login, statement: str
) -> None:
    record(writer, [whole()])
    before = logged(writer)
    with (
        database.connect(login) as connection,
        pytest.raises(Exception, match=r"permission denied|must be owner|append-only"),
    ):
        connection.execute(statement)  # type: ignore[arg-type]
    assert logged(writer) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE change_log SET changed_by = 'x'",
        "DELETE FROM change_log",
        "TRUNCATE change_log",
        "INSERT INTO change_log DEFAULT VALUES",
    ],
)
def test_even_the_superuser_is_refused_until_the_trigger_is_put_aside(
    writer: Connection, admin: Connection, statement: str
) -> None:
    record(writer, [whole()])
    for role in ("origin", "replica"):
        admin.execute(f"SET session_replication_role = {role}")  # type: ignore[arg-type]
        with pytest.raises(Exception, match="append-only"):
            admin.execute(statement)  # type: ignore[arg-type]


def test_the_verification_of_a_change_is_itself_logged(writer: Connection) -> None:
    record(writer, [settings(("a", "1"))])
    record(writer, [settings(("a", "2"))])
    number = logged(writer)[-1].id
    noted = note_verification(writer, number, "verified", "SHOW a says 2")
    assert (noted.verification_status, noted.verification_notes) == ("verified", "SHOW a says 2")
    note_verification(writer, number, "refuted", "it says 3")
    assert change(writer, number).verification_status == "refuted"
    notes = [c for c in logged(writer) if c.table_affected == "change_log"]
    assert [(c.record_id, c.change_description) for c in notes] == [
        (number, f"change {number} marked verified"),
        (number, f"change {number} marked refuted"),
    ]
    stored = rows(writer, "SELECT verification_status FROM change_log WHERE id = %(id)s", {"id": number})
    assert stored == [{"verification_status": "pending"}], "the row itself is never rewritten"


@pytest.mark.parametrize(
    ("number", "status", "note", "said"),
    [(99, "verified", "x", "no change 99"), (1, "true", "x", "no status"), (1, "verified", " ", "how")],
)
def test_a_verification_that_says_nothing_is_refused(
    writer: Connection, number: int, status: str, note: str, said: str
) -> None:
    record(writer, [whole()])
    with pytest.raises(UsageError, match=said):
        note_verification(writer, number, status, note)


def test_a_restart_in_the_same_time_is_the_likeliest_cause_of_a_changed_setting(writer: Connection) -> None:
    def running(started: int, work_mem: str, *more: Any) -> NodeState:
        server = Instance(instance=INSTANCE, server_role="primary", started_at=at(started))
        return state(
            identified(),
            collected("postgresql.instance", instances=(server,)),
            settings_of(setting("work_mem", work_mem)),
            *more,
        )

    record(
        writer,
        [running(1, "1", collected("packages", software=(Software(software_name="nginx", software_version="1"),)))],
    )
    record(
        writer,
        [running(2, "2", collected("packages", software=(Software(software_name="nginx", software_version="2"),)))],
    )
    told = why(writer, "ALPHA", "work_mem")
    assert [e.kind for e in told.changes[0].evidence] == ["restart", "upgrade"]
    assert told.changes[0].evidence[0].changes[0].section == "instances"


def test_the_same_change_on_another_node_is_told(writer: Connection) -> None:
    def both(value: str) -> list[NodeState]:
        one = state(settings_of(setting("work_mem", value)))
        return [one, replace(one, node_name="BETA")]

    record(writer, both("1"))
    record(writer, both("2"))
    evidence = why(writer, "ALPHA", "work_mem").changes[0].evidence
    assert [(e.kind, [c.node_name for c in e.changes]) for e in evidence] == [("elsewhere", ["BETA"])]


def test_what_never_changed_is_known_since_its_first_record(writer: Connection) -> None:
    record(writer, [settings(("work_mem", "1"))])
    told = why(writer, "ALPHA", "work_mem")
    assert told.changes == ()
    assert told.known_since is not None


@pytest.mark.parametrize(
    ("node", "thing", "said"), [("ALPHA", "work_mm", "Nothing named"), ("GAMMA", "work_mem", "No node named GAMMA")]
)
def test_why_of_what_is_not_there_names_what_is(writer: Connection, node: str, thing: str, said: str) -> None:
    record(writer, [settings(("work_mem", "1"))])
    with pytest.raises(NotFound, match=said):
        why(writer, node, thing)
