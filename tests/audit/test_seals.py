"""Seals: what they cover, what verifying finds, and what it needs for that."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aya.audit import seal as sealing
from aya.audit.checkpoint import Checkpoint
from aya.audit.note import SigningKey, VerifierKey, make_key, opened
from aya.audit.verify import Numbers, Report
from aya.db.connection import Connection, rows
from aya.db.database import Database, Login
from aya.db.queries import query
from aya.errors import AuditError, NotFound
from aya.operations import audit
from aya.operations.context import Context
from aya.record.recorder import record
from soak.tampering import tamper
from tests.record.states import setting, settings_of, state, whole


@pytest.fixture
def aya(context: Context, database: Database) -> Iterator[Context]:
    """An AYA with an empty database, no keys and no checkpoints."""
    yield context
    for folder, pattern in ((context.secrets_folder, "audit-*"), (audit.checkpoint_folder(context), "*")):
        for path in folder.glob(pattern):
            path.unlink()


def grow(writer: Connection, value: str) -> None:
    record(writer, [state(settings_of(setting("a", value), setting("b", value)))])


def log(writer: Connection, context: Context, seals: int = 4) -> None:
    record(writer, [whole()])
    for number in range(seals):
        grow(writer, str(number))
        audit.seal(context)


def said(report: Report) -> str:
    return "\n".join(problem.said for problem in report.problems)


def aside(admin: Connection, statement: str, table: str = "change_log") -> None:
    """Do something to the log by hand, as the superuser can."""
    admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")  # type: ignore[arg-type]
    admin.execute(statement)  # type: ignore[arg-type]
    admin.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")  # type: ignore[arg-type]


def test_an_untouched_log_is_whole(aya: Context, writer: Connection) -> None:
    log(writer, aya)
    report = audit.verify_log(aya)
    assert report.whole, said(report)
    assert (report.seals, report.checkpoints, report.unsealed, report.remarks) == (4, 4, 0, [])
    assert report.changes == rows(writer, "SELECT count(*) AS n FROM change_log")[0]["n"]


def test_every_column_of_the_log_is_hashed(writer: Connection) -> None:
    record(writer, [whole()])
    line = rows(writer, "SELECT min(id) AS first, max(id) AS last FROM change_log")[0]
    read = rows(writer, query("read_leaves"), {**line, "changes": "{[0,99)}"})
    columns = rows(
        writer,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'change_log'::regclass AND attnum > 0 AND NOT attisdropped",
    )
    assert json.loads(read[0]["line"]).keys() == {row["attname"] for row in columns}


def test_sealing_again_without_changes_makes_no_seal(aya: Context, writer: Connection) -> None:
    log(writer, aya, seals=1)
    again = audit.seal(aya)
    assert (again.seals, again.changes) == (0, 0)


def test_what_runs_is_not_sealed_and_comes_with_a_later_seal(
    aya: Context, writer: Connection, database: Database
) -> None:
    log(writer, aya, seals=1)
    with database.connect() as slow, slow.transaction():
        slow.execute("UPDATE services SET status = 'failed'")
        record(writer, [state(settings_of(setting("a", "new")), name="BETA")])
        assert audit.seal(aya).changes == 0, "a lower number may still be uncommitted"
        assert audit.verify_log(aya).whole
    assert audit.seal(aya).changes > 0
    report = audit.verify_log(aya)
    assert report.whole, said(report)
    assert report.unsealed == 0


def test_writers_are_not_held_up_by_sealing(aya: Context, writer: Connection, database: Database) -> None:
    log(writer, aya, seals=1)
    with database.connect() as sealer, sealer.transaction():
        sealer.execute("SELECT pg_advisory_lock(hashtextextended('aya.seal', 0))")
        finished = threading.Event()

        def write() -> None:
            grow(writer, "while sealing")
            finished.set()

        thread = threading.Thread(target=write)
        thread.start()
        assert finished.wait(30)
        thread.join()
        sealer.execute("SELECT pg_advisory_unlock(hashtextextended('aya.seal', 0))")


def test_a_backlog_is_sealed_in_seals_that_fit_in_memory(
    aya: Context, writer: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "MOST_LEAVES", 3)
    record(writer, [whole()])
    for number in range(5):
        grow(writer, str(number))
    done = audit.seal(aya)
    assert done.seals > 3
    report = audit.verify_log(aya)
    assert report.whole, said(report)
    assert report.changes == done.tree_size == rows(writer, "SELECT count(*) AS n FROM change_log")[0]["n"]


def test_a_changed_row_is_named(aya: Context, writer: Connection, admin: Connection) -> None:
    log(writer, aya)
    aside(admin, "UPDATE change_log SET changed_by = 'nobody' WHERE id = 5")
    report = audit.verify_log(aya)
    assert report.problems[0].change == 5
    assert "change 5 is not what was sealed" in said(report)


def test_a_cut_end_is_found_by_the_checkpoint_that_was_kept(
    aya: Context, writer: Connection, admin: Connection
) -> None:
    log(writer, aya)
    aside(admin, "DELETE FROM aya.seals WHERE seal_number > 2", "aya.seals")
    last = rows(writer, "SELECT max(upper(changes)) AS last FROM aya.seals")[0]["last"]
    aside(admin, f"DELETE FROM change_log WHERE id >= {last}")
    assert "the end of the log was cut" in said(audit.verify_log(aya))


def test_without_any_checkpoint_a_cut_end_is_seen_only_by_what_the_state_tells(
    aya: Context, writer: Connection, admin: Connection
) -> None:
    log(writer, aya)
    aside(admin, "DELETE FROM aya.seals WHERE seal_number > 2", "aya.seals")
    last = rows(writer, "SELECT max(upper(changes)) AS last FROM aya.seals")[0]["last"]
    aside(admin, f"DELETE FROM change_log WHERE id >= {last}")
    for path in audit.checkpoint_folder(aya).iterdir():
        path.unlink()
    found = said(audit.verify_log(aya))
    assert "cut" not in found
    assert "setting_value is" in found


def test_a_log_that_was_replaced_with_its_keys_is_not_trusted(
    aya: Context, writer: Connection, admin: Connection, tmp_path: Path
) -> None:
    log(writer, aya)
    checkpoint = tmp_path / "kept.checkpoint"
    audit.newest_checkpoint(aya, checkpoint)
    for table in ("aya.seals", "aya.audit_keys"):
        aside(admin, f"DELETE FROM {table}", table)
    forger = make_key(tmp_path, "aya/forged")
    sealing.seal(admin, forger)
    found = said(audit.verify_log(aya, checkpoint=checkpoint))
    assert "none of the keys that signed is one that is trusted" in found
    assert "kept.checkpoint is not signed by any key of this log" in found


@pytest.mark.parametrize(
    ("statement", "said_of_it"),
    [
        ("ALTER TABLE services DISABLE TRIGGER log_updated", "trigger log_updated of services is switched off"),
        ("ALTER TABLE services ENABLE TRIGGER log_updated", "trigger log_updated of services is switched off"),
        ("DROP TRIGGER log_inserted ON services", "trigger log_inserted of services is not there"),
        (
            "ALTER FUNCTION aya.log_services() OWNER TO postgres",
            "trigger log_inserted of services runs another function",
        ),
        ("ALTER TABLE change_log DISABLE TRIGGER append_only", "trigger append_only of change_log is switched off"),
    ],
)
def test_a_trigger_that_was_put_aside_is_found(
    aya: Context, writer: Connection, admin: Connection, statement: str, said_of_it: str
) -> None:
    log(writer, aya, seals=1)
    back = rows(
        admin,
        "SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger "
        "WHERE tgname = 'log_inserted' AND tgrelid = 'services'::regclass",
    )
    admin.execute(statement)  # type: ignore[arg-type]
    try:
        assert said_of_it in said(audit.verify_log(aya))
    finally:
        if statement.startswith("DROP"):
            admin.execute(back[0]["definition"])
        admin.execute("ALTER FUNCTION aya.log_services() OWNER TO aya_owner")
        for trigger in ("log_inserted", "log_updated"):
            admin.execute(f"ALTER TABLE services ENABLE ALWAYS TRIGGER {trigger}")  # type: ignore[arg-type]
        admin.execute("ALTER TABLE change_log ENABLE ALWAYS TRIGGER append_only")
    assert audit.verify_log(aya).whole


def unlogged(admin: Connection, statement: str) -> None:
    """Change state while nothing is logged, and leave no trace of that."""
    triggers = ("log_inserted", "log_updated", "log_deleted")
    with admin.transaction():
        for how in ("DISABLE", "ENABLE ALWAYS"):
            for trigger in triggers:
                admin.execute(f"ALTER TABLE postgresql_configuration {how} TRIGGER {trigger}")  # type: ignore[arg-type]
            if how == "DISABLE":
                admin.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statement", "said_of_it"),
    [
        (
            "UPDATE postgresql_configuration SET setting_value = 'x' WHERE setting_name = 'a'",
            "setting_value is x, but by change",
        ),
        ("DELETE FROM postgresql_configuration WHERE setting_name = 'a'", "is gone, but the log knows nothing of that"),
        (
            "INSERT INTO postgresql_configuration (node_id, setting_name) SELECT id, 'z' FROM system_nodes",
            "the log knows nothing of it",
        ),
    ],
)
def test_state_that_changed_while_nothing_was_logged_is_named(
    aya: Context, writer: Connection, admin: Connection, statement: str, said_of_it: str
) -> None:
    log(writer, aya)
    unlogged(admin, statement)
    assert said_of_it in said(audit.verify_log(aya))


def test_an_export_is_verified_without_a_database(aya: Context, writer: Connection, tmp_path: Path) -> None:
    log(writer, aya)
    key = str(audit.list_keys(aya)[0]["verifier_key"])
    for name in ("log.aya", "log.aya.gz"):
        count = audit.export(aya, tmp_path / name)
        report = audit.verify_file(aya, tmp_path / name, keys=(key,))
        assert report.whole, said(report)
        assert report.changes == count
        assert report.remarks == []


@pytest.mark.parametrize("kept", [0.1, 0.3, 0.5, 0.7, 0.9, 0.9999])
def test_an_export_that_was_cut_short_is_not_whole(
    aya: Context, writer: Connection, tmp_path: Path, kept: float
) -> None:
    log(writer, aya)
    for name in ("log.aya", "log.aya.gz"):
        path = tmp_path / name
        audit.export(aya, path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * kept)])
        assert not is_whole(aya, path)


def is_whole(aya: Context, path: Path) -> bool:
    """Whether an export is whole; one that cannot even be read is not."""
    try:
        return audit.verify_file(aya, path).whole
    except AuditError:
        return False


def test_no_line_of_an_export_can_be_edited_removed_or_repeated(
    aya: Context, writer: Connection, tmp_path: Path
) -> None:
    log(writer, aya)
    path = tmp_path / "log.aya"
    audit.export(aya, path)
    lines = path.read_bytes().splitlines(keepends=True)
    for place in range(len(lines)):
        edited = lines[place][:-3] + bytes([lines[place][-3] ^ 1]) + lines[place][-2:]
        for changed in (
            lines[:place] + lines[place + 1 :],
            [*lines[: place + 1], *lines[place:]],
            [*lines[:place], edited, *lines[place + 1 :]],
        ):
            path.write_bytes(b"".join(changed))
            assert not is_whole(aya, path)


def test_a_proof_holds_anywhere_and_for_nothing_else(aya: Context, writer: Connection, tmp_path: Path) -> None:
    log(writer, aya)
    key = str(audit.list_keys(aya)[0]["verifier_key"])
    for change in (row["id"] for row in rows(writer, "SELECT id FROM change_log")):
        path = tmp_path / "proof.json"
        path.write_text(json.dumps(audit.prove(aya, change).document()))
        assert audit.verify_file(aya, path, keys=(key,)).whole
        path.write_text(path.read_text().replace("ALPHA", "BETA"))
        assert not audit.verify_file(aya, path, keys=(key,)).whole


def test_what_is_not_sealed_cannot_be_proved(aya: Context, writer: Connection) -> None:
    log(writer, aya, seals=1)
    grow(writer, "later")
    last = rows(writer, "SELECT max(id) AS id FROM change_log")[0]["id"]
    with pytest.raises(NotFound, match="No seal covers"):
        audit.prove(aya, last)
    with pytest.raises(NotFound, match="There is no change"):
        audit.prove(aya, 999)


def test_verifying_may_start_from_a_trusted_checkpoint(
    aya: Context, writer: Connection, admin: Connection, tmp_path: Path
) -> None:
    log(writer, aya)
    since = tmp_path / "since"
    audit.newest_checkpoint(aya, since)
    before = rows(writer, "SELECT count(*) AS n FROM change_log")[0]["n"]
    grow(writer, "later")
    audit.seal(aya)
    report = audit.verify_log(aya, since=since)
    assert report.whole, said(report)
    assert report.changes == rows(writer, "SELECT count(*) AS n FROM change_log")[0]["n"] - before
    aside(
        admin,
        "UPDATE aya.seals SET frontier = set_bit(frontier, 5, 1 - get_bit(frontier, 5)) WHERE seal_number = 4",
        "aya.seals",
    )
    assert "is not what the checkpoint to start from tells" in said(audit.verify_log(aya, since=since))


def test_a_new_key_that_the_old_one_vouches_for_is_trusted(aya: Context, writer: Connection) -> None:
    log(writer, aya)
    first = str(audit.list_keys(aya)[0]["verifier_key"])
    audit.rotate_key(aya)
    log(writer, aya, seals=2)
    report = audit.verify_log(aya, keys=(first,))
    assert report.whole, said(report)
    assert report.remarks == []


def test_a_lost_key_stops_sealing_until_that_is_said_and_then_it_is_told_for_ever(
    aya: Context, writer: Connection, tmp_path: Path
) -> None:
    log(writer, aya)
    (lost,) = aya.secrets_folder.glob("audit-*")
    lost.rename(tmp_path / "lost")
    grow(writer, "later")
    for attempt in (audit.seal, audit.rotate_key):
        with pytest.raises(AuditError, match="key that signs this log is not in"):
            attempt(aya)
    audit.rotate_key(aya, lost=True)
    assert audit.seal(aya).seals == 1
    report = audit.verify_log(aya)
    assert report.whole, said(report)
    assert "the key before seal 5 was lost" in report.remarks[0]


def test_whoever_trusts_only_the_old_key_is_told_that_it_never_vouched_for_the_new_one(
    aya: Context, writer: Connection, tmp_path: Path
) -> None:
    log(writer, aya)
    first = str(audit.list_keys(aya)[0]["verifier_key"])
    (lost,) = aya.secrets_folder.glob("audit-*")
    lost.unlink()
    audit.rotate_key(aya, lost=True)
    grow(writer, "later")
    audit.seal(aya)
    audit.export(aya, tmp_path / "log.aya")
    assert "which the trusted one did not vouch for" in said(
        audit.verify_file(aya, tmp_path / "log.aya", keys=(first,))
    )


def test_a_checkpoint_is_a_signed_note_that_names_size_and_root(aya: Context, writer: Connection) -> None:
    log(writer, aya)
    note = audit.newest_checkpoint(aya)
    key = VerifierKey.read(str(audit.list_keys(aya)[0]["verifier_key"]))
    text, signers = opened(note, [key])
    checkpoint = Checkpoint.read(text)
    assert signers == [key]
    assert checkpoint.origin == key.name
    assert checkpoint.size == audit.seal(aya).tree_size
    assert checkpoint.text == text


def test_the_key_of_the_example_in_the_specification_is_read() -> None:
    # From the C2SP signed-note specification.
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert str(VerifierKey.read(text)) == text


def test_the_note_of_the_example_in_the_specification_is_verified() -> None:
    key = VerifierKey.read("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = (
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert opened(note, [key])[1] == [key]
    with pytest.raises(AuditError, match="was changed"):
        opened(note.replace("answer", "problem", 1), [key])


@pytest.mark.parametrize(
    "note", ["", "text", "text\n\n", "text\n\nno dash\n", "text\n\n\u2014 name !!!\n", "text\n\n\u2014 name\n"]
)
def test_what_is_no_note_is_said_to_be_none(note: str) -> None:
    with pytest.raises(AuditError, match="no signed note"):
        opened(note, [])


def test_the_private_key_is_nowhere_in_the_database(aya: Context, writer: Connection) -> None:
    log(writer, aya)
    (path,) = aya.secrets_folder.glob("audit-*")
    assert path.stat().st_mode & 0o777 == 0o600
    secret = path.read_text().splitlines()[1]
    for table in ("aya.seals", "aya.audit_keys", "change_log"):
        assert (
            rows(writer, f"SELECT FROM {table} t WHERE strpos(t::text, %(secret)s) > 0", {"secret": secret[20:50]})
            == []
        )


def test_numbers_are_those_of_the_multirange() -> None:
    numbers = Numbers("{[1,4),[7,8)}")
    assert [*numbers] == [1, 2, 3, 7]
    assert len(numbers) == 4
    assert [n for n in range(10) if n in numbers] == [1, 2, 3, 7]


def test_whatever_is_done_to_the_log_is_found_and_named(aya: Context, writer: Connection, admin: Connection) -> None:
    log(writer, aya, seals=6)
    keys = [VerifierKey.read(str(audit.list_keys(aya)[0]["verifier_key"]))]
    kept = ("kept", audit.newest_checkpoint(aya))
    outcome = tamper(admin, keys, kept, times=150, untouched=10, seed=1)
    assert outcome.missed == []
    assert outcome.misnamed == []
    assert outcome.false_alarms == []


@pytest.mark.parametrize("login", [Login.READER, Login.WRITER])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE aya.seals SET note = ''", "DELETE FROM aya.seals", "TRUNCATE aya.audit_keys", "DELETE FROM aya.prunings"],
)
def test_no_login_but_the_superuser_can_touch_seals(
    aya: Context, database: Database, login: Login, statement: str
) -> None:
    with database.connect(login) as connection, pytest.raises(Exception, match="permission denied"):
        connection.execute(statement)  # type: ignore[arg-type]


def test_a_signing_key_signs_what_its_verifier_key_verifies(tmp_path: Path) -> None:
    key: SigningKey = make_key(tmp_path, "aya/test")
    assert opened(key.sign("text\n"), [key.verifier]) == ("text\n", [key.verifier])
