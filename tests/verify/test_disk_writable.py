"""A disk that can be written and has room passes; a full, read-only or vanished one fails."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aya.host.disk import Space, space, write_and_read_back
from aya.model import Instance, Outcome
from tests.verify.conftest import Node

Mounted = Callable[[str], Path]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mounted]:
    """Mount a file system in memory with those options."""
    made: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"disk{len(made)}"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        made.append(folder)
        return folder

    yield mount
    for folder in made:
        subprocess.run(["umount", folder], check=True)


def test_the_home_and_data_folders_of_this_machine_pass(node: Node) -> None:
    home = str(node.database.settings.home)
    node.has(Instance(instance="1:5432", data_directory=f"{home}/data"))
    passed = node.results("disk_writable")
    assert [(result.target, result.outcome.value) for result in passed] == [(home, "pass"), (f"{home}/data", "pass")]
    assert "4096 bytes written, synced and read back" in passed[0].evidence
    assert "written" not in passed[1].evidence
    assert [name for name in os.listdir(home) if name.startswith(".aya-probe")] == []


def test_a_disk_that_is_full_fails(node: Node, mounted: Mounted) -> None:
    folder = mounted("size=1m")
    node.has(Instance(instance="1:5432", data_directory=str(folder)))
    ((target, outcome, reason),) = node.tested_by("disk_writable")[1:]
    assert (target, outcome) == (str(folder), "fail")
    assert "bytes are free" in str(reason)


def test_a_disk_that_can_hold_no_further_file_fails(node: Node, mounted: Mounted) -> None:
    folder = mounted("size=1g,nr_inodes=1")
    node.has(Instance(instance="1:5432", data_directory=str(folder)))
    assert node.tested_by("disk_writable")[1:] == [(str(folder), "fail", "it can hold no further file")]


def test_a_disk_that_is_mounted_read_only_fails(node: Node, mounted: Mounted) -> None:
    folder = mounted("size=1g,ro")
    node.has(Instance(instance="1:5432", data_directory=str(folder)))
    assert node.tested_by("disk_writable")[1:] == [(str(folder), "fail", "its file system is mounted read-only")]


def test_a_folder_that_is_gone_fails(node: Node) -> None:
    node.has(Instance(instance="1:5432", data_directory="/no/such/folder"))
    ((target, outcome, _),) = node.tested_by("disk_writable")[1:]
    assert (target, outcome) == ("/no/such/folder", "fail")


def test_what_cannot_be_written_is_found_by_writing(mounted: Mounted) -> None:
    full = mounted("size=64k")
    with (full / "filler").open("wb") as filler, pytest.raises(OSError, match="No space"):
        filler.write(b"x" * 100_000)
    answer = write_and_read_back(str(full))
    assert answer.outcome is Outcome.FAILED
    assert "No space left on device" in answer.reason
    assert write_and_read_back(str(mounted("ro"))).outcome is Outcome.FAILED
    assert os.listdir(full) == ["filler"]


def test_the_room_is_what_the_system_says(tmp_path: Path) -> None:
    found = space(str(tmp_path))
    assert isinstance(found, Space)
    assert 0 < found.free_bytes < found.size_bytes
