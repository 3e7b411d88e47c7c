"""Packages of Homebrew and MacPorts, by their folders and by what the package managers print."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aya.collect.macos.packages import collector, in_json_v1, in_list, in_ports
from aya.model import Facts, Outcome, Software
from tests.collect.answers import Given, found
from tests.collect.declared import undeclared
from tests.collect.recordings import recording

APPLE: dict[str, Given] = {"sysctl hw": "hw.optional.arm64: 1\nhw.cputype: 16777228\n", "/cores": ""}
CELLAR: dict[str, Given] = APPLE | {
    "/opt/homebrew/Cellar/wget/1.25.0": "",
    "/opt/homebrew/Cellar/wget/1.25.0/INSTALL_RECEIPT.json": json.dumps(
        {"arch": "arm64", "time": 1759825200, "installed_on_request": True, "source": {"tap": "homebrew/core"}}
    ),
    "/opt/homebrew/Cellar/python@3.12/3.12.9": "",
    "/opt/homebrew/Cellar/python@3.12/3.12.11_1": "",
    "/opt/homebrew/Cellar/.DS_Store/.x": "",
    "/opt/homebrew/Caskroom/docker-desktop/4.47.0,206054": "",
    "/usr/local/Cellar/libpq/17.6": "",
}


def understood(given: dict[str, Given]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    return facts


def named(rows: Any) -> dict[str, Software]:
    return {row.software_name: row for row in rows}


def test_a_formula_is_a_folder_with_a_receipt() -> None:
    wget = named(understood(CELLAR).software)["brew:wget"]
    assert (wget.software_version, wget.software_architecture, wget.runtime_mode) == ("1.25.0", "ARM64", "native")
    assert wget.install_path == "/opt/homebrew/Cellar/wget"
    assert wget.installed_at is not None
    assert wget.installed_at.isoformat() == "2025-10-07T08:20:00+00:00"
    assert wget.metadata == {"kind": "formula", "tap": "homebrew/core", "requested": True}


def test_of_several_versions_the_newest_by_its_numbers_is_the_row() -> None:
    python = named(understood(CELLAR).software)["brew:python@3.12"]
    assert python.software_version == "3.12.11_1"
    assert python.metadata["installed_versions"] == ["3.12.9", "3.12.11_1"]


def test_the_homebrew_for_intel_runs_under_rosetta() -> None:
    libpq = named(understood(CELLAR).software)["brew:libpq"]
    assert (libpq.software_architecture, libpq.runtime_mode) == ("x86_64", "Rosetta 2")


def test_casks_count_and_hidden_files_do_not() -> None:
    rows = named(understood(CELLAR).software)
    assert rows["brew:docker-desktop"].metadata["kind"] == "cask"
    assert set(rows) == {"brew:wget", "brew:python@3.12", "brew:docker-desktop", "brew:libpq"}


def test_what_brew_prints_counts_where_the_folders_are_not_known() -> None:
    info = {
        "formulae": [
            {
                "name": "wget",
                "tap": "homebrew/core",
                "pinned": False,
                "installed": [{"version": "1.25.0", "time": 1759825200, "installed_on_request": True}],
            }
        ],
        "casks": [
            {"token": "iterm2", "installed": "3.5.14", "tap": "homebrew/cask"},
            {"token": "x", "installed": None},
        ],
    }
    facts = understood({"brew info --json=v2 --installed": json.dumps(info)})
    assert {name: row.software_version for name, row in named(facts.software).items()} == {
        "brew:iterm2": "3.5.14",
        "brew:wget": "1.25.0",
    }
    assert facts.gaps == ()
    listed = understood({"brew list --versions": "wget 1.25.0\npython@3.12 3.12.9 3.12.11\n"})
    assert named(listed.software)["brew:python@3.12"].software_version == "3.12.11"
    assert listed.gaps == ()


def test_a_recorded_formula_is_understood_in_the_schema_of_2017() -> None:
    files = recording("inspec-brew").questions
    curl = named(in_json_v1(files["brew info --json=v1 curl"].read_text()))
    assert {name: row.software_version for name, row in curl.items()} == {"brew:curl": "7.52.1"}
    assert curl["brew:curl"].metadata == {"kind": "formula", "pinned": False}


def test_a_recorded_formula_that_is_not_installed_is_no_row() -> None:
    text = recording("inspec-brew").questions["brew info --json=v1 nginx"].read_text()
    installed = [one["installed"] for one in json.loads(text)]
    assert len(list(in_json_v1(text))) == sum(len(one) for one in installed)


def test_an_active_port_counts() -> None:
    assert [
        (row.software_name, row.software_version) for row in in_ports("  zlib @1.3.1_0 (active)\n  zlib @1.2.13_0\n")
    ] == [("port:zlib", "1.3.1_0")]


def test_a_mac_without_a_package_manager_has_none_and_a_recording_that_says_nothing_is_a_gap() -> None:
    assert understood(APPLE).absent
    gaps = understood({}).gaps
    assert [gap.outcome for gap in gaps] == [Outcome.UNREADABLE]


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9@.+-]{0,12}", fullmatch=True),
        st.lists(st.from_regex(r"[0-9][0-9.]{0,6}(_[0-9])?", fullmatch=True), min_size=1, max_size=3, unique=True),
        max_size=5,
    )
)
def test_a_list_of_versions_reads_back(packages: dict[str, list[str]]) -> None:
    text = "".join(f"{name} {' '.join(versions)}\n" for name, versions in packages.items())
    told: dict[str, list[str | None]] = {}
    for row in in_list(text, "formula"):
        told.setdefault(row.software_name, []).append(row.software_version)
    assert told == {f"brew:{name}": versions for name, versions in packages.items()}


def test_a_cask_in_the_list_of_everything_is_no_formula() -> None:
    everything = {
        "brew list --versions": "docker 4.30.0\ngit 2.44.0\n",
        "brew list --cask --versions": "docker 4.30.0\n",
    }
    kinds = {one.software_name: one.metadata["kind"] for one in understood(everything).software}
    assert kinds == {"brew:docker": "cask", "brew:git": "formula"}


def test_formulae_alone_are_what_they_are() -> None:
    listed = understood({"brew list --formula --versions": "git 2.44.0\n"}).software
    assert [(one.software_name, one.metadata["kind"]) for one in listed] == [("brew:git", "formula")]
