import importlib.metadata
import json
import platform
import re
import struct
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.architecture import runtime_mode
from aya.collect.elf import architecture_of_program
from aya.collect.linux.python import collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Command, Found
from aya.model import Facts, Outcome, Software
from tests.collect.answers import found, refused
from tests.collect.declared import floats, undeclared


def elf(machine: int, bits: int = 64, order: str = "<") -> bytes:
    """The first bytes of a program for a machine number."""
    ident = b"\x7fELF" + bytes([1 if bits == 32 else 2, 1 if order == "<" else 2, 1]) + bytes(9)
    return ident + struct.pack(f"{order}HH", 2, machine) + bytes(44)


AMD64, AARCH64 = elf(62), elf(183)


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, {"machine-architecture": '"x86_64"'} | given))
    assert not undeclared(collector, facts)
    assert not list(floats([row.metadata for row in facts.software]))
    assert len({row.key for row in facts.software}) == len(facts.software)
    return facts


def rows(facts: Facts, name: str) -> list[Software]:
    return [row for row in facts.software if row.software_name == name]


# --- which processor a program is for ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (elf(62), "x86_64"),
        (elf(183), "ARM64"),
        (elf(3, 32), "x86"),
        (elf(40, 32), "ARM"),
        (elf(243), "riscv64"),
        (elf(21), "ppc64le"),
        (elf(21, order=">"), "ppc64"),
        (elf(22, order=">"), "s390x"),
        (b"#!/bin/sh\nexec true\n", None),
        (b"\x7fELF", None),
        (b"", None),
    ],
)
def test_the_head_of_a_program_tells_its_processor(head, expected):
    assert architecture_of_program(head) == expected


@pytest.mark.parametrize(
    ("program", "machine", "expected"),
    [
        ("x86_64", "x86_64", "native"),
        ("x86", "x86_64", "native"),
        ("x86_64", "ARM64", "emulated"),
        ("ARM64", "x86_64", "emulated"),
        (None, "x86_64", None),
        ("x86_64", None, None),
    ],
)
def test_a_program_for_another_processor_is_emulated(program, machine, expected):
    assert runtime_mode(program, machine) == expected


@given(st.binary(max_size=64))
def test_no_head_of_a_file_breaks_it(head):
    architecture_of_program(head)


def test_the_running_python_is_for_this_machine():
    with open(sys.executable, "rb") as program:
        expected = {"x86_64": "x86_64", "aarch64": "ARM64"}.get(platform.machine())
        assert expected is None or architecture_of_program(program.read(64)) == expected


# --- interpreters -----------------------------------------------------------------------------------------------------


def test_a_python_of_the_system_is_asked_for_its_version_once_however_many_links_lead_to_it():
    facts = understood(
        {
            "/usr/bin/python3.11": "",
            "/usr/bin/python3.11-config": "x86_64-linux-gnu-python3.11-config",
            "/usr/local/bin/python3.11": "/usr/bin/python3.11",
            "/usr/bin/python3.11 -V": "Python 3.11.2\n",
            "head /usr/bin/python3.11": AMD64,
        }
    )
    assert [
        (row.software_version, row.install_path, row.executable_path, row.software_architecture, row.runtime_mode)
        for row in rows(facts, "Python")
    ] == [("3.11.2", "/usr/lib/python3.11", "/usr/bin/python3.11", "x86_64", "native")]


def test_two_pythons_in_one_folder_are_told_apart():
    given = {"/usr/bin/python3.9": "", "/usr/bin/python3.11": ""}
    given |= {"/usr/bin/python3.9 -V": "Python 3.9.18", "/usr/bin/python3.11 -V": "Python 3.11.2"}
    assert [(row.install_path, row.software_version) for row in rows(understood(given), "Python")] == [
        ("/usr/lib/python3.11", "3.11.2"),
        ("/usr/lib/python3.9", "3.9.18"),
    ]


def test_python_two_prints_its_version_as_an_error():
    said = Answer(Outcome.OK, b"", errors="Python 2.7.18")
    facts = understood({"/usr/bin/python2.7": "", "/usr/bin/python2.7 -V": said})
    assert rows(facts, "Python")[0].software_version == "2.7.18"


def test_pyenv_and_uv_name_the_version_in_the_folder_and_nothing_is_started():
    given = {
        "/root/.pyenv/versions/3.12.1/bin/python3.12": "",
        "/home/ann/.local/share/uv/python/cpython-3.13.0-linux-aarch64-gnu/bin/python3.13": "",
    }
    answers = found(collector, given)
    assert collector.more is not None
    assert not [read for read in collector.more(answers) if isinstance(read, Command)]
    assert {row.software_version for row in collector.parse(answers).software} == {"3.12.1", "3.13.0"}


def test_a_program_in_somebodys_home_folder_is_never_started():
    answers = found(collector, {"/home/ann/miniconda3/bin/python3.12": ""})
    assert collector.more is not None
    assert not [read for read in collector.more(answers) if isinstance(read, Command)]
    assert collector.parse(answers).software[0].software_version is None


