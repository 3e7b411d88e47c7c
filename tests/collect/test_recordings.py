"""Recordings of real machines: every file is read by the collector it belongs to, whole or spoiled, and none breaks."""

import random

import pytest

from aya.model import Outcome
from tests.collect.recordings import FIXTURES, Recording, recordings
from tests.collect.spoiling import public_machines, spoiled, this_machine

NOT_NEEDED = {
    "lsblk": "`lsblk -O` of the same machine says more",
    "df -h": "`df` of the same machine says it to the byte",
    "uptime": "a moment's load; when it started is told better elsewhere",
    "/proc/loadavg": "a moment's load is neither state nor measured",
    "ethtool -m eth0": "the optics in a port are not collected",
    "smartctl --scan --json": "disks are known by the kernel; each is asked by itself",
    "ioreg -r -c IOUSBDevice": "what is plugged in by USB is collected where it is a disk",
    "brew info --json=v1 curl": "a form of 2017 about one package; what is installed is asked for all",
    "brew info --json=v1 nginx": "as above",
    "file *": "a folder's contents",
    "netstat -i": "`ifconfig` of the same machine says more",
    "netstat -r": "names instead of addresses; `netstat -rnl` of the same machine has them",
    "system_profiler SPHardwareDataType SPSoftwareDataType": "the same machine has a report on each",
}
"""What was recorded and no collector asks for, with the reason."""


def some(all_of_them: list[Recording]) -> list[Recording]:
    """A few of both systems; another seed has others, and `make fuzz` all."""
    return random.Random(5).sample(all_of_them, min(30, len(all_of_them)))


def test_every_file_is_read_by_a_collector_and_none_fails() -> None:
    if not FIXTURES.is_dir():
        pytest.skip(f"the public recordings are not at {FIXTURES}")
    machines = public_machines()
    failed = [
        f"{one.name}: {topic}: {found.reason}"
        for one in machines
        for topic, found in one.outcomes.items()
        if found.outcome is Outcome.FAILED
    ]
    unread = {asked for one in machines for file, asked in one.questions.items() if file not in one.readers}

    assert len(machines) == len(recordings()) > 200
    assert failed == []
    assert unread <= set(NOT_NEEDED)


def test_spoiled_recordings_break_no_collector() -> None:
    """`make fuzz` does this 100,000 times."""
    machines = [*public_machines(some), this_machine()]

    assert [str(broken) for broken in spoiled(machines, 300, seed=1) if broken is not None] == []
