"""A snapshot holds the whole state and nothing that moves, and cannot claim more than its checks showed."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import psycopg
import pytest

from aya.db.connection import Connection, rows
from aya.errors import NotFound, UsageError
from aya.model import CheckOutcome, CheckResult, Facts, Measurement, Service
from aya.record.recorder import record
from aya.snapshot import snapshots
from aya.snapshot.diff import diff
from aya.snapshot.document import read_document
from aya.verify.runner import store
from tests.record.states import collected, identified, setting, settings_of, state, whole


def take(connection: Connection, name: str) -> snapshots.Snapshot:
    return snapshots.create(connection, name, created_by="tester")


def test_the_hash_is_that_of_exactly_the_stored_bytes(writer: Connection) -> None:
    record(writer, [whole()])
    snapshot = take(writer, "one")
    data = rows(writer, "SELECT state_canonical FROM system_state_snapshots")[0]["state_canonical"]
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


def results(*outcomes: CheckOutcome) -> list[tuple[CheckResult, str]]:
    return [
        (
            CheckResult(
                check="c",
                node_name="ALPHA",
                target=str(number),
                outcome=outcome,
                started_at=datetime.now(UTC),
                duration_ms=1,
            ),
            "0" * 64,
        )
        for number, outcome in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ((CheckOutcome.PASS, CheckOutcome.PASS), "verified"),
        ((CheckOutcome.PASS, CheckOutcome.SKIPPED), "partial"),
        ((CheckOutcome.PASS, CheckOutcome.SKIPPED, CheckOutcome.FAIL), "failed"),
        ((CheckOutcome.SKIPPED,), "unverified"),
        ((), "unverified"),
    ],
)
def test_a_snapshot_is_verified_only_if_all_checks_ran_and_passed(
    writer: Connection, outcomes: tuple[CheckOutcome, ...], status: str
) -> None:
    node = record(writer, [whole()])[0].node_id
    showed = results(*outcomes)
    ids = store(writer, node, showed)
    snapshot = snapshots.create(writer, "one", created_by="t", results=[r for r, _ in showed], result_ids=ids)
    assert snapshot.verification_status == status
    assert snapshots.verify(writer, "one").intact


def test_the_database_refuses_a_verified_snapshot_without_passed_checks(admin: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        admin.execute(
            "INSERT INTO system_state_snapshots "
            "(snapshot_name, verification_status, tests_passed, tests_failed, tests_skipped, state_json) "
            "VALUES ('x', 'verified', 0, 0, 0, '{}')"
        )


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE system_state_snapshots SET state_json = jsonb_set(state_json, '{schema_version}', '2')",
        "UPDATE system_state_snapshots SET state_canonical = set_byte(state_canonical, 30, get_byte(state_canonical, 30) # 1)",
        "UPDATE system_state_snapshots SET state_hash = repeat('0', 64)",
        "UPDATE system_state_snapshots SET tests_passed = 5",
        "DELETE FROM check_results",
    ],
)
def test_a_snapshot_that_was_tampered_with_is_not_intact(writer: Connection, admin: Connection, tampering: str) -> None:
    node = record(writer, [whole()])[0].node_id
    showed = results(CheckOutcome.PASS)
    snapshots.create(
        writer, "one", created_by="t", results=[r for r, _ in showed], result_ids=store(writer, node, showed)
    )
    writer.commit()
    # The superuser can put the constraints aside; the evidence stays.
    constraints = rows(
        admin, "SELECT conname FROM pg_constraint WHERE conrelid = 'system_state_snapshots'::regclass AND contype = 'c'"
    )
    with admin.transaction(force_rollback=True):
        for constraint in constraints:
            admin.execute(f'ALTER TABLE system_state_snapshots DROP CONSTRAINT "{constraint["conname"]}"')
        admin.execute(tampering)
        assert not snapshots.verify(admin, "one").intact
