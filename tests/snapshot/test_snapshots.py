"""A snapshot holds the whole state and nothing that moves, and cannot claim more than its checks showed."""

import copy
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aya.audit.guards import broken
from aya.audit.live import examine
from aya.audit.verify import Report
from aya.db.connection import Connection, rows
from aya.db.database import Database
from aya.errors import NotFound, UsageError
from aya.model import CheckOutcome, CheckResult, Facts, Measurement, Outcome, Service
from aya.record.recorder import record
from aya.snapshot import snapshots
from aya.snapshot.canonical import canonical, digest
from aya.snapshot.diff import diff
from aya.snapshot.document import read_document
from aya.verify.runner import store
from tests.conftest import empty
from tests.record.states import collected, identified, setting, settings_of, state, whole


def take(connection: Connection, name: str) -> snapshots.Snapshot:
    return snapshots.create(connection, name, created_by="tester")


def test_the_hash_is_that_of_exactly_the_stored_bytes(writer: Connection) -> None:
    record(writer, [whole()])
    snapshot = take(writer, "one")
    stored = rows(writer, "SELECT state_canonical, state_json FROM system_state_snapshots")[0]
    data = stored["state_canonical"]
    assert json.loads(data) == stored["state_json"] == snapshots.read(writer, "one")
    assert snapshot.state_hash == sha256(data).hexdigest()
    assert json.loads(data)["nodes"]["ALPHA"]["settings"]["7301234567890123456:5432 | fsync"]["setting_value"] == "on"
    assert snapshots.verify(writer, "one").intact


def test_two_snapshots_of_an_unchanged_machine_have_equal_hashes(writer: Connection) -> None:
    record(writer, [whole()])
    first = take(writer, "one")
    moved = state(
        *whole().collected[:-1],
        replace(collected("storage"), facts=Facts(observed={"filesystems": {"/": 4}}, measurements=(
            Measurement(category="storage", name="free", value=whole().collected[-1].facts.measurements[0].value, unit="bytes"),
        ))),
    )  # fmt: skip
    record(writer, [moved])
    assert take(writer, "two").state_hash == first.state_hash


def test_a_process_id_and_an_uptime_are_not_state_but_a_start_is(writer: Connection) -> None:
    def service(pid: int, started: datetime) -> Service:
        return Service(service_name="sshd", process_id=pid, uptime_seconds=pid, started_at=started)

    begun, again = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    record(writer, [state(identified(), collected(services=(service(1, begun),)))])
    first = take(writer, "one")
    record(writer, [state(identified(), collected(services=(service(2, begun),)))])
    assert take(writer, "two").state_hash == first.state_hash
    record(writer, [state(identified(), collected(services=(service(3, again),)))])
    assert take(writer, "three").state_hash != first.state_hash


def test_a_vanished_fact_is_not_in_the_state(writer: Connection) -> None:
    record(writer, [state(identified(), settings_of(setting("a"), setting("b")))])
    before = read_document(writer)
    record(writer, [state(identified(), settings_of(setting("a")))])
    (gone,) = diff(before, read_document(writer))
    assert (gone.change, gone.key) == ("removed", "7301234567890123456:5432 | b")


def test_a_name_is_taken_once(writer: Connection) -> None:
    take(writer, "one")
    with pytest.raises(UsageError, match="already"):
        take(writer, "one")
    with pytest.raises(UsageError, match="name"):
        take(writer, " ")


def test_an_unknown_snapshot_is_told_with_those_that_exist(writer: Connection) -> None:
    take(writer, "one")
    with pytest.raises(NotFound, match="no snapshot named two") as error:
        snapshots.verify(writer, "two")
    assert "one" in error.value.remedy


PASS, FAIL, SKIPPED = CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.SKIPPED


def checked(
    connection: Connection, *outcomes: CheckOutcome, node: str = "ALPHA", state_hash: str | None = None
) -> None:
    """Let checks have ended so on the present state of a node, or on another."""
    now = snapshots.read_state(connection)
    results = [
        CheckResult(check="c", node_name=node, target=str(n), outcome=o, started_at=datetime.now(UTC), duration_ms=1)
        for n, o in enumerate(outcomes)
    ]
    number = rows(connection, "SELECT id FROM system_nodes WHERE node_name = %(node)s", {"node": node})[0]["id"]
    store(
        connection,
        number,
        [(result, "0" * 64) for result in results],
        state_hash=state_hash or digest(canonical(now.document["nodes"][node])),
        change_number=now.change_number,
    )


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ((PASS, PASS), "verified"),
        ((PASS, SKIPPED), "partial"),
        ((PASS, SKIPPED, FAIL), "failed"),
        ((SKIPPED,), "unverified"),
        ((), "unverified"),
    ],
)
def test_a_snapshot_is_verified_only_if_all_checks_ran_and_passed(
    writer: Connection, outcomes: tuple[CheckOutcome, ...], status: str
) -> None:
    record(writer, [whole()])
    checked(writer, *outcomes)
    snapshot = take(writer, "one")
    assert snapshot.verification_status == status
    assert (snapshot.tests_passed, snapshot.tests_failed, snapshot.tests_skipped) == tuple(
        outcomes.count(outcome) for outcome in (PASS, FAIL, SKIPPED)
    )
    assert snapshots.verify(writer, "one").problems == ()


