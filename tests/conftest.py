"""What every test may use: the recordings, and a real database of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from aya.db.connection import Connection
from aya.db.database import Database, Login
from aya.db.migrate import migrate
from aya.operations.context import Context
from aya.settings import Settings
from bench._laboratory import append_only_tables

# How long an example takes says something about the machine that is tested on, nothing about AYA.
hypothesis_settings.register_profile("aya", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("aya")

SHARED = Path(__file__).parents[2] / "shared"
STATE_TABLES = (
    "system_nodes, network_interfaces, software_versions, services, postgresql_instances, postgresql_configuration, "
    "replication_status, database_schemas, performance_metrics, documentation_files, collection_runs, collection_outcomes, "
    "check_results, aya.tokens, aya.deliveries, aya.embedding_models, documents, chunks, aya.chunk_sets, aya.common_lexemes"
)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of public recordings of real machines; tests that need it are skipped where it is absent."""
    folder = SHARED / "fixtures"
    if not folder.is_dir():
        pytest.skip(f"the public recordings are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def source_document() -> str:
    """The text of the document whose tables and views are the contract; skipped where it is absent."""
    path = SHARED / "seed" / "infrastructure-state-2025-10-09.md"
    if not path.is_file():
        pytest.skip(f"the source document is not at {path}")
    return path.read_text()


@pytest.fixture(scope="session", autouse=True)
def _only_the_options_of_the_test() -> None:
    for name in [name for name in os.environ if name.startswith(("AYA_", "PG"))]:
        del os.environ[name]


def make_home() -> Path:
    """A folder for AYA that the server's user can reach, with a path short enough for sockets."""
    home = Path(tempfile.mkdtemp(prefix="aya-", dir="/tmp"))
    home.chmod(0o755)
    return home


@pytest.fixture(scope="session")
def context() -> Iterator[Context]:
    """An AYA with a running, migrated database, for all tests of this worker."""
    context = Context(Settings(home=make_home(), node="TESTED"))
    context.database.start()
    migrate(context.database)
    with context.database.connect(Login.ADMIN) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # every test empties all tables, and nothing must last
        connection.execute("SELECT pg_reload_conf()")
    yield context
    context.database.server.stop()
    shutil.rmtree(context.settings.home)


def empty(admin: Connection) -> None:
    """Empty all tables; the log is given up with them. A session of the test before may still be reading some."""
    for tries_left in reversed(range(10)):
        try:
            return _empty(admin)
        except psycopg.errors.DeadlockDetected:
            if not tries_left:
                raise


def _empty(admin: Connection) -> None:
    guarded = append_only_tables(admin)
    with admin.transaction():
        for how in ("DISABLE", "ENABLE ALWAYS"):
            for table in guarded:
                admin.execute(f"ALTER TABLE {table} {how} TRIGGER append_only")  # type: ignore[arg-type]
            if how == "DISABLE":
                admin.execute(f"TRUNCATE {', '.join(guarded)}, {STATE_TABLES} RESTART IDENTITY CASCADE")


@pytest.fixture
def database(context: Context) -> Database:
    """That database, empty."""
    with context.database.connect(Login.ADMIN) as connection:
        empty(connection)
    return context.database


@pytest.fixture
def writer(database: Database) -> Iterator[Connection]:
    """A connection that records, to the empty database."""
    with database.connect() as connection:
        yield connection


@pytest.fixture
def admin(database: Database) -> Iterator[Connection]:
    """A connection of the superuser, to the empty database."""
    with database.connect(Login.ADMIN) as connection:
        yield connection
