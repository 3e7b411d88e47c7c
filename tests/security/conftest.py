"""A place to be hostile in."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aya.db.connection import Connection
from aya.db.database import Database, Login
from aya.db.migrate import migrate
from aya.record.recorder import record
from tests.conftest import make_home
from tests.record.states import state
from tests.security import hostile
from tests.security.hostile import Hostile, Watch


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where hostile SQL would write, and the server could."""
    folder = make_home()
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def catalogue(folder: Path) -> list[Hostile]:
    if not hostile.CATALOGUE.is_file():
        pytest.skip(f"the catalogue of hostile SQL is not at {hostile.CATALOGUE}")
    return hostile.statements(folder)


@pytest.fixture
def watch(database: Database, admin: Connection, folder: Path) -> Iterator[Watch]:
    """Something recorded, secrets and traps planted, and everything watched."""
    with database.connect() as writer:
        record(writer, [state()])
    hostile.plant(admin)
    migrate(database)
    with database.connect(Login.READER) as bystander, psycopg.connect(database.url(Login.SQL), autocommit=True) as same:
        yield Watch(admin, bystander, same, folder)
    hostile.uproot(admin)
