"""`documentation_files` in step with files: versions, copies, secrets, and files that cannot be read."""

import hashlib
import os
import threading
from pathlib import Path

import pytest

from aya.db.connection import Connection, rows
from aya.db.database import Database
from aya.errors import NotFound, UsageError
from aya.operations.context import Context
from aya.operations.documentation import (
    add_documents,
    diff_documentation_file,
    get_documentation_file,
    list_documentation,
    scan_documents,
)


@pytest.fixture
def place(tmp_path: Path, database: Database) -> Path:
    return tmp_path


def only(done: list) -> object:
    (one,) = done
    return one


def test_a_document_is_kept_with_its_hash_size_and_text(context: Context, place: Path) -> None:
    file = place / "plan.md"
    file.write_text("# Plan\n\nReplicate BETA.\n")
    done = only(add_documents(context, [str(file)], category="master_plan", description="What we plan."))
    kept = get_documentation_file(context, done.id)
    assert done.change == "added"
    assert kept.file_hash == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (kept.file_size_bytes, kept.file_name, kept.content) == (file.stat().st_size, "plan.md", file.read_text())
    assert (kept.category, kept.description, kept.is_latest, kept.node_name) == (
        "master_plan", "What we plan.", True, "TESTED",
    )  # fmt: skip


def test_the_same_again_writes_nothing(context: Context, place: Path, admin: Connection) -> None:
    (place / "a.md").write_text("a")
    add_documents(context, [str(place)])
    before = rows(admin, "SELECT xmin::text, * FROM documentation_files")
    assert only(add_documents(context, [str(place)])).change == "unchanged"
    assert only(scan_documents(context)).change == "unchanged"
    assert rows(admin, "SELECT xmin::text, * FROM documentation_files") == before


def test_a_changed_file_is_a_new_version_and_the_old_one_stays(context: Context, place: Path) -> None:
    file = place / "a.md"
    file.write_text("one\ntwo\n")
    first = only(add_documents(context, [str(file)], category="runbook"))
    file.write_text("one\n2\n")
    assert diff_documentation_file(context, first.id, disk=True).lines[2:] == ["@@ -1,2 +1,2 @@", " one", "-two", "+2"]
    second = only(scan_documents(context))
    assert second.change == "new version"
    assert not get_documentation_file(context, first.id).is_latest
    latest = get_documentation_file(context, second.id)
    assert (latest.is_latest, latest.category, latest.content) == (True, "runbook", "one\n2\n")
    assert only(list_documentation(context)).versions == 2
    assert diff_documentation_file(context, second.id).lines[2:] == ["@@ -1,2 +1,2 @@", " one", "-two", "+2"]
    with pytest.raises(UsageError, match="first version"):
        diff_documentation_file(context, first.id)
    with pytest.raises(NotFound, match="no document 4711"):
        diff_documentation_file(context, 4711)


def test_secrets_are_told_by_line_and_kept_nowhere(context: Context, place: Path, admin: Connection) -> None:
    (place / "a.md").write_text("# Access\n\nPGPASSWORD='Tr0ub4dor' psql\nfine\n")
    done = only(add_documents(context, [str(place / "a.md")]))
    assert done.secret_lines == (3,)
    kept = rows(admin, "SELECT f::text AS row FROM documentation_files f")[0]["row"]
    assert "Tr0ub4dor" not in kept
    assert "[redacted:" in kept


def test_copies_are_compared_by_hash(context: Context, place: Path) -> None:
    file, same, other, none = (place / name for name in ("a.md", "same.md", "other.md", "none.md"))
    for one in (file, same, other):
        one.write_text("text")
    add_documents(context, [str(file)], copies=[str(same), str(other), str(none)])
    other.write_text("text, edited there")
    done = only(scan_documents(context))
    assert done.sync_status[str(same)] == "same"
    assert done.sync_status[str(other)] == "differs"
    assert "No such file" in done.sync_status[str(none)]
    assert done.needs_attention
    kept = get_documentation_file(context, done.id)
    assert (kept.sync_locations, kept.sync_status) == ([str(same), str(other), str(none)], done.sync_status)


def test_a_vanished_file_keeps_its_text_and_is_told_until_it_is_back(context: Context, place: Path) -> None:
    file = place / "a.md"
    file.write_text("text")
    add_documents(context, [str(file)])
    file.unlink()
    gone = only(scan_documents(context))
    assert (gone.change, gone.needs_attention) == ("missing", True)
    since = get_documentation_file(context, gone.id).missing_since
    assert since is not None
    scan_documents(context)
    assert get_documentation_file(context, gone.id).missing_since == since
    file.write_text("text")
    assert only(scan_documents(context)).change == "changed"
    assert get_documentation_file(context, gone.id).missing_since is None


def test_bad_files_are_told_and_stop_nothing(context: Context, place: Path) -> None:
    (place / "binary.png").write_bytes(b"\x89PNG\0\0")
    (place / "empty.md").touch()
    (place / "large.txt").write_bytes(b"0123456789abcdef" * (50 * 1024 * 1024 // 16))
    (place / "loop.md").symlink_to("loop.md")
    (place / "pipe.md").unlink(missing_ok=True)
    os.mkfifo(place / "pipe.md")
    (place / "sub").mkdir()
    (place / "sub" / "up").symlink_to("..")
    (place / "sub" / "z.md").write_text("found")
    done = {Path(one.file_path).name: one for one in add_documents(context, [str(place), str(place / "nowhere")])}
    assert set(done) == {"binary.png", "empty.md", "large.txt", "loop.md", "pipe.md", "z.md", "nowhere"}
    assert {name for name, one in done.items() if one.change == "not read"} == {"loop.md", "pipe.md", "nowhere"}
    assert (done["empty.md"].change, get_documentation_file(context, done["empty.md"].id).content) == ("added", "")
    for name, said in (("binary.png", "no text"), ("large.txt", "longer than")):
        assert said in done[name].reason
        kept = get_documentation_file(context, done[name].id)
        assert (kept.content, kept.text_problem, kept.file_hash) == (None, done[name].reason, done[name].file_hash)
        with pytest.raises(UsageError, match="only its hash"):
            diff_documentation_file(context, done[name].id, disk=True)


def test_two_who_record_the_same_file_at_once_make_one_version(context: Context, place: Path) -> None:
    (place / "a.md").write_text("text")
    both = [threading.Thread(target=add_documents, args=(context, [str(place / "a.md")])) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert only(list_documentation(context)).versions == 1


def test_copies_of_several_files_are_refused(context: Context, place: Path) -> None:
    with pytest.raises(UsageError, match="one file"):
        add_documents(context, [str(place)], copies=["/copy"])
