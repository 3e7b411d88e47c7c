"""A folder of backups that can be read passes; an empty, vanished or closed one does not."""

import os
from pathlib import Path

from aya.db.observed import effective_user
from aya.verify.catalogue import own_checks
from tests.verify.conftest import Node


def test_nothing_is_tested_where_no_folder_is_named(node: Node) -> None:
    assert node.tested_by("backups_readable") == []


def test_a_folder_whose_files_can_be_read_passes(node: Node, tmp_path: Path) -> None:
    (tmp_path / "base" / "1").mkdir(parents=True)
    (tmp_path / "base" / "1" / "näme").write_bytes(b"x" * 5000)
    (tmp_path / "empty file").touch()
    (tmp_path / "link").symlink_to("/no/such/place")
    os.mkfifo(tmp_path / "pipe")
    (result,) = node.results("backups_readable", backup_folders=(tmp_path,))
    assert (result.target, result.outcome, result.reason) == (str(tmp_path), "pass", None)
    assert result.evidence.startswith("2 files, 5,000 bytes, newest 20")


def test_a_folder_that_is_empty_or_gone_fails(node: Node, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    empty, missing = node.tested_by("backups_readable", backup_folders=(tmp_path, gone))
    assert empty == (str(tmp_path), "fail", "there is no file in it")
    assert missing[:2] == (str(gone), "fail")


def test_a_file_that_cannot_be_read_fails_and_a_folder_that_may_not_be_seen_is_skipped(node: Node) -> None:
    from tests.conftest import make_home

    home = make_home()
    (home / "open").mkdir()
    (home / "open" / "closed").touch(mode=0)
    (home / "closed").mkdir(mode=0)
    subject = node.subject(backup_folders=(home / "open", home / "closed" / "inside"))
    try:
        # In this process: the one of a check would be root again.
        with effective_user(65534 if os.geteuid() == 0 else None):
            first, second = own_checks()["backups_readable"].run(subject)
    finally:
        (home / "closed").rmdir()
        (home / "open" / "closed").unlink()
        (home / "open").rmdir()
        home.rmdir()
    assert (first.outcome.value, second.outcome.value) == ("fail", "skipped")
    assert f"{home}/open/closed: Permission denied" in str(first.reason)
