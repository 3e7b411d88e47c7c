"""An AYA that a stranger has brought up; and one that is served over real HTTP, with clients of it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from aya.access.scope import Scope
from aya.db.connection import Connection
from aya.operations.context import Context
from aya.operations.tokens import create_token
from aya.record.recorder import record
from aya.serve.rest.server import serving
from tests.conftest import make_home
from tests.record.states import identified, setting, settings_of, state, whole
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


@pytest.fixture(scope="session")
def url(context: Context) -> Iterator[str]:
    """Where the database of all tests is served, as often as it is asked."""
    with serving(Context(context.settings.model_copy(update={"rate_per_s": 0})), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def client(url: str, context: Context, writer: Connection) -> Iterator[httpx2.Client]:
    """A client who may everything; a node is recorded."""
    record(writer, [whole()])
    token = create_token(context, "tests", scope=[Scope.ADMIN]).token
    headers = {"accept-encoding": "identity", "authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=url, headers=headers) as client:
        yield client


@pytest.fixture
def beta(writer: Connection, client: httpx2.Client) -> None:
    """A second node with settings of its own."""
    record(
        writer,
        [state(identified(None, "m2"), settings_of(setting("fsync", "off"), setting("port", "5433")), name="BETA")],
    )


@pytest.fixture
def here(context: Context) -> Command:
    """`aya` on the database that is served."""
    return Command.at(context.settings.home, AYA_NODE="TESTED")
