"""The public recordings of `../shared/fixtures` as recorded machines: each file is the answer to the question its name says."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from aya.collect.catalogue import collectors
from aya.collect.runner import run_collector
from aya.host.recorded import RecordedHost
from aya.model import Collected
from aya.redaction import Redactor
from tests.conftest import SHARED

FIXTURES = SHARED / "fixtures"
SYSTEMS = {"linux": "Linux", "macos": "Darwin"}

SAME_COMMAND: Mapping[str, str] = {
    "cpuinfo": "/proc/cpuinfo",
    "cpuinfo-cores": "/proc/cpuinfo",
    "proc-net_dev": "/proc/net/dev",
    "os-release": "/etc/os-release",
    "lscpu-testout": "lscpu",
    "lscpu-rhel9": "lscpu",
    "lscpu-cores": "lscpu -p=CPU,Core,Socket",
    "lscpu-e": "lscpu -p=Socket,Core,CPU",
    "lscpu.json": "lscpu -J",
    "lsblk.json": "lsblk -J -b -O",
    "lsblk-allcols": "lsblk -O",
    "lshw.json": "lshw -json",
    "nvidia-smi-q-x.xml": "nvidia-smi -q -x",
    "rocm-smi.json": "rocm-smi -a --showmeminfo all --json",
    "nvme-list.json": "nvme list -o json",
    "lvs-report.json": "lvs --reportformat json",
    "tailscale-status.json": "tailscale status --json",
    "ip_route": "ip route",
    "netstat-rne": "netstat -rne",
    "systemctl": "systemctl list-units --all",
    "systemctl-ls": "systemctl list-sockets",
    "systemctl-luf": "systemctl list-unit-files",
    "nmcli-device-show": "nmcli device show",
    "zpool-list": "zpool list -p",
    "zpool-list-vdev": "zpool list -vp",
    "zpool-status-v": "zpool status -v",
    "zpool-status-v2": "zpool status -v",
    "ethtool-default1": "ethtool enp0s3",
    "ethtool-default2": "ethtool enp1s0",
    "ethtool-link-partner-advertised-link-modes": "ethtool eth0",
    "ethtool-module-info": "ethtool -m eth0",
    "lsb_release-a": "lsb_release -a",
    "numactl-hardware": "numactl --hardware",
    "system_profiler-multi": "system_profiler SPHardwareDataType SPMemoryDataType SPPowerDataType SPSoftwareDataType"
    " SPAudioDataType SPDisplaysDataType SPPrintersDataType SPStorageDataType",
    "system_profiler-hw-sw": "system_profiler SPHardwareDataType SPSoftwareDataType",
    "system_profiler-SPHardware-partial": "system_profiler SPHardwareDataType",
    "system_profiler-SPHardware-grepped-with-stderr": "system_profiler SPHardwareDataType",
    "system_profiler-SPSerialATADataType2.xml": "system_profiler -xml SPSerialATADataType",
    "system_profiler-SPUSBDataType2.xml": "system_profiler -xml SPUSBDataType",
    "storages.xml": "system_profiler -xml SPSerialATADataType",
    "networksetup-listallhardwareports": "networksetup -listallhardwareports",
    "netstat-inet": "netstat -rn -f inet",
    "netstat-inet6": "netstat -rn -f inet6",
    "netstat-rnl": "netstat -rnl",
    "route-get": "route -n get default",
    "route-n-get-default": "route -n get default",
    "scutil-dns": "scutil --dns",
    "scutil-nwi": "scutil --nwi",
    "scutil-nc": "scutil --nc list",
    "pmset-g-therm": "pmset -g therm",
    "pmset-g-thermlog": "pmset -g thermlog",
    "brew-info--json-v1-curl.json": "brew info --json=v1 curl",
    "brew-info--json-v1-nginx.json": "brew info --json=v1 nginx",
    "diskutil-info-disk0.plist": "diskutil info -plist disk0",
    "launchctl-list": "launchctl list",
    "file2": "file *",
    "ifconfig2": "ifconfig",
    "mount2": "mount",
}
"""File names, without `.txt`, whose question the general rules below do not tell."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One machine of the fixtures: what was asked, a path or a command line, and the file with the answer."""

    system: str
    """`Linux` or `Darwin`."""
    name: str
    questions: Mapping[str, Path]

    def __str__(self) -> str:
        return self.name


def recordings() -> list[Recording]:
    """Every recorded machine; none where the fixtures are absent.

    Where a folder holds two answers to one question, each further one is a machine of its own, `FOLDER+FILE`.
    """
    found = []
    for system in SYSTEMS:
        for folder in sorted(FIXTURES.glob(f"{system}/*/")):
            questions: dict[str, Path] = {}
            for path in sorted(folder.iterdir()):
                if (asked := question(path)) not in questions:
                    questions[asked] = path
                else:
                    found.append(Recording(SYSTEMS[system], f"{folder.name}+{path.stem}", {asked: path}))
            found.append(Recording(SYSTEMS[system], folder.name, questions))
    return found


def recording(name: str) -> Recording:
    """The recorded machine of that name; the test is skipped where the fixtures are absent."""
    if not FIXTURES.is_dir():
        pytest.skip(f"the public recordings are not at {FIXTURES}")
    return next(one for one in recordings() if one.name == name)


def question(path: Path) -> str:
    """The path, or command line, that a file of the fixtures is the answer to."""
    name = path.name.removesuffix(".txt")
    if name in SAME_COMMAND:
        return SAME_COMMAND[name]
    if name.endswith(".json") and name.startswith("smartctl"):
        return " ".join(json.loads(path.read_bytes())["smartctl"]["argv"])
    if name == "nvme-smart-log.json":
        return "nvme smart-log -o json /dev/nvme0"
    if name == "ip":
        return "ip route" if path.read_text().startswith("default") else "ip addr"
    if name.startswith("proc-"):
        return "/" + name.replace("-", "/")
    if name == "sysctl":
        return "sysctl machdep"
    if match := re.fullmatch(r"system_profiler-(SP\w+)(?:\.(xml|json))?", name):
        return " ".join(filter(None, ("system_profiler", match[2] and f"-{match[2]}", match[1])))
    program, *arguments = name.split("-")
    if program == "sysctl":
        return " ".join([program, *("-a" if one == "a" else one for one in arguments)])
    if program == "ioreg":
        return f"ioreg -r -c {arguments[0]}"
    return " ".join([program, *(f"-{one}" for one in arguments)])


def host_json(system: str, answers: Mapping[str, str]) -> str:
    """A manifest: the system, and for each path or command line the name of the file with its answer."""
    return json.dumps(
        {
            "system": system,
            "commands": {line: {"stdout": file, "exit": 0} for line, file in answers.items() if line[0] != "/"},
            "files": {path: file for path, file in answers.items() if path[0] == "/"},
        }
    )


def recorded_host(one: Recording, folder: Path) -> RecordedHost:
    """The machine as a recorded host: its files copied to a folder, with a manifest of their questions."""
    answers = {}
    for number, (asked, path) in enumerate(one.questions.items()):
        answers[asked] = f"{number}-{path.name}"
        (folder / answers[asked]).write_bytes(path.read_bytes())
    (folder / "host.json").write_text(host_json(one.system, answers))
    return RecordedHost.open(folder)


def collected(name: str, collector: str, folder: Path) -> Collected:
    """What one collector makes of one recorded machine."""
    host = recorded_host(recording(name), folder)
    return run_collector(collector, collectors(host.system)[collector], host, Redactor(b"k" * 32))
