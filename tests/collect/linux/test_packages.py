import shutil
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.collector import Unreadable
from aya.collect.linux.packages import APK, DPKG, RPM, collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found
from aya.model import Facts, Outcome, Software
from tests.collect.answers import found, refused
from tests.collect.declared import floats, undeclared

RPM_LIST = " ".join(RPM)


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats([row.metadata for row in facts.software]))
    assert len({row.key for row in facts.software}) == len(facts.software)
    return facts


def block(name: str, version: str = "1.0-1", architecture: str = "amd64", status: str = "install ok installed") -> str:
    return (
        f"Package: {name}\nStatus: {status}\nPriority: optional\nArchitecture: {architecture}\nVersion: {version}\n"
        f"Conffiles:\n /etc/x 0123456789abcdef\nDescription: something\n that goes on\n\n"
    )


def test_packages_of_dpkg_are_named_by_it_with_version_and_architecture():
    rows = understood({DPKG: block("openssl", "3.0.15-1~deb12u1") + block("adduser", "3.134", "all")}).software
    assert [(row.software_name, row.software_version, row.software_architecture) for row in rows] == [
        ("deb:adduser", "3.134", "any"),
        ("deb:openssl", "3.0.15-1~deb12u1", "x86_64"),
    ]
    assert all(row.installed_at is None and row.install_path is None for row in rows)


def test_a_removed_package_that_left_its_configuration_is_not_installed():
    given = block("gone", status="deinstall ok config-files") + block("there")
    assert [row.software_name for row in understood({DPKG: given}).software] == ["deb:there"]


def test_a_package_that_is_only_half_installed_says_so():
    row = understood({DPKG: block("broken", status="install ok half-configured")}).software[0]
    assert row.metadata == {"state": "half-configured"}


def test_one_library_for_two_architectures_is_two_rows():
    rows = understood({DPKG: block("libc6", architecture="amd64") + block("libc6", architecture="i386")}).software
    assert [row.software_architecture for row in rows] == ["x86", "x86_64"]


def test_rpm_knows_when_a_package_was_installed():
    line = (
        "bash\t(none)\t5.1.8-9.el9\tx86_64\t1760000000\tRed Hat, Inc.\nmodule\t2\t1.0-1\tnoarch\t1760000001\t(none)\n"
    )
    bash, module = understood({RPM_LIST: line}).software
    assert (bash.software_name, bash.software_version) == ("rpm:bash", "5.1.8-9.el9")
    assert bash.installed_at == datetime.fromtimestamp(1760000000, UTC)
    assert bash.metadata == {"vendor": "Red Hat, Inc."}
    assert (module.software_version, module.software_architecture, module.metadata) == ("2:1.0-1", "any", {})


def test_of_several_kernels_at_once_the_newest_is_the_row_and_all_are_named():
    lines = (
        "kernel-core\t(none)\t5.14.0-570.el9\tx86_64\t1760000000\t(none)\n"
        "kernel-core\t(none)\t5.14.0-503.el9\tx86_64\t1750000000\t(none)\n"
        "gpg-pubkey\t(none)\taaaa-bbbb\t(none)\t1750000000\t(none)\n"
    )
    rows = understood({RPM_LIST: lines}).software
    assert [(row.software_name, row.software_version) for row in rows] == [("rpm:kernel-core", "5.14.0-570.el9")]
    assert rows[0].metadata["installed_versions"] == ["5.14.0-503.el9", "5.14.0-570.el9"]


def test_packages_of_apk_and_pacman_are_read_from_their_files():
    apk = "C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:aarch64\nS:407278\no:musl\n\nC:Q1x=\nP:busybox\nV:1.36.1-r29\nA:aarch64\n"
    rows = understood({APK[0]: apk}).software
    assert [(row.software_name, row.software_version, row.software_architecture) for row in rows] == [
        ("apk:busybox", "1.36.1-r29", "ARM64"),
        ("apk:musl", "1.2.5-r0", "ARM64"),
    ]
    desc = "%NAME%\nzlib\n\n%VERSION%\n1:1.3.1-2\n\n%BASE%\nzlib\n\n%ARCH%\nx86_64\n\n%INSTALLDATE%\n1760000000\n\n"
    row = understood({"/var/lib/pacman/local/zlib-1:1.3.1-2/desc": desc}).software[0]
    assert (row.software_name, row.software_version) == ("pacman:zlib", "1:1.3.1-2")
    assert row.installed_at == datetime.fromtimestamp(1760000000, UTC)