def test_the_environment_that_aya_runs_in_is_one_of_them():
    running = {"executable": "/srv/aya/.venv/bin/python", "prefix": "/srv/aya/.venv", "version": "3.11.7"}
    facts = understood(
        {
            "running-python": json.dumps(running),
            "/srv/aya/.venv/pyvenv.cfg": "home = /usr/bin\nversion = 3.11.7\n",
            "/srv/aya/.venv/lib/python3.11/site-packages/orjson-3.13.0.dist-info": "",
            "head /srv/aya/.venv/bin/python": AARCH64,
        }
    )
    row = rows(facts, "Python")[0]
    assert (row.software_version, row.install_path) == ("3.11.7", "/srv/aya/.venv/lib/python3.11")
    assert (row.metadata["environment_of"], row.runtime_mode) == ("/usr/bin", "emulated")
    assert rows(facts, "pip:orjson")[0].software_version == "3.13.0"


def test_a_python_that_does_not_start_has_no_version_and_is_a_gap():
    broken = Answer(Outcome.FAILED, b"Python 9.9.9", "python3.11 -V ended with 127")
    answers = found(collector, {"/usr/bin/python3.11": "", "/usr/bin/python3.11 -V": broken})
    assert [gap.outcome for gap in answers.gaps()] == [Outcome.FAILED]
    assert collector.parse(answers).software[0].software_version is None


def test_a_home_folder_that_may_not_be_read_is_a_gap():
    assert [gap.outcome for gap in found(collector, {"/home/ann": refused()}).gaps()] == [Outcome.DENIED]


# --- packages ---------------------------------------------------------------------------------------------------------

SITE = "/usr/local/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("folder", "name", "version"),
    [
        ("numpy-2.1.0.dist-info", "pip:numpy", "2.1.0"),
        ("typing_extensions-4.12.2.dist-info", "pip:typing-extensions", "4.12.2"),
        ("PyJWT-2.6.0.egg-info", "pip:pyjwt", "2.6.0"),
        ("zope.interface-5.5-py3.11.egg-info", "pip:zope-interface", "5.5"),
        ("backports.zoneinfo-0.2.1.dist-info", "pip:backports-zoneinfo", "0.2.1"),
        ("aya-0.1.dev3+g12ab.dist-info", "pip:aya", "0.1.dev3+g12ab"),
        ("develop_only.egg-info", "pip:develop-only", None),
    ],
)
def test_the_name_of_the_metadata_folder_tells_package_and_version(folder, name, version):
    row = understood({f"{SITE}/{folder}": ""}).software[0]
    assert (row.software_name, row.software_version, row.install_path) == (name, version, SITE)


def test_the_same_package_in_two_places_is_two_rows():
    facts = understood({f"{SITE}/six-1.16.0.dist-info": "", "/usr/lib/python3/dist-packages/six-1.15.0.dist-info": ""})
    assert {row.install_path: row.software_version for row in rows(facts, "pip:six")} == {
        SITE: "1.16.0",
        "/usr/lib/python3/dist-packages": "1.15.0",
    }


def test_what_an_interrupted_upgrade_left_is_one_row_that_names_both_versions():
    facts = understood({f"{SITE}/six-1.9.0.dist-info": "", f"{SITE}/six-1.16.0.dist-info": ""})
    assert [(row.software_version, row.metadata) for row in rows(facts, "pip:six")] == [
        ("1.16.0", {"installed_versions": ["1.9.0", "1.16.0"]})
    ]


def test_a_machine_without_python_has_none():
    assert understood({}).absent


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "running-python",
                "machine-architecture",
                "/usr/bin/python3.11",
                "/usr/bin/python3.11 -V",
                "head /usr/bin/python3.11",
                f"{SITE}/x-1.dist-info",
                f"{SITE}/-.egg-info",
            ]
        ),
        st.binary(max_size=60)
        | st.sampled_from(
            ['{"executable": 1, "prefix": "/p", "version": "3"}', '{"executable":"a","prefix":"b","version":"x"}']
        ),
        max_size=5,
    )
)
def test_garbage_never_breaks_it(garbage):
    understood(garbage)


# --- this machine -----------------------------------------------------------------------------------------------------


def live() -> Facts:
    first = Found.of(LocalHost(), collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(LocalHost(), collector.more(first)))


def test_the_packages_around_us_are_those_that_python_itself_finds():
    library = f"{sys.prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}"
    facts = live()
    assert [row.software_version for row in rows(facts, "Python") if row.install_path == library] == [
        platform.python_version()
    ]
    found_here = {
        row.software_name: row.software_version
        for row in facts.software
        if row.install_path == f"{library}/site-packages" and row.software_name.startswith("pip:")
    }
    expected = {
        "pip:" + re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower(): package.version
        for package in importlib.metadata.distributions(path=[f"{library}/site-packages"])
    }
    assert found_here == expected


def test_an_unchanged_machine_is_equal_at_two_looks():
    one, other = live(), live()
    assert (one.software, one.gaps) == (other.software, other.gaps)
    assert rows(one, "Python")
