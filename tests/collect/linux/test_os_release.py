import platform
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux.os_release import collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found
from aya.model import Facts, Outcome
from tests.collect.answers import found
from tests.collect.declared import floats, undeclared

FIRST = {
    "/proc/self/ns/pid": "pid:[4026531836]",
    "/proc/self/ns/uts": "uts:[4026531838]",
    "/proc/self/ns/cgroup": "cgroup:[4026531835]",
}
KERNEL = {"/proc/sys/kernel/osrelease": "6.1.0-18-amd64\n"}
DEBIAN = 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nID=debian\n'


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


# Name, version, build, identifier, codename: read off each file by hand.
RECORDED = [
    ("distro-centos-7.9", ("CentOS Linux", "7 (Core)", None, "centos", "Core")),
    ("distro-debian-11.2", ("Debian GNU/Linux", "11 (bullseye)", None, "debian", "bullseye")),
    ("distro-facter-archlinux", ("Arch Linux", None, "rolling", "arch", None)),
    ("distro-facter-debian", ("Debian GNU/Linux", "10 (buster)", None, "debian", "buster")),
    # The file holds the word "beowulf" only.
    ("distro-facter-devuan", (None, None, None, None, None)),
    ("distro-facter-manjarolinux", ("Manjaro Linux", None, "rolling", "manjaro", None)),
    ("distro-facter-opensuse-leap", ("openSUSE Leap", "15.1", None, "opensuse-leap", None)),
    ("distro-facter-oracle_linux", ("Oracle Linux Server", "7.2", None, "ol", None)),
    ("distro-facter-sles_sap", ("SLES_SAP", "12-SP2", None, "sles_sap", None)),
    ("distro-facter-virtuozzolinux", ("Virtuozzo", "7.5.1", None, "virtuozzo", None)),
    # VERSION_CODENAME="" says nothing.
    ("distro-fedora-35", ("Fedora Linux", "35 (Thirty Five)", None, "fedora", "Thirty Five")),
    ("distro-jc-centos", ("CentOS Linux", "7 (Core)", None, "centos", "Core")),
]


@pytest.mark.parametrize(("name", "expected"), RECORDED)
def test_a_recorded_distribution_is_named(recordings: Path, name: str, expected: tuple[str | None, ...]) -> None:
    facts = understood({"/etc/os-release": (recordings / "linux" / name / "os-release.txt").read_bytes()})
    system = facts.metadata["os"]
    assert (
        facts.node.os_name,
        facts.node.os_version,
        facts.node.os_build,
        system["id"],
        system["codename"],
    ) == expected


def test_a_release_file_that_is_not_understood_is_a_gap(recordings: Path) -> None:
    facts = understood(KERNEL | {"/etc/os-release": "beowulf\n"})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]


def test_the_vendors_file_stands_in_for_a_missing_one() -> None:
    assert understood({"/usr/lib/os-release": DEBIAN}).node.os_name == "Debian GNU/Linux"


def test_debians_point_release_is_told() -> None:
    facts = understood({"/etc/os-release": DEBIAN, "/etc/debian_version": "12.11\n"})
    assert facts.node.os_version == "12.11 (bookworm)"
    # Testing writes a name there, and Ubuntu has the file of the Debian it was made from.
    assert (
        understood({"/etc/os-release": DEBIAN, "/etc/debian_version": "trixie/sid\n"}).node.os_version
        == "12 (bookworm)"
    )
    ubuntu = 'NAME="Ubuntu"\nVERSION_ID="12"\nVERSION="12 (x)"\nID=ubuntu\n'
    assert understood({"/etc/os-release": ubuntu, "/etc/debian_version": "12.1"}).node.os_version == "12 (x)"


def test_lsb_release_names_a_distribution_without_files(recordings: Path) -> None:
    facts = understood({"lsb_release -a": (recordings / "linux/jc-generic/lsb_release-a.txt").read_bytes()})
    assert (facts.node.os_name, facts.node.os_version) == ("Ubuntu", "16.04 (xenial)")
    assert facts.metadata["os"]["pretty_name"] == "Ubuntu 16.04.6 LTS"


