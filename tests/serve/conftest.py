"""An AYA that a stranger has brought up."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import make_home
from tests.serve.command import Command, Done


@dataclass(frozen=True)
class Installed:
    """A command whose home holds a running server with this machine recorded, and how bringing it up ended."""

    aya: Command
    first: Done


@pytest.fixture(scope="session")
def installed() -> Iterator[Installed]:
    home = make_home()
    aya = Command.at(home, AYA_NODE="STRANGER")
    try:
        yield Installed(aya, aya("up", "--once", "--json"))
    finally:
        aya("db", "stop")
        shutil.rmtree(home)


@pytest.fixture
def aya(installed: Installed) -> Command:
    """`aya` where everything is recorded."""
    assert installed.first.code in (0, 3), installed.first.err
    return installed.aya


@pytest.fixture
def nowhere(tmp_path: Path) -> Command:
    """`aya` with a home that does not exist."""
    return Command.at(tmp_path / "home")