def test_checks_of_another_state_do_not_vouch(writer: Connection) -> None:
    record(writer, [whole()])
    checked(writer, PASS)
    record(writer, [state(settings_of(setting("fsync", "off")))])
    assert take(writer, "one").verification_status == "unverified"


def test_checks_do_not_vouch_for_a_state_that_came_back(writer: Connection) -> None:
    record(writer, [whole()])
    checked(writer, PASS)
    before = snapshots.read_state(writer).document
    for value in ("off", "on"):
        record(writer, [state(settings_of(setting("work_mem", "65536", setting_unit="kB"), setting("fsync", value)))])
    assert snapshots.read_state(writer).document == before
    assert take(writer, "one").verification_status == "unverified"


def test_every_node_must_have_been_checked_and_what_was_not_is_named(writer: Connection) -> None:
    record(writer, [whole()])
    record(writer, [state(settings_of(setting("a")), name="BETA")])
    checked(writer, PASS)
    (reason,) = take(writer, "one").partial_reasons
    assert (reason["what"], reason["node"]) == ("node", "BETA")
    checked(writer, PASS, node="BETA")
    assert take(writer, "two").verification_status == "verified"


def test_what_collectors_could_not_look_at_makes_it_partial(writer: Connection) -> None:
    record(writer, [state(identified(), replace(collected("disks", Outcome.DENIED), reason="not root"))])
    checked(writer, PASS)
    snapshot = take(writer, "one")
    assert snapshot.verification_status == "partial"
    assert snapshot.partial_reasons == [
        {"what": "collector", "node": "ALPHA", "name": "disks", "target": "", "reason": "denied: not root"}
    ]


def test_only_the_newest_result_of_a_check_counts(writer: Connection) -> None:
    record(writer, [whole()])
    checked(writer, FAIL)
    assert take(writer, "one").verification_status == "failed"
    checked(writer, PASS)
    assert take(writer, "two").verification_status == "verified"
    assert snapshots.get(writer, "one").verification_status == "failed"


def test_results_vouch_for_every_snapshot_of_their_state(writer: Connection) -> None:
    record(writer, [whole()])
    checked(writer, PASS)
    first, second = take(writer, "one"), take(writer, "two")
    assert first.verification_status == second.verification_status == "verified"
    assert first.checks_hash == second.checks_hash


def test_results_stay_when_their_node_goes_or_is_renamed(writer: Connection) -> None:
    record(writer, [whole()])
    checked(writer, PASS)
    take(writer, "one")
    writer.execute("UPDATE system_nodes SET node_name = 'GAMMA'")
    assert snapshots.verify(writer, "one").problems == ()
    writer.execute("DELETE FROM system_nodes")
    assert snapshots.verify(writer, "one").problems == ()


def test_a_snapshot_is_logged_so_that_a_seal_commits_to_it(writer: Connection) -> None:
    record(writer, [whole()])
    snapshot = take(writer, "one")
    change = rows(writer, "SELECT * FROM change_log WHERE id = %(id)s", {"id": snapshot.logged_change})[0]
    assert (change["action"], change["change_type"], change["fact"]) == ("note", "system", "one")
    assert change["new_value"]["state_hash"] == snapshot.state_hash
    assert change["new_value"]["checks_hash"] == snapshot.checks_hash
    assert change["new_value"]["change_number"] == snapshot.change_number == snapshot.logged_change - 1


# By hand --------------------------------------------------------------------------------------------------------------

INSERT = "INSERT INTO system_state_snapshots (snapshot_name, state_json) VALUES (%s, %s)"
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4), inner, max_size=3
        )
    ),
    max_leaves=8,
)
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)
state_documents = st.builds(
    lambda nodes, more: {**more, "kind": "aya.state", "schema_version": 1, "nodes": nodes},
    st.dictionaries(
        names, st.dictionaries(names, st.dictionaries(names, json_values, max_size=3), max_size=3), max_size=3
    ),
    st.dictionaries(st.sampled_from(["a", "z", "nodes"]), json_values, max_size=1),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(json_values | state_documents, min_size=1, max_size=4))
