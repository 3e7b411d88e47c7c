"""An exported snapshot is verified anywhere, and whatever is done to the file is found."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aya.audit.note import make_key
from aya.db.connection import Connection
from aya.errors import HostError, NotFound, SnapshotError
from aya.operations import audit
from aya.operations.context import Context
from aya.operations.snapshot_exports import FileVerification, export_snapshot, verify_snapshot_file
from aya.record.recorder import record
from aya.settings import Settings
from aya.snapshot import export as exports
from aya.snapshot import snapshots
from aya.snapshot.canonical import canonical
from aya.snapshot.proof import examine
from tests.record.states import setting, settings_of, state, whole

NOWHERE = Context(Settings(home=Path("/no/such/folder")))
"""An AYA without database, keys or anything."""


def said(found: FileVerification) -> str:
    return "\n".join(found.problems)


def edited(path: Path, letter: str, change: Callable[[bytes], bytes]) -> Path:
    """The file with a line changed and its end made to fit again, as somebody who knows the form would."""
    lines = [
        line[:2] + change(line[2:]) if line.startswith(letter.encode() + b"\t") else line
        for line in path.read_bytes().split(b"\n")[:-2]
    ]
    body = b"".join(line + b"\n" for line in lines)
    path.write_bytes(body + f"E\t{sha256(body).hexdigest()}\n".encode())
    return path


def changed(**columns: Any) -> Callable[[bytes], bytes]:
    return lambda line: canonical(json.loads(line) | columns)


def test_a_snapshot_is_verified_with_nothing_but_its_file_and_the_key(exported: FileVerification) -> None:
    found = verify_snapshot_file(NOWHERE, exported.file, keys=[exported.signer])
    assert (found.problems, found.remarks, found.signer_known) == ((), (), True)
    assert (found.snapshot_name, found.verification_status, found.nodes) == ("one", "verified", ["ALPHA"])


def test_without_a_trusted_key_it_is_said_that_the_signer_is_not_known(exported: FileVerification) -> None:
    found = verify_snapshot_file(NOWHERE, exported.file)
    assert found.intact
    assert not found.signer_known
    assert "the signer is not known" in found.remarks[0]


def test_exporting_again_gives_the_same_bytes(aya: Context, exported: FileVerification, tmp_path: Path) -> None:
    again = export_snapshot(aya, "one", tmp_path / "again.snapshot")
    assert again.file.read_bytes() == exported.file.read_bytes()


def test_a_later_key_that_the_trusted_one_vouched_for_is_trusted(
    aya: Context, writer: Connection, exported: FileVerification, tmp_path: Path
) -> None:
    audit.rotate_key(aya)
    record(writer, [state(settings_of(setting("new")))])
    snapshots.create(writer, "two", created_by="tester")
    later = export_snapshot(aya, "two", tmp_path / "two.snapshot")
    assert later.signer != exported.signer
    assert verify_snapshot_file(NOWHERE, later.file, keys=[exported.signer]).intact
    assert verify_snapshot_file(NOWHERE, exported.file, keys=[exported.signer]).intact


def test_another_key_than_the_trusted_one_is_found(exported: FileVerification, tmp_path: Path) -> None:
    other = str(make_key(tmp_path, exported.log).verifier)
    assert "none of the keys that signed is one that is trusted" in said(
        verify_snapshot_file(NOWHERE, exported.file, keys=[other])
    )


def test_a_log_that_was_forged_whole_holds_only_for_who_trusts_nobody(
    aya: Context, admin: Connection, exported: FileVerification, tmp_path: Path
) -> None:
    for table in ("aya.seals", "aya.audit_keys"):
        admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")  # type: ignore[arg-type]
        admin.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]
        admin.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")  # type: ignore[arg-type]
    for path in aya.secrets_folder.glob("audit-*"):
        path.unlink()
    forged = export_snapshot(aya, "one", tmp_path / "forged.snapshot")
    assert verify_snapshot_file(NOWHERE, forged.file).intact
    assert "none of the keys that signed is one that is trusted" in said(
        verify_snapshot_file(NOWHERE, forged.file, keys=[exported.signer])
    )


@pytest.mark.parametrize(
    ("letter", "change", "problem"),
    [
        ("M", changed(verification_status="failed"), "its manifest is not what change"),
        ("M", changed(id=7), "is not about this snapshot"),
        ("M", lambda line: line + b" ", "its manifest is no object in canonical JSON"),
        ("M", lambda line: b"[]", "its manifest is no object in canonical JSON"),
        ("N", changed(BETA="0" * 64), "the hash of its list of nodes"),
        ("S", lambda line: line.replace(b'"on"', b'"off"'), "the hash of its state"),
        ("S", lambda line: b"", "the hash of its state"),
        ("C", lambda line: b"[]", "the hash of its list of results"),
        ("C", lambda line: line.replace(b'"pass"', b'"fail"'), "the hash of its list of results"),
        ("K", changed(first_seal=2), "no statement says after which key it signs"),
        ("K", changed(verifier_key="x"), "cannot be understood"),
        ("K", changed(note="x"), "no statement says after which key it signs"),
        ("P", changed(leaf=0), "is not at place 0 of the log"),
        ("P", changed(hashes=[]), "is not at place"),
        ("P", changed(checkpoint="x"), "its proof cannot be understood"),
        ("P", lambda line: line.replace(b"unverified", b"verified").replace(b"tester", b"nobody"), "is not at place"),
        ("P", lambda line: b"{}", "cannot be understood"),
        ("A", changed(form="something"), "cannot be understood"),
        ("A", changed(version=2), "this AYA reads aya.snapshot 1"),
        ("S", lambda line: line + b"\nS\t" + line, "cannot be understood"),
        ("N", lambda line: line + b"\nX\tx", "cannot be understood"),
    ],
)
def test_an_edited_file_is_found_and_what_is_wrong_is_named(
    exported: FileVerification, letter: str, change: Callable[[bytes], bytes], problem: str
) -> None:
    found = verify_snapshot_file(NOWHERE, edited(exported.file, letter, change), keys=[exported.signer])
    assert problem in said(found)
    assert not found.signer_known


def test_the_status_must_follow_from_the_results_whatever_was_logged(exported: FileVerification) -> None:
    evidence = exports.read(exported.file).evidence
    checks = evidence.checks.replace(b'"state_hash":"', b'"state_hash":"0', 1)
    manifest = evidence.manifest | {"checks_hash": sha256(checks).hexdigest()}
    assert list(examine(replace(evidence, checks=checks, manifest=manifest))) == [
        "it says verified, but its results make it partial"
    ]


def test_what_was_damaged_is_named_first(exported: FileVerification) -> None:
    exported.file.write_bytes(exported.file.read_bytes().replace(b'"fsync"', b'"fsynk"'))
    first, node, last = verify_snapshot_file(NOWHERE, exported.file).problems
    assert "the hash of its state is" in first
    assert "the hash of the state of node ALPHA is" in node
    assert "was edited or damaged" in last


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_bit_and_any_cut_is_found(exported: FileVerification, data: st.DataObject) -> None:
    whole_file = exported.file.with_suffix(".whole")
    if not whole_file.exists():
        shutil.copy(exported.file, whole_file)
    content = bytearray(whole_file.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1) | st.integers(len(content) - 70, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        content = content[:place]
    exported.file.write_bytes(content)
    assert not verify_snapshot_file(NOWHERE, exported.file, keys=[exported.signer]).intact
    assert not verify_snapshot_file(NOWHERE, exported.file).intact


def test_what_is_no_file_of_a_snapshot_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("hello\n")
    assert "is no export of a snapshot" in said(verify_snapshot_file(NOWHERE, tmp_path / "other"))
    with pytest.raises(HostError, match="cannot be read"):
        verify_snapshot_file(NOWHERE, tmp_path / "absent")


def test_a_broken_snapshot_is_not_exported(aya: Context, writer: Connection, admin: Connection, tmp_path: Path) -> None:
    record(writer, [whole()])
    snapshots.create(writer, "one", created_by="tester")
    admin.execute("ALTER TABLE aya.snapshot_facts DISABLE TRIGGER append_only")
    admin.execute("UPDATE aya.snapshot_facts SET body = '7' WHERE id = 1")
    admin.execute("ALTER TABLE aya.snapshot_facts ENABLE ALWAYS TRIGGER append_only")
    with pytest.raises(SnapshotError, match="the hash of its state"):
        export_snapshot(aya, "one", tmp_path / "one.snapshot")
    with pytest.raises(NotFound):
        export_snapshot(aya, "two", tmp_path / "two.snapshot")
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_that_a_seal_covers_is_exported_without_the_key(
    aya: Context, exported: FileVerification, tmp_path: Path
) -> None:
    for path in aya.secrets_folder.glob("audit-*"):
        path.unlink()
    assert export_snapshot(aya, "one", tmp_path / "again").intact