def test_the_file_of_old_red_hats_is_understood() -> None:
    node = understood({"/etc/redhat-release": "CentOS release 6.3 (Final)\n"}).node
    assert (node.os_name, node.os_version) == ("CentOS", "6.3 (Final)")


def test_the_kernel_is_written_like_the_source_document_writes_darwin() -> None:
    facts = understood(KERNEL | {"/proc/sys/kernel/version": "#1 SMP PREEMPT_DYNAMIC\n"})
    assert facts.node.kernel_version == "Linux 6.1.0-18-amd64"
    assert facts.metadata["os"]["kernel_build"] == "#1 SMP PREEMPT_DYNAMIC"


def test_the_kernel_is_found_in_proc_version_and_in_uname(recordings: Path) -> None:
    line = "Linux version 6.18.44-fc-v782 (builder@x) (gcc (GCC) 15.3.0, GNU ld 2.46) #1 SMP PREEMPT_DYNAMIC @0\n"
    facts = understood({"/proc/version": line})
    assert facts.node.kernel_version == "Linux 6.18.44-fc-v782"
    assert facts.metadata["os"]["kernel_build"] == "#1 SMP PREEMPT_DYNAMIC @0"
    facts = understood({"uname -a": (recordings / "linux/jc-centos-7.7/uname-a.txt").read_bytes()})
    assert facts.node.kernel_version == "Linux 3.10.0-1062.1.2.el7.x86_64"
    assert facts.metadata["os"]["kernel_build"] == "#1 SMP Mon Sep 30 14:19:46 UTC 2019"


@pytest.mark.parametrize("second", [1759996770, 1759996799, 1759996800, 1759996829])
def test_the_time_of_the_start_is_rounded_to_the_minute(second: int) -> None:
    system = understood({"/proc/stat": f"cpu  1 2 3\nbtime {second}\nprocesses 5\n"}).metadata["os"]
    assert system["booted_at"] == "2025-10-09T08:00:00Z"


def test_efi_bios_and_neither_are_told_apart() -> None:
    bios = {"/sys/class/dmi/id/bios_vendor": ""}
    assert understood({"/sys/firmware/efi": ""} | bios).metadata["os"]["boot_mode"] == "efi"
    assert understood(FIRST | bios).metadata["os"]["boot_mode"] == "bios"
    assert understood(FIRST).metadata["os"]["boot_mode"] is None
    docker = FIRST | {"/proc/self/ns/pid": "pid:[4026532447]", "/.dockerenv": ""}
    assert understood(docker | bios).metadata["os"]["boot_mode"] is None


@pytest.mark.parametrize(("last", "expected"), [(b"\x01", True), (b"\x00", False), (b"", None)])
def test_secure_boot_is_the_last_byte_of_the_firmwares_variable(last: bytes, expected: bool | None) -> None:
    path = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    answer = Answer(Outcome.OK, b"\x06\x00\x00\x00" + last)
    assert understood({path: answer}).metadata["os"]["secure_boot"] is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (FIRST, "none"),
        (FIRST | {"/.dockerenv": ""}, "none"),
        (FIRST | {"/proc/self/ns/pid": "pid:[4026532447]", "/.dockerenv": ""}, "docker"),
        # A container that shares the processes of its host still has a name of its own.
        (FIRST | {"/proc/self/ns/uts": "uts:[4026532445]", "/run/.containerenv": ""}, "podman"),
        # A service that may not change the host name has such a namespace as well.
        (FIRST | {"/proc/self/ns/uts": "uts:[4026532445]"}, "none"),
        ({"/proc/self/ns/pid": "pid:[4026532447]", "/proc/1/environ": "A=1\0container=lxc\0"}, "lxc"),
        ({"/proc/self/ns/pid": "pid:[4026532447]", "/proc/1/cgroup": "0::/kubepods/besteffort/pod1\n"}, "kubernetes"),
        ({"/proc/self/ns/pid": "pid:[4026532447]"}, "other"),
        (
            {"/proc/self/ns/pid": "pid:[4026532447]", "/proc/sys/kernel/osrelease": "5.15.1-microsoft-standard-WSL2"},
            "wsl",
        ),
        ({}, None),
    ],
)
def test_containers_are_recognised(given: dict[str, str], expected: str | None) -> None:
    assert understood(given).metadata["os"]["container"] == expected