def test_any_document_comes_back_as_it_was_whatever_came_after_it(admin: Connection, documents: list[Any]) -> None:
    empty(admin)
    for number, document in enumerate(documents):
        admin.execute(INSERT, (f"s{number}", json.dumps(document)))
    for number, document in enumerate(documents):
        found = rows(
            admin,
            "SELECT state_json, state_canonical, state_hash FROM system_state_snapshots WHERE snapshot_name = %(name)s",
            {"name": f"s{number}"},
        )[0]
        assert found["state_json"] == document
        assert found["state_canonical"] == canonical(document)
        assert found["state_hash"] == digest(canonical(document))
        problems = snapshots.verify(admin, f"s{number}").problems
        assert problems == (), problems


@pytest.mark.parametrize(
    ("columns", "values", "said"),
    [
        ("verification_status", "'verified'", "make it unverified"),
        ("tests_passed", "5", "make it unverified, with 0 passed"),
        ("state_hash", "repeat('0', 64)", "the hash of the document is"),
        ("state_canonical", "'{ }'", "not RFC 8785 canonical JSON"),
        ("state_canonical", "'[]'", "two documents"),
        ("id", "0", "cannot come before"),
    ],
)
def test_the_database_refuses_what_does_not_fit(admin: Connection, columns: str, values: str, said: str) -> None:
    admin.execute(INSERT, ("first", "{}"))
    with pytest.raises(psycopg.errors.CheckViolation, match=said):
        admin.execute(
            f"INSERT INTO system_state_snapshots (snapshot_name, state_json, {columns}) VALUES ('x', '{{}}', {values})"
        )


@pytest.mark.parametrize("nodes", ["[]", '{"ALPHA": 1}', '{"ALPHA": {"settings": []}}', "null"])
def test_a_state_document_of_another_form_is_refused(admin: Connection, nodes: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=r"of the kind aya\.state, but"):
        admin.execute(INSERT, ("x", f'{{"kind": "aya.state", "nodes": {nodes}}}'))


def test_a_number_that_cannot_be_hashed_is_refused(admin: Connection) -> None:
    with pytest.raises(psycopg.errors.NumericValueOutOfRange, match="9007199254740993 exactly"):
        admin.execute(INSERT, ("x", "[9007199254740993]"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE system_state_snapshots SET description = 'x'",
        "DELETE FROM system_state_snapshots",
        "UPDATE aya.system_state_snapshots SET verification_status = 'partial'",
        "DELETE FROM aya.snapshot_facts",
        "TRUNCATE aya.snapshot_checks",
        "INSERT INTO aya.snapshot_fact_ends SELECT id, 1 FROM aya.snapshot_facts",
    ],
)
def test_snapshots_are_neither_changed_nor_removed(writer: Connection, admin: Connection, statement: str) -> None:
    record(writer, [whole()])
    take(writer, "one")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="neither changed nor removed"):
        admin.execute(statement)  # type: ignore[arg-type]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute(statement)  # type: ignore[arg-type]


def test_even_the_owner_cannot_store_a_snapshot_as_verified_without_checks_of_its_state(
    writer: Connection, admin: Connection
) -> None:
    record(writer, [whole()])
    checked(writer, PASS)
    take(writer, "one")
    forged = (
        "INSERT INTO aya.system_state_snapshots SELECT (jsonb_populate_record(s, "
        """'{"id": 99, "snapshot_name": "forged"}')).* FROM aya.system_state_snapshots s"""
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="forged cannot be verified"), admin.transaction():
        admin.execute("SET LOCAL ROLE aya_owner")
        admin.execute(forged)  # type: ignore[arg-type]


