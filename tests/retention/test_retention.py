"""What is let go, what never is, and that the log stays provably whole and the past right, or is refused."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aya.audit.note import SigningKey, kept_keys
from aya.audit.verify import Pruning
from aya.db.connection import Connection, rows, translated
from aya.errors import AuditError, NotFound, Pruned, UsageError
from aya.history.moment import as_of, moment
from aya.history.why import why
from aya.operations import audit
from aya.operations.context import Context
from aya.operations.retention import apply_retention, kinds, retention_as_set, show_retention
from aya.operations.show import show
from aya.operations.snapshots import diff_states
from aya.record.recorder import record
from aya.settings import FOREVER, Settings
from aya.snapshot.document import read_document
from tests.audit.test_seals import aside, aya, grow, log, said
from tests.conftest import empty
from tests.history.test_past import change_number, past, present
from tests.record.states import identified, setting, settings_of, state, whole

__all__ = ["aya"]


def older(admin: Connection, age: str = "10 days", upto: int = 2**62) -> None:
    """Let what was logged so far be of the past. Before sealing: the time of a change is sealed with it."""
    aside(admin, f"UPDATE change_log SET created_at = created_at - interval '{age}' WHERE id <= {upto}")


@pytest.fixture
def pruned(aya: Context, writer: Connection, admin: Connection) -> Context:
    """A log of settings that changed five times, from which the changes between were pruned."""
    record(writer, [whole()])
    for number in range(5):
        grow(writer, str(number))
    older(admin)
    done = apply_retention(aya, keep="1 day")
    assert [share.rows for share in done.shares if share.kind == "changes"] == [6], (
        "of the four changes of two settings, but the last of each"
    )
    return aya


def numbers(connection: Connection) -> set[int]:
    return {row["id"] for row in rows(connection, "SELECT id FROM change_log")}


def test_without_apply_nothing_goes(aya: Context, writer: Connection, admin: Connection) -> None:
    record(writer, [whole()])
    for number in range(5):
        grow(writer, str(number))
    older(admin)
    audit.seal(aya)
    before = numbers(writer)
    shown = show_retention(aya, keep="1 day")
    assert not shown.applied
    (share,) = (share for share in shown.shares if share.kind == "changes")
    assert share.rows == 6
    assert share.bytes > 0
    assert share.oldest is not None
    assert share.newest is not None
    assert share.oldest <= share.newest < datetime.now(UTC) - timedelta(days=9)
    assert numbers(writer) == before


def test_after_pruning_the_log_is_whole_and_says_how_much_went(pruned: Context) -> None:
    report = audit.verify_log(pruned)
    assert report.whole, said(report)
    assert report.pruned == 6
    assert report.unsealed == 0, "that something was pruned is itself logged and sealed"


def test_a_pruned_log_is_exported_and_verified_without_the_database(pruned: Context, tmp_path: Path) -> None:
    for name in ("log", "log.gz"):
        audit.export(pruned, tmp_path / name)
        report = audit.verify_file(pruned, tmp_path / name)
        assert report.whole, said(report)
        assert report.pruned == 6


def test_what_is_left_is_proved_and_what_went_is_said_to_be_pruned(
    pruned: Context, writer: Connection, tmp_path: Path
) -> None:
    proof = audit.prove(pruned, min(numbers(writer)))
    (tmp_path / "proof").write_text(json.dumps(proof.document()))
    assert audit.verify_file(pruned, tmp_path / "proof").whole
    gone = set(range(1, max(numbers(writer)))) - numbers(writer)
    with pytest.raises(Pruned, match="was pruned"):
        audit.prove(pruned, min(gone))


def test_a_row_deleted_by_hand_after_a_pruning_is_found(pruned: Context, writer: Connection, admin: Connection) -> None:
    left = sorted(numbers(writer))
    aside(admin, f"DELETE FROM change_log WHERE id = {left[3]}")
    report = audit.verify_log(pruned)
    assert f"change {left[3]} is missing" in said(report)


@pytest.mark.parametrize("forged", ["unsigned", "other key", "widened", "moved in time", "removed"])
def test_a_forged_pruning_is_found(pruned: Context, writer: Connection, admin: Connection, forged: str) -> None:
    left = sorted(numbers(writer))
    match forged:
        case "unsigned" | "other key":
            one = Pruning(f"{{[{left[3]},{left[3] + 1})}}", datetime.now(UTC), datetime.now(UTC), "")
            (key,) = kept_keys(pruned.secrets_folder, audit.list_keys(pruned)[0]["verifier_key"].split("+")[0])
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

            other = SigningKey(key.name, Ed25519PrivateKey.generate())
            note = one.statement(key.name) if forged == "unsigned" else other.sign(one.statement(key.name))
            admin.execute(
                "INSERT INTO aya.prunings (changes, complete_since, pruned_at, note) VALUES (%s, %s, %s, %s)",
                (one.changes, one.complete_since, one.pruned_at, note),
            )
            aside(admin, f"DELETE FROM change_log WHERE id = {left[3]}")
        case "widened":
            aside(
                admin,
                f"UPDATE aya.prunings SET changes = changes + '{{[{left[3]},{left[3] + 1})}}'::int8multirange",
                "aya.prunings",
            )
            aside(admin, f"DELETE FROM change_log WHERE id = {left[3]}")
        case "moved in time":
            aside(admin, "UPDATE aya.prunings SET complete_since = complete_since - interval '1 hour'", "aya.prunings")
        case _:
            aside(admin, "DELETE FROM aya.prunings", "aya.prunings")
    report = audit.verify_log(pruned)
    assert not report.whole
    assert ("pruning" if forged != "removed" else "is missing") in said(report)


def test_a_past_before_what_was_pruned_is_refused_and_says_from_when_on_it_is_known(
    pruned: Context, writer: Connection
) -> None:
    last = rows(writer, "SELECT max(upper(changes)) - 1 AS last, max(complete_since) AS since FROM aya.prunings")[0]
    for then in (f"#{last['last'] - 1}", "#0", "20 days ago"):
        for attempt in (
            lambda then=then: show(pruned, "settings", as_of=then),
            lambda then=then: show(pruned, "system", as_of=then),
            lambda then=then: diff_states(pruned, then),
            lambda then=then: diff_states(pruned, "now", f"ALPHA@{then}"),
        ):
            with pytest.raises(Pruned, match="no longer known") as refused:
                attempt()
            assert f"#{last['last']}" in refused.value.remedy
    exact = [
        row["setting_value"]
        for row in show(pruned, "settings", as_of=f"#{last['last']}")
        if row["setting_name"] in "ab"
    ]
    assert exact
    assert [r for r in show(pruned, "settings", as_of=last["since"].isoformat()) if r["setting_name"] in "ab"]


def test_why_says_that_earlier_changes_were_pruned(pruned: Context, writer: Connection) -> None:
    told = why(writer, "ALPHA", "a")
    assert told.complete_since is not None
    assert [one.change.new_value for one in told.changes if one.change.action == "update"] == [{"setting_value": "4"}]


def test_every_writer_but_the_pruning_function_is_refused(
    pruned: Context, writer: Connection, admin: Connection
) -> None:
    unsigned = (
        "INSERT INTO aya.prunings (changes, complete_since, pruned_at, note) VALUES ('{[1,2)}', now(), now(), '')"
    )
    for statement in ("DELETE FROM change_log WHERE id = 1", unsigned):
        with pytest.raises(Exception, match="permission denied"):
            writer.execute(statement)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="append-only"):
        admin.execute("DELETE FROM change_log WHERE id = 1")
    admin.execute("SET ROLE aya_owner")
    with pytest.raises(Exception, match="no pruning names"):
        admin.execute("DELETE FROM change_log WHERE id = 1")
    admin.execute("RESET ROLE")


@pytest.mark.parametrize("what", ["a creation", "a last change", "what is not sealed", "what is not there", "nothing"])
def test_the_pruning_function_refuses_what_must_stay(
    aya: Context, writer: Connection, admin: Connection, what: str
) -> None:
    log(writer, aya)
    if what == "what is not sealed":
        grow(writer, "x")
        grow(writer, "y")
    asked = {
        "a creation": "SELECT min(id) AS id FROM change_log",
        "a last change": "SELECT max(id) AS id FROM change_log WHERE action = 'update'",
        "what is not sealed": "SELECT max(id) - 3 AS id FROM change_log",
        "what is not there": "SELECT max(id) + 5 AS id FROM change_log",
        "nothing": "SELECT NULL::bigint AS id",
    }[what]
    number = rows(writer, asked)[0]["id"]
    changes = "{}" if number is None else f"{{[{number},{number + 1})}}"
    with pytest.raises(Exception, match="may be pruned"):
        writer.execute("SELECT aya.prune_changes(now() + interval '1 day', %s, now(), now(), '')", (changes,))


def test_a_change_that_is_still_talked_about_stays_with_what_is_said_of_it(
    aya: Context, writer: Connection, admin: Connection
) -> None:
    log(writer, aya)
    superseded = rows(writer, "SELECT min(id) AS id FROM change_log WHERE action = 'update' AND fact LIKE '%% a'")[0][
        "id"
    ]
    older(admin)
    writer.execute("SELECT aya.note_verification(%s, 'verified', 'seen')", (superseded,))
    for path in audit.checkpoint_folder(aya).glob("*"):
        path.unlink()
    admin.execute("ALTER TABLE aya.seals DISABLE TRIGGER append_only")
    admin.execute("TRUNCATE aya.seals")
    admin.execute("ALTER TABLE aya.seals ENABLE ALWAYS TRIGGER append_only")
    apply_retention(aya, keep="1 day")
    assert superseded in numbers(writer)
    apply_retention(aya, keep="0s")
    assert superseded not in numbers(writer)
    assert rows(writer, "SELECT FROM change_log WHERE record_id = %(id)s AND action = 'note'", {"id": superseded}) == []
    assert audit.verify_log(aya).whole


def test_a_lost_key_lets_nothing_go(aya: Context, writer: Connection, admin: Connection) -> None:
    log(writer, aya)
    before = numbers(writer)
    for path in aya.secrets_folder.glob("audit-*"):
        path.unlink()
    with pytest.raises(AuditError):
        apply_retention(aya, keep="0s")
    assert numbers(writer) == before


def test_of_observations_the_newest_stay(aya: Context, writer: Connection, admin: Connection) -> None:
    for _ in range(3):
        record(writer, [whole()])
    node = rows(writer, "SELECT id FROM system_nodes")[0]["id"]
    insert = (
        "INSERT INTO check_results (node_id, check_name, target, outcome, started_at, duration_ms) "
        "VALUES (%s, 'clock', %s, 'pass', now(), 1)"
    )
    for target in ("a", "a", "b"):
        writer.execute(insert, (node, target))
    # A look that was refused: the one before it is the last that saw everything.
    run = rows(writer, "SELECT max(id) AS id FROM collection_runs")[0]["id"]
    admin.execute(
        "UPDATE collection_outcomes SET outcome = 'denied' WHERE run_id = %s AND collector = 'services'", (run,)
    )
    done = apply_retention(aya, keep="0s", only=["runs", "checks", "measurements"])
    assert {share.table_name: share.rows for share in done.shares} == {
        "collection_runs": 1, "collection_outcomes": 7, "check_results": 1, "performance_metrics": 2,
    }  # fmt: skip
    left = rows(writer, "SELECT run_id FROM collection_outcomes WHERE collector = 'services' ORDER BY 1")
    assert [row["run_id"] for row in left] == [run - 1, run]
    told = rows(
        writer, "SELECT table_affected, new_value ->> 'rows' AS n FROM change_log WHERE fact = 'retention' ORDER BY id"
    )
    assert {row["table_affected"]: row["n"] for row in told} == {
        "collection_runs": "1", "check_results": "1", "performance_metrics": "2"
    }  # fmt: skip


def test_what_a_snapshot_rests_on_stays(aya: Context, writer: Connection) -> None:
    record(writer, [whole()])
    writer.execute(
        "INSERT INTO system_state_snapshots (snapshot_name, state_json) VALUES ('s', '{}');"
        "INSERT INTO check_results (node_id, check_name, outcome, started_at, duration_ms, snapshot_id) "
        "SELECT n.id, 'clock', 'pass', now(), 1, s.id FROM system_nodes n, system_state_snapshots s, generate_series(1, 3)"
    )
    assert apply_retention(aya, keep="0s", only=["checks"]).rows == 0


def test_nothing_is_let_go_by_itself_unless_somebody_said_how_long_to_keep(
    aya: Context, writer: Connection, admin: Connection
) -> None:
    for _ in range(3):
        record(writer, [whole()])
    assert retention_as_set(aya) is None
    admin.execute("UPDATE performance_metrics SET measured_at = now() - interval '40 days'")
    told = Context(
        Settings(home=aya.settings.home, node="TESTED", keep_measurements_days=30, keep_changes_days=FOREVER)
    )
    done = retention_as_set(told)
    assert done is not None
    assert {share.table_name: share.rows for share in done.shares} == {"change_log": 0, "performance_metrics": 2}


@pytest.mark.parametrize("keep", ["", "soon", "-1 day", "1 fortnight", "1"])
def test_what_is_no_duration_is_refused(aya: Context, keep: str) -> None:
    with pytest.raises(UsageError, match="is no duration"):
        show_retention(aya, keep=keep)


def test_an_unknown_kind_is_refused_and_those_that_exist_are_named(aya: Context) -> None:
    with pytest.raises(NotFound) as refused:
        show_retention(aya, only=["everything"])
    assert all(kind in refused.value.remedy for kind in kinds())


values = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["1", "2", "ü", None]), max_size=4)
by_hand = st.sampled_from(
    [
        "UPDATE postgresql_configuration SET setting_unit = 'kB', setting_value = 'hand' WHERE setting_name = 'a'",
        "DELETE FROM postgresql_configuration WHERE setting_name = 'b'",
        'UPDATE system_nodes SET metadata = \'{"dns": null, "cpu": {"x": 1}}\'',
        "UPDATE system_nodes SET serial_number = 'S' || id || coalesce(serial_number, '')",
        "DELETE FROM system_nodes",
        "SELECT aya.note_verification(max(id), 'verified', 'seen') FROM change_log WHERE action = 'update'",
    ]
)
EVERY_THING = """
    SELECT count(*) AS n FROM (
        SELECT id FROM postgresql_configuration
        EXCEPT SELECT record_id FROM change_log WHERE table_affected = 'postgresql_configuration' AND action = 'insert'
        EXCEPT SELECT generate_series(lower(r), upper(r) - 1) FROM change_log, unnest(records) AS r
        WHERE table_affected = 'postgresql_configuration'
    ) unborn
