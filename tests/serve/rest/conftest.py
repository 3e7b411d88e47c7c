"""A server over real HTTP, and clients of it."""

from collections.abc import Iterator

import httpx2
import pytest

from aya.db.connection import Connection
from aya.operations.context import Context
from aya.record.recorder import record
from aya.serve.rest.server import serving
from tests.record.states import identified, setting, settings_of, state, whole


@pytest.fixture(scope="session")
def url(context: Context) -> Iterator[str]:
    """Where the database of all tests is served."""
    with serving(context, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def client(url: str, writer: Connection) -> Iterator[httpx2.Client]:
    """A client; two nodes are recorded."""
    record(writer, [whole()])
    with httpx2.Client(base_url=url, headers={"accept-encoding": "identity"}) as client:
        yield client


@pytest.fixture
def beta(writer: Connection, client: httpx2.Client) -> None:
    """A second node with settings of its own."""
    record(
        writer,
        [state(identified(None, "m2"), settings_of(setting("fsync", "off"), setting("port", "5433")), name="BETA")],
    )