def test_the_time_zone_is_where_the_link_points() -> None:
    assert (
        understood({"/etc/localtime": "/usr/share/zoneinfo/Europe/Berlin"}).metadata["os"]["time_zone"]
        == "Europe/Berlin"
    )
    assert understood({"/etc/timezone": "America/Los_Angeles\n"}).metadata["os"]["time_zone"] == "America/Los_Angeles"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"/run/systemd/system": "", "/proc/1/comm": "init\n"}, "systemd"),
        ({"/run/openrc": "", "/proc/1/comm": "init\n"}, "openrc"),
        ({"/proc/1/comm": "process_api\n"}, "process_api"),
    ],
)
def test_the_init_system_is_named(given: dict[str, str], expected: str) -> None:
    assert understood(given).metadata["os"]["init_system"] == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"/sys/fs/selinux/enforce": "1"}, "enforcing"),
        ({"/sys/fs/selinux/enforce": "0"}, "permissive"),
        ({"/etc/selinux/config": "SELINUX=disabled\n"}, "disabled"),
        ({}, None),
    ],
)
def test_selinux_is_told(given: dict[str, str], expected: str | None) -> None:
    assert understood(given).metadata["os"]["selinux"] == expected


@given(st.text(max_size=300), st.text(max_size=60))
def test_garbage_is_survived(text: str, short: str) -> None:
    understood({"/etc/os-release": text, "/proc/version": text, "/proc/stat": text, "/etc/localtime": short})
    understood({"/etc/os-release": f"NAME={short}\nVERSION={short}\nID=debian\nVERSION_ID={short}\n"})
    understood(
        {"lsb_release -a": text, "uname -a": text, "/etc/redhat-release": text, "/etc/locale.conf": f"LANG={short}"}
    )
    understood(
        {"/proc/stat": f"btime {short}\n", "/etc/debian_version": short, "/proc/version": f"Linux version {short}"}
    )


def test_quotes_line_ends_and_foreign_letters_are_understood() -> None:
    text = 'NAME=\'Ünï "Linux"\'\r\nVERSION="1 \\"x\\""\r\nID=uni\r\n'
    node = understood({"/etc/os-release": text}).node
    assert (node.os_name, node.os_version) == ('Ünï "Linux"', '1 "x"')


# --- this machine


def live() -> Facts:
    host = LocalHost()
    first = Found.of(host, collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(host, collector.more(first)))


def test_this_machine_is_as_python_and_psutil_say() -> None:
    facts = live()
    system = facts.metadata["os"]
    assert not undeclared(collector, facts)
    assert facts.node.kernel_version == f"Linux {platform.release()}"
    assert system["kernel_build"] == platform.version()
    release = platform.freedesktop_os_release()
    assert (facts.node.os_name, system["id"]) == (release["NAME"], release["ID"])
    assert system["pretty_name"] == release["PRETTY_NAME"]
    assert abs(_seconds(system["booted_at"]) - psutil.boot_time()) <= 60


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def test_two_looks_at_this_machine_are_equal() -> None:
    assert live() == live()


def test_what_people_print_of_their_system_is_read_where_no_file_was_kept() -> None:
    printed = {
        "hostnamectl": "   Static hostname: beta\n  Operating System: Rocky Linux 9.4\n"
        "            Kernel: Linux 5.14.0-427.el9.x86_64\n",
        "timedatectl": "               Local time: Tue 2026-01-01 01:00:00 CET\n"
        "                Time zone: Europe/Berlin (CET, +0100)\n",
    }
    facts = understood(printed)
    assert facts.node.kernel_version == "Linux 5.14.0-427.el9.x86_64"
    # A name and a version in one line cannot be told apart for sure.
    assert (facts.node.os_name, facts.metadata["os"]["pretty_name"]) == (None, "Rocky Linux 9.4")
    assert facts.metadata["os"]["time_zone"] == "Europe/Berlin"