"""


@given(st.lists(values | by_hand, min_size=3, max_size=12), st.data())
@hypothesis_settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_changed_and_whenever_it_is_pruned_nothing_that_counts_is_lost(
    aya: Context, writer: Connection, admin: Connection, steps: list[dict[str, str | None] | str], data: Any
) -> None:
    empty(admin)
    for path in audit.checkpoint_folder(aya).glob("*"):
        path.unlink()
    remembered = {0: present(admin)}
    for step in steps:
        if isinstance(step, str):
            admin.execute(step)  # type: ignore[arg-type]
        else:
            record(writer, [state(identified(), settings_of(*(setting(name, value) for name, value in step.items())))])
        remembered[change_number(admin)] = present(admin)
    cut = data.draw(st.sampled_from(sorted(remembered)))
    older(admin, upto=cut)
    audit.seal(aya)
    last_changes = _last_changes(admin)
    now, document = present(admin), read_document(writer)
    went = apply_retention(aya, keep="1 day", only=["changes"]).rows
    report = audit.verify_log(aya)
    assert report.whole, said(report)
    assert report.pruned == went
    assert present(admin) == now
    assert read_document(writer) == document
    assert rows(admin, EVERY_THING) == [{"n": 0}]
    assert _last_changes(admin) == last_changes
    complete_from = rows(admin, "SELECT coalesce(max(upper(changes)) - 1, 0) AS n FROM aya.prunings")[0]["n"]
    assert complete_from <= cut
    for change, state_then in remembered.items():
        if change >= complete_from:
            assert past(admin, change) == state_then
        else:
            with pytest.raises(Pruned), translated(doing="looking back"):
                past(admin, change)
    with as_of(writer, moment(f"#{max(remembered)}")):
        assert read_document(writer) == document


def _last_changes(connection: Connection) -> list[dict[str, Any]]:
    """The last change of each column of each row, and of each row."""
    return rows(
        connection,
        "SELECT DISTINCT ON (table_affected, record_id, key) table_affected, record_id, key, id "
        "FROM change_log l CROSS JOIN LATERAL jsonb_object_keys(CASE action WHEN 'delete' THEN '{}' ELSE "
        "coalesce(old_value, '{}') || coalesce(new_value, '{}') END || '{\"\": 0}') AS k (key) "
        "WHERE record_id IS NOT NULL AND action IN ('insert', 'update', 'delete') "
        "AND NOT EXISTS (SELECT FROM change_log e WHERE e.action = 'delete' AND e.record_id = l.record_id "
        "AND e.table_affected = l.table_affected AND e.id > l.id) "
        "ORDER BY table_affected, record_id, key, id DESC",
    )
