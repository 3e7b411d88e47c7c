import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.macos import _uptime
from aya.collect.macos.os_release import collector
from aya.model import Outcome
from tests.collect.macos.macs import listed, profile, told, understood

SOFTWARE = "SPSoftwareDataType"
OVERVIEW = {
    "_name": "os_overview",
    "boot_mode": "normal_boot",
    "boot_volume": "Macintosh HD",
    "kernel_version": "Darwin 25.0.0",
    "local_host_name": "alpha",
    "os_version": "macOS 26.0 (25A362)",
    "secure_vm": "secure_vm_enabled",
    "system_integrity": "integrity_enabled",
    "uptime": "up 2:4:12:50",
    "user_name": "System Administrator (root)",
}
TEXT = """\
Software:

    System Software Overview:

      System Version: macOS 26.0 (25A362)
      Kernel Version: Darwin 25.0.0
      Boot Volume: Macintosh HD
      Boot Mode: Normal
      Computer Name: alpha
      User Name: System Administrator (root)
      Secure Virtual Memory: Enabled
      System Integrity Protection: Enabled
      Time since boot: 2 days, 4 hours, 12 minutes, 50 seconds
"""
SW_VERS = "ProductName:\t\tmacOS\nProductVersion:\t\t26.0\nBuildVersion:\t\t25A362\n"
KERN = """\
kern.ostype: Darwin
kern.osrelease: 25.0.0
kern.version: Darwin Kernel Version 25.0.0: Mon Aug 25 21:17:54 PDT 2025; root:xnu-12377.1.9~3/RELEASE_ARM64_T6031
kern.osversion: 25A362
kern.osproductversion: 26.0
kern.osreleasetype: User
kern.boottime: { sec = 1759826400, usec = 1 } Tue Oct  7 12:40:00 2025
kern.bootsessionuuid: 00000000-0000-4000-8000-000000000001
kern.safeboot: 0
"""


def test_a_mac_says_all_that_the_source_document_records_of_alpha() -> None:
    given = {
        "sw_vers": SW_VERS,
        "sysctl kern": KERN,
        "csrutil status": "System Integrity Protection status: enabled.\n",
    }
    facts = understood(collector, given | profile(SOFTWARE, OVERVIEW))
    node, system = facts.node, facts.metadata["os"]
    assert (node.os_name, node.os_version, node.os_build) == ("macOS", "26.0", "25A362")
    assert node.kernel_version == "Darwin 25.0.0"
    # The document calls it 15.0 (Sequoia); its own kernel says otherwise.
    assert system["codename"] == "Tahoe"
    assert system["pretty_name"] == "macOS Tahoe 26.0"
    assert system["release_type"] == "User"
    assert system["system_integrity_protection"] == "enabled"
    assert (system["boot_volume"], system["boot_mode"], system["computer_name"]) == ("Macintosh HD", "normal", "alpha")
    assert system["booted_at"] == "2025-10-07T08:40:00Z"
    assert system["boot_id"] == "00000000-0000-4000-8000-000000000001"
    assert not facts.gaps


def test_json_property_list_and_text_say_the_same() -> None:
    facts = understood(collector, profile(SOFTWARE, OVERVIEW))
    assert understood(collector, listed(SOFTWARE, OVERVIEW)) == facts
    assert understood(collector, told(SOFTWARE, TEXT)) == facts
    assert understood(collector, told(SOFTWARE, "\ufeff" + TEXT.replace("\n", "\r\n"))) == facts
    assert facts.observed == {"os": {"uptime_seconds": 2 * 86400 + 4 * 3600 + 12 * 60 + 50}}


@pytest.mark.parametrize("source", ["sw_vers", "sysctl kern", "system_profiler -json SPSoftwareDataType"])
def test_each_source_alone_tells_version_and_build(source: str) -> None:
    given = {"sw_vers": SW_VERS, "sysctl kern": KERN, **profile(SOFTWARE, OVERVIEW)}
    node = understood(collector, {source: given[source]}).node
    assert (node.os_version, node.os_build) == ("26.0", "25A362")


