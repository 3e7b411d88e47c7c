"""Every Python on a Mac: Apple's, python.org's, Homebrew's, and the environment a program runs in."""

import json
import plistlib
from typing import Any

import pytest

from aya.collect.macos.python import collector
from aya.model import Facts, Software
from tests.collect.answers import Given, found
from tests.collect.declared import undeclared
from tests.collect.test_macho import ARM64, X86_64, single, universal

APPLE = "/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework/Versions/3.9"
USER = "/Users/arthur/Library/Python/3.9/lib/python/site-packages"
BREW = "/opt/homebrew/Cellar/python@3.12/3.12.11_1/Frameworks/Python.framework/Versions/3.12"
ALPHA: dict[str, Given] = {
    "sysctl hw": "hw.optional.arm64: 1\nhw.cputype: 16777228\n",
    "/cores": "",
    f"{APPLE}/bin/python3.9": "",
    f"{APPLE}/Resources/Info.plist": plistlib.dumps({"CFBundleShortVersionString": "3.9.6"}),
    f"head {APPLE}/bin/python3.9": universal(X86_64, ARM64),
    f"{BREW}/bin/python3.12": "",
    f"head {BREW}/bin/python3.12": single(ARM64),
    "/Users/arthur/.pyenv/versions/3.11.7/bin/python3.11": "",
    "head /Users/arthur/.pyenv/versions/3.11.7/bin/python3.11": single(X86_64),
    f"{USER}/mlx-0.29.2.dist-info": "",
    f"{USER}/fastapi-0.118.0.dist-info": "",
    f"{USER}/mlx/core.cpython-39-darwin.so": "",
    f"head {USER}/mlx/core.cpython-39-darwin.so": single(ARM64),
    "ps -axww -o pid=,args=": "65125 /Users/arthur/AYA/services/venv/bin/python -m uvicorn app:app\n"
    "700 /Users/arthur/Documents/secret/venv/bin/python x.py\n",
    "/Users/arthur/AYA/services/venv/lib/python3.9/site-packages/uvicorn-0.37.0.dist-info": "",
    "running-python": json.dumps({"executable": "/opt/aya/bin/python", "prefix": "/opt/aya", "version": "3.12.11"}),
}


def understood(given: dict[str, Given]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    return facts


def rows(facts: Facts, name: str) -> list[Software]:
    return [row for row in facts.software if row.software_name == name]


def test_apple_s_python_is_read_from_its_framework_and_never_started() -> None:
    apple = next(row for row in rows(understood(ALPHA), "Python") if row.install_path == f"{APPLE}/lib/python3.9")
    assert (apple.software_version, apple.software_architecture, apple.runtime_mode) == ("3.9.6", "ARM64", "native")
    assert apple.metadata["architectures"] == ["x86_64", "ARM64"]


def test_each_python_is_told_apart_and_runs_as_it_was_built() -> None:
    told = {row.executable_path: (row.software_version, row.runtime_mode) for row in rows(understood(ALPHA), "Python")}
    assert told == {
        f"{APPLE}/bin/python3.9": ("3.9.6", "native"),
        f"{BREW}/bin/python3.12": ("3.12.11", "native"),
        "/Users/arthur/.pyenv/versions/3.11.7/bin/python3.11": ("3.11.7", "Rosetta 2"),
        "/opt/aya/bin/python": ("3.12.11", None),
    }


def test_mlx_is_a_product_with_the_architecture_of_its_compiled_part() -> None:
    (mlx,) = rows(understood(ALPHA), "MLX")
    assert (mlx.software_version, mlx.software_architecture, mlx.runtime_mode) == ("0.29.2", "ARM64", "native")
    assert (mlx.install_path, mlx.metadata) == (USER, {"package": "pip:mlx"})
    (package,) = rows(understood(ALPHA), "pip:mlx")
    assert (package.software_version, package.install_path) == ("0.29.2", USER)


def test_the_packages_of_an_environment_that_is_in_use_count() -> None:
    (uvicorn,) = rows(understood(ALPHA), "pip:uvicorn")
    assert uvicorn.install_path == "/Users/arthur/AYA/services/venv/lib/python3.9/site-packages"


def test_no_look_is_taken_into_a_folder_that_the_system_guards() -> None:
    assert collector.more is not None
    asked: list[Any] = [*collector.more(found(collector, ALPHA))]
    assert not any("Documents" in repr(read) for read in asked)


def test_a_python_in_a_home_folder_is_never_started() -> None:
    assert collector.more is not None
    strange: dict[str, Given] = {"/Users/arthur/miniconda3/bin/python3.11": "", "/cores": ""}
    assert not any("'-V'" in repr(read) for read in collector.more(found(collector, strange)))


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (
            "pip3 list --format=json",
            '[{"name": "mlx", "version": "0.29.2"}, {"name": "Typing_Extensions", "version": "4.15.0"}]',
        ),
        (
            "pip list",
            "Package           Version\n----------------- -------\nmlx               0.29.2\ntyping_extensions 4.15.0\n",
        ),
        ("pip3 freeze", "mlx==0.29.2\ntyping_extensions==4.15.0\n"),
    ],
)
def test_what_pip_printed_counts_in_a_recording_without_folders(command: str, text: str) -> None:
    told = understood({command: text, "python3 --version": "Python 3.9.6\n"})
    assert [(row.software_name, row.software_version) for row in told.software] == [
        ("MLX", "0.29.2"),
        ("Python", "3.9.6"),
        ("pip:mlx", "0.29.2"),
        ("pip:typing-extensions", "4.15.0"),
    ]


def test_a_live_machine_is_not_asked_whose_pip_it_finds() -> None:
    assert collector.more is not None
    assert not any("pip" in repr(read) for read in collector.more(found(collector, {"/cores": ""})))