def test_a_machine_without_a_known_package_manager_cannot_be_asked():
    facts = understood({})
    assert (facts.software, [gap.outcome for gap in facts.gaps]) == ((), [Outcome.UNSUPPORTED])
    assert not facts.absent


def test_a_list_that_may_not_be_read_or_breaks_is_a_gap():
    for name, answer in ((DPKG, refused()), (RPM_LIST, Answer(Outcome.FAILED, b"", "rpm: database is locked"))):
        answers = found(collector, {name: answer})
        facts = collector.parse(answers)
        assert [gap.outcome for gap in (*answers.gaps(), *facts.gaps)] == [answer.outcome]
        assert facts.software == ()


def test_a_list_without_any_package_is_not_taken_for_a_machine_without_packages():
    with pytest.raises(Unreadable, match="dpkg"):
        understood({DPKG: "something else entirely\n"})


def test_half_a_list_is_a_gap():
    facts = understood({DPKG: block("whole") + "Package: half\nStatus: install ok installed\nVersion: 1."})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]


@given(
    st.dictionaries(
        st.sampled_from([DPKG, RPM_LIST, *APK, "/var/lib/pacman/local/x/desc"]),
        st.binary(max_size=150)
        | st.lists(
            st.sampled_from(
                [
                    block("a"),
                    "Package: b\n",
                    "Version: 9\n",
                    "P:x\nV:1\n",
                    "\n\n",
                    "a\tb\tc\td\t99999999999999\tf\n",
                    "%NAME%\nx\n%VERSION%\n1\n",
                    "%INSTALLDATE%\n99999999999999999\n",
                ]
            ),
            max_size=6,
        ).map(lambda lines: "".join(lines).encode()),
        max_size=3,
    )
)
def test_garbage_never_breaks_it(garbage):
    try:
        understood(garbage)
    except Unreadable:
        assert garbage.keys() & {DPKG, *APK}


def live() -> Facts:
    return collector.parse(Found.of(LocalHost(), collector.reads))


def test_the_packages_of_this_machine_are_those_that_dpkg_lists():
    if shutil.which("dpkg-query") is None:
        pytest.skip("dpkg-query is not installed")
    form = "${db:Status-Status}\t${Package}\t${Version}\n"
    text = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, check=True, text=True).stdout
    rows = [line.split("\t") for line in text.splitlines()]
    listed = {
        (f"deb:{name}", version) for status, name, version in rows if status not in ("config-files", "not-installed")
    }
    assert {(row.software_name, row.software_version) for row in live().software} == listed


def test_an_unchanged_machine_is_equal_at_two_looks():
    one, other = live(), live()
    assert (one.software, one.gaps) == (other.software, other.gaps)
    assert all(isinstance(row, Software) for row in one.software)


def test_what_people_print_of_their_packages_is_read_where_nothing_better_was_kept():
    dpkg = (
        "||/ Name           Version        Architecture Description\n+++-==============-==============-============-====\n"
        "ii  adduser        3.134          all          add and remove users\nii  libc6:amd64    2.36-9         amd64        C\n"
        "rc  oldpkg         1.0            amd64        gone\niU  half           2.0            amd64        unpacked\n"
    )
    rows = {row.software_name: row for row in understood({"dpkg -l": dpkg}).software}
    assert {name: row.software_version for name, row in rows.items()} == {
        **{"deb:adduser": "3.134", "deb:libc6": "2.36-9", "deb:half": "2.0"}
    }
    assert rows["deb:half"].metadata["state"] == "unpacked"
    rpm = understood({"rpm -qa": "bash-5.1.8-9.el9.x86_64\ngpg-pubkey-1-2\nperl-5.8.8-10\n"}).software
    assert [(row.software_name, row.software_version) for row in rpm] == [
        ("rpm:bash", "5.1.8-9.el9"),
        ("rpm:perl", "5.8.8-10"),
    ]
    assert [row.software_name for row in understood({"pacman -Q": "bash 5.2.037-1\n"}).software] == ["pacman:bash"]


def test_lists_for_people_are_not_asked_where_the_manager_answers():
    assert collector.more is not None
    assert collector.more(found(collector, {DPKG: block("bash")})) == ()