def test_what_old_programs_are_told_is_not_believed() -> None:
    pretended = "ProductName:\tMac OS X\nProductVersion:\t10.16\nBuildVersion:\t25A362\n"
    assert understood(collector, {"sw_vers": pretended, "sysctl kern": KERN}).node.os_version == "26.0"
    assert understood(collector, {"sw_vers": pretended}).node.os_version == "10.16"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("System Integrity Protection status: enabled.\n", "enabled"),
        ("System Integrity Protection status: disabled.\n", "disabled"),
        (
            "System Integrity Protection status: unknown (Custom Configuration).\n\nConfiguration:\n\tApple Internal: disabled\n",
            "custom",
        ),
        ("System Integrity Protection status: enabled (Custom Configuration).\n", "custom"),
        ("Protection de l'intégrité du système : activée.\n", None),
    ],
)
def test_what_csrutil_says(said: str, expected: str | None) -> None:
    facts = understood(collector, {"sw_vers": SW_VERS, "sysctl kern": KERN, "csrutil status": said})
    assert facts.metadata["os"]["system_integrity_protection"] == expected


@pytest.mark.parametrize(
    ("policy", "checked"),
    [
        ("Full Security", True),
        ("Reduced Security", True),
        ("Permissive Security", False),
        ("No Security", False),
        ("Odd", None),
    ],
)
def test_what_the_firmware_demands(policy: str, checked: bool | None) -> None:
    given = profile("SPiBridgeDataType", {"_name": "Controller Information", "ibridge_secure_boot": policy})
    system = understood(collector, given | {"sysctl kern": KERN}).metadata["os"]
    assert (system["secure_boot"], system["secure_boot_policy"]) == (checked, policy)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("macOS 13.3.1 (a) (22E772610a)", ("macOS", "13.3.1", "22E772610a", "(a)")),
        ("Mac OS X Server 10.6.8 (10K549)", ("Mac OS X Server", "10.6.8", "10K549", None)),
        ("OS X 10.9.5 (13F1911)", ("OS X", "10.9.5", "13F1911", None)),
        ("macOS Neuf", (None, None, None, None)),
    ],
)
def test_the_version_in_the_words_of_the_overview(said: str, expected: tuple[str | None, ...]) -> None:
    facts = understood(collector, profile(SOFTWARE, OVERVIEW | {"os_version": said, "kernel_version": ""}))
    node = facts.node
    assert (node.os_name, node.os_version, node.os_build, facts.metadata["os"]["version_extra"]) == expected


def test_a_codename_is_only_given_where_version_and_kernel_agree() -> None:
    vers = SW_VERS.replace("26.0", "15.0")
    assert understood(collector, {"sw_vers": vers, "sysctl kern": KERN}).metadata["os"]["codename"] is None


def test_a_version_that_nobody_knows_yet_is_told_without_a_codename() -> None:
    vers, kern = SW_VERS.replace("26.0", "99.1"), KERN.replace("25.0.0", "98.1.0")
    facts = understood(collector, {"sw_vers": vers, "sysctl kern": kern})
    assert (facts.node.os_version, facts.node.kernel_version) == ("99.1", "Darwin 98.1.0")
    assert facts.metadata["os"]["codename"] is None
    assert not facts.gaps


def test_nothing_that_answers_is_a_gap() -> None:
    assert {gap.outcome for gap in understood(collector, {}).gaps} == {Outcome.UNSUPPORTED}


@given(st.integers(0, 9999), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_uptime_in_all_its_words(days: int, hours: int, minutes: int, seconds: int) -> None:
    whole = days * 86400 + hours * 3600 + minutes * 60
    assert _uptime.seconds(f"up {days}:{hours}:{minutes:02}:{seconds:02}") == whole + seconds
    assert _uptime.seconds(f"{days} days {hours}:{minutes:02}") == whole
    assert _uptime.seconds(f"{days} days, {hours} hours, {minutes} minutes") == whole
    assert (
        _uptime.seconds(f"10:15  up {days} days, {hours}:{minutes:02}, 8 users, load averages: 1.63 0.65 0.44") == whole
    )
    assert _uptime.seconds(f"9:03AM  up {minutes} mins, 1 user, load averages: 1,63 0,65 0,44") == minutes * 60
    assert (
        _uptime.seconds(f"9:03  up {days} days, {hours} hrs, 2 users, load averages: 1 1 1")
        == days * 86400 + hours * 3600
    )


@pytest.mark.parametrize("said", ["", "soon", "up forever", None, "depuis 3 jours"])
def test_an_uptime_that_is_none(said: str | None) -> None:
    assert _uptime.seconds(said) is None


def test_uptime_in_words_that_are_not_known_is_not_known() -> None:
    assert _uptime.seconds("1 giorno, 15 ore e 34 minuti") is None
    assert _uptime.seconds("1 hour and 34 minutes") == 5640