# Tampering ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        (
            "UPDATE aya.snapshot_facts SET body = '\"off\"' WHERE section = 'node' AND key = 'status'",
            "the hash of its state",
        ),
        ("DELETE FROM aya.snapshot_facts WHERE key LIKE '%fsync'", "the hash of its state"),
        ("UPDATE aya.snapshot_facts SET key = key || 'x' WHERE section = 'services'", "the hash of its state"),
        ("INSERT INTO aya.snapshot_fact_ends SELECT min(id), 1 FROM aya.snapshot_facts", "the hash of its state"),
        ("UPDATE aya.snapshot_nodes SET state_hash = repeat('0', 64)", "the hash of its list of nodes"),
        ("UPDATE aya.system_state_snapshots SET state_hash = repeat('0', 64)", "as it says"),
        ("UPDATE aya.system_state_snapshots SET envelope = '{'", "cannot be put together"),
        ("UPDATE aya.system_state_snapshots SET tests_passed = 5", "1 of its results are pass, not 5"),
        ("UPDATE aya.system_state_snapshots SET created_by = 'nobody'", "created_by differ"),
        ("UPDATE aya.system_state_snapshots SET logged_change = 1", "is gone or is about something else"),
        ("DELETE FROM aya.snapshot_checks", "the hash of its list of results"),
        ("UPDATE check_results SET outcome = 'skipped'", "the hash of its list of results"),
        ("UPDATE check_results SET state_hash = repeat('0', 64)", "its results make it partial"),
    ],
)
def test_a_snapshot_that_was_tampered_with_is_not_intact(
    writer: Connection, admin: Connection, tampering: str, said: str
) -> None:
    record(writer, [whole()])
    checked(writer, PASS)
    take(writer, "one")
    # The superuser can put the guards aside; the evidence stays.
    with admin.transaction(force_rollback=True):
        for row in rows(
            admin, "SELECT DISTINCT tgrelid::regclass::text AS name FROM pg_trigger WHERE NOT tgisinternal"
        ):
            if row["name"].startswith("aya.snapshot") or row["name"] == "aya.system_state_snapshots":
                admin.execute(f"ALTER TABLE {row['name']} DISABLE TRIGGER ALL")  # type: ignore[arg-type]
        admin.execute(tampering)  # type: ignore[arg-type]
        guards = "\n".join(guard.said for guard in broken(admin))
        assert "trigger append_only of aya.snapshot_facts is switched off" in guards
        assert "trigger status_is_proven of aya.system_state_snapshots is switched off" in guards
        assert said in "\n".join(snapshots.verify(admin, "one").problems)


def test_the_log_is_compared_with_the_snapshots(writer: Connection, admin: Connection) -> None:
    record(writer, [whole()])
    take(writer, "one")
    with admin.transaction(force_rollback=True):
        admin.execute("ALTER TABLE aya.system_state_snapshots DISABLE TRIGGER ALL")
        admin.execute("UPDATE aya.system_state_snapshots SET description = 'something else'")
        report = Report()
        examine(admin, report)
    assert "snapshot one: change" in str(report.problems)


# Sharing --------------------------------------------------------------------------------------------------------------


def stored(connection: Connection) -> dict[str, int]:
    tables = ("nodes", "node_ends", "facts", "fact_ends")
    return {t: rows(connection, f"SELECT count(*) AS n FROM aya.snapshot_{t}")[0]["n"] for t in tables}


def test_what_did_not_change_is_stored_once(writer: Connection) -> None:
    record(writer, [whole()])
    take(writer, "one")
    first = stored(writer)
    take(writer, "two")
    assert stored(writer) == first
    record(writer, [state(settings_of(setting("work_mem", "1", setting_unit="kB"), setting("fsync", "on")))])
    take(writer, "three")
    assert stored(writer) == {
        "nodes": first["nodes"] + 1, "node_ends": 1, "facts": first["facts"] + 1, "fact_ends": 1,
    }  # fmt: skip


def test_every_snapshot_gives_back_its_own_state(writer: Connection) -> None:
    documents = {}
    for number in range(5):
        record(writer, [state(settings_of(*(setting(f"s{n}", str(number // (n + 1))) for n in range(6 - number))))])
        if number % 2:
            record(
                writer,
                [
                    state(
                        settings_of(setting("b", str(number))),
                        name=f"BETA{number}",
                    )
                ],
            )
        documents[f"s{number}"] = copy.deepcopy(snapshots.read_state(writer).document)
        take(writer, f"s{number}")
    writer.execute("DELETE FROM system_nodes")
    take(writer, "none")
    for name, document in documents.items():
        assert snapshots.read(writer, name) == document
        assert snapshots.get(writer, name).nodes == sorted(document["nodes"])
    assert snapshots.read(writer, "none")["nodes"] == {}


def test_snapshots_taken_at_once_come_one_after_the_other(writer: Connection, database: Database) -> None:
    record(writer, [whole()])

    def taking(name: str) -> Callable[[], None]:
        def run() -> None:
            with database.connect() as connection:
                record(connection, [state(settings_of(setting(name)), name=name)])
                take(connection, name)

        return run

    threads = [threading.Thread(target=taking(f"t{n}")) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(snapshots.listing(writer)) == 6
    assert all(snapshots.verify(writer, f"t{n}").intact for n in range(6))
