"""Bring the database to what the SQL files say: roles, migrations in order, then views, functions, triggers and grants.

Alembic runs the migrations; a migration is one file, `sql/migrations/NNNN_name.sql`, and its name is its revision.
All of it is one transaction: killed or failed at any point, the database is as it was.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import ModuleType
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from aya.db.configuration import DATABASE, SQL_ROLE
from aya.db.connection import Connection, connect, rows, translated
from aya.db.database import ROLES, Database, Login
from aya.db.wall import gaps, is_superuser, mend
from aya.errors import DatabaseUnreachable, DatabaseUnsuitable, MigrationFailed

NEEDED_VERSION_NUM = 180000
SQL = files("aya") / "sql"


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did."""

    applied: tuple[str, ...]
    """Migrations that were applied, in order."""
    objects: tuple[str, ...]
    """Files of views, functions, triggers and grants that were applied again."""
    mended: tuple[str, ...]
    """What the role of read-only SQL may no longer do."""

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return bool(self.applied or self.objects or self.mended)


def migrate(database: Database) -> Migrated:
    """Make the database what the SQL files say. Raises DatabaseUnsuitable or MigrationFailed; then nothing was
    changed.
    """
    if database.is_embedded:
        database.server.renew_access()
        _create_database(database)
    with database.connect(Login.ADMIN, autocommit=False) as connection:
        _refuse_unsuitable(connection)
        done = Migrated((), (), ()) if _is_done(connection) else _migrate(connection)
    if database.is_embedded:
        if database.server.status().tcp_port:
            set_passwords(database)
    elif database.settings.sql_url is None:
        _let_sql_in(database)
    return done


def _is_done(connection: Connection) -> bool:
    return is_current(connection) and not (is_superuser(connection) and any(gap.mend for gap in gaps(connection)))


def _migrate(connection: Connection) -> Migrated:
    connection.rollback()
    with _bound_to_alembic(connection) as bind, translated(doing="migrating"):
        _prepare(connection)
        applied = _apply_migrations(bind)
        objects = _apply_objects(connection, always=bool(applied))
        connection.execute("RESET ROLE")
        # Functions of PostgreSQL itself belong to superusers; without one, read-only SQL is refused and says so.
        mended = mend(connection) if is_superuser(connection) else ()
        connection.commit()
        return Migrated(applied, objects, mended)


def _let_sql_in(database: Database) -> None:
    """Give the role of read-only SQL this installation's password in a server that is not AYA's, unless it gets in as it is."""
    try:
        connect(database.url(Login.SQL)).close()
    except DatabaseUnreachable:
        try:
            set_passwords(database, (SQL_ROLE,))
        except DatabaseUnsuitable:
            return  # whoever asks in SQL is told that it cannot get in, and why


def is_current(connection: Connection) -> bool:
    """Whether the database is what the SQL files of this program say; False when it cannot be told."""
    try:
        with connection.transaction():
            version = rows(connection, "SELECT version_num FROM public.alembic_version")
            applied = {
                row["name"]: row["sha256"] for row in rows(connection, "SELECT name, sha256 FROM aya.applied_objects")
            }
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
        return False
    newest = migration_names()[-1]
    return [row["version_num"] for row in version] == [newest] and applied == _object_hashes()


def migration_names() -> list[str]:
    """The names of all migrations, in order."""
    return sorted(
        entry.name.removesuffix(".sql") for entry in (SQL / "migrations").iterdir() if entry.name.endswith(".sql")
    )


def set_passwords(database: Database, roles: Sequence[str] = tuple(ROLES.values())) -> None:
    """Give the roles that may come by TCP, those that exist, their generated passwords."""
    with database.connect(Login.ADMIN) as connection, translated(doing="setting passwords"):
        there = rows(connection, "SELECT rolname FROM pg_roles WHERE rolname = ANY(%(roles)s)", {"roles": list(roles)})
        for role in (row["rolname"] for row in there):
            # Hashed here, so that the password itself never reaches the server or its log.
            hashed = connection.pgconn.encrypt_password(
                database.server.password(role).encode(), role.encode(), b"scram-sha-256"
            ).decode()
            connection.execute(f"ALTER ROLE {role} PASSWORD '{hashed}'")


def _create_database(database: Database) -> None:
    with connect(database.url(Login.ADMIN, database="postgres")) as connection:
        with translated(doing="looking for the database"):
            if rows(connection, "SELECT FROM pg_database WHERE datname = %(name)s", {"name": DATABASE}):
                return
        with translated(doing="creating the database"):
            connection.execute((SQL / "roles.sql").read_text())
            try:
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER aya_owner")
                connection.execute(
                    f"COMMENT ON DATABASE {DATABASE} IS 'AYA: one verified truth about a set of machines.'"
                )
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return  # another `aya` made it at the same moment


def _refuse_unsuitable(connection: Connection) -> None:
    version = connection.info.server_version
    if version < NEEDED_VERSION_NUM:
        raise DatabaseUnsuitable(
            f"The server is PostgreSQL {version // 10000}; AYA keeps its data in PostgreSQL 18 or newer.",
            remedy="Point AYA_DATABASE_URL to a newer server, or unset it to use the embedded one.",
        )
    with translated(doing="looking for pgvector"):
        if not rows(connection, "SELECT FROM pg_available_extensions WHERE name = 'vector'"):
            raise DatabaseUnsuitable(
                "The server has no pgvector.",
                remedy="Install the pgvector package of that server (the extension is named `vector`), then try again.",
            )
        if rows(connection, "SELECT pg_is_in_recovery() AS standby")[0]["standby"]:
            raise DatabaseUnsuitable(
                "The server is a standby and cannot be written to.", remedy="Point AYA_DATABASE_URL to its primary."
            )


def _prepare(connection: Connection) -> None:
    connection.execute((SQL / "roles.sql").read_text())
    connection.execute("SELECT pg_advisory_xact_lock(hashtext('aya.migrate'))")
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseUnsuitable(
            f"The login may not install pgvector: {error.diag.message_primary}. Nothing was changed.",
            remedy="Let an administrator run `CREATE EXTENSION vector` in this database once, then try again.",
        ) from error
    me = rows(
        connection,
        "SELECT current_user AS name, current_database() AS database, ARRAY(SELECT role FROM unnest(%(roles)s::text[]) role "
        "WHERE NOT pg_has_role(role, 'SET') OR NOT pg_has_role(role, 'USAGE')) AS not_held",
        {"roles": ["aya_owner", "aya_writer", "aya_reader"]},
    )[0]
    # Who made a role is not yet a member of it, unless a superuser, who needs no membership.
    for role in me["not_held"]:
        connection.execute(
            psycopg.sql.SQL("GRANT {} TO {} WITH SET TRUE, INHERIT TRUE").format(
                psycopg.sql.Identifier(role), psycopg.sql.Identifier(me["name"])
            )
        )
    for granted in ("CREATE, CONNECT, TEMPORARY ON DATABASE {} TO aya_owner", "CONNECT ON DATABASE {} TO aya_sql"):
        connection.execute(psycopg.sql.SQL("GRANT " + granted).format(psycopg.sql.Identifier(me["database"])))
    connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO aya_owner")
    connection.execute("SET LOCAL ROLE aya_owner")


@contextmanager
def _bound_to_alembic(connection: Connection) -> Iterator[Any]:
    """Alembic speaks through SQLAlchemy: lend it this connection, so that its work and ours are one transaction."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool, pool_reset_on_return=None
    )
    ours, connection.row_factory = connection.row_factory, tuple_row  # type: ignore[assignment]
    try:
        with engine.connect() as bind:
            yield bind
    finally:
        connection.row_factory = ours


def _apply_migrations(bind: Any) -> tuple[str, ...]:
    """Let Alembic apply what is missing."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from sqlalchemy.exc import DBAPIError

    applied: list[str] = []
    scripts = _script_directory(applied)
    with EnvironmentContext(
        Config(), scripts, fn=lambda revision, _: scripts._upgrade_revs("head", revision)
    ) as context:
        context.configure(connection=bind, version_table_schema="public")
        try:
            context.run_migrations()
        except DBAPIError as error:
            raise MigrationFailed(
                f"A migration did not apply, and nothing was changed: {error.orig}",
                remedy="If AYA's tables were changed by hand, undo that; else report this.",
            ) from error
    return tuple(applied)


def _script_directory(applied: list[str]) -> Any:
    """Alembic's view of the migrations: one revision per SQL file, each after the one before."""
    from alembic.script.base import Script, ScriptDirectory

    class SqlScripts(ScriptDirectory):
        def _load_revisions(self) -> Sequence[Script]:  # type: ignore[override]
            names = migration_names()
            return [
                Script(_module(name, previous, _upgrade(name, applied)), name, f"{name}.sql")
                for name, previous in zip(names, [None, *names], strict=False)
            ]

    return SqlScripts(dir=".")


def _module(name: str, previous: str | None, upgrade: Callable[[], None]) -> ModuleType:
    module = ModuleType(name, doc=f"sql/migrations/{name}.sql")
    vars(module).update(revision=name, down_revision=previous, branch_labels=None, depends_on=None, upgrade=upgrade)
    return module


def _upgrade(name: str, applied: list[str]) -> Callable[[], None]:
    def upgrade() -> None:
        from alembic import op

        op.get_bind().exec_driver_sql((SQL / "migrations" / f"{name}.sql").read_text().replace("%", "%%"))
        applied.append(name)

    return upgrade


def _object_files() -> list[Traversable]:
    return sorted((e for e in (SQL / "objects").iterdir() if e.name.endswith(".sql")), key=lambda entry: entry.name)


def _object_hashes() -> dict[str, str]:
    return {entry.name: sha256(entry.read_bytes()).hexdigest() for entry in _object_files()}


def _apply_objects(connection: Connection, *, always: bool) -> tuple[str, ...]:
    """Apply the files that differ from what is in force; all of them after a migration."""
    in_force = {row["name"]: row["sha256"] for row in rows(connection, "SELECT name, sha256 FROM aya.applied_objects")}
    hashes = _object_hashes()
    due = [entry for entry in _object_files() if always or in_force.get(entry.name) != hashes[entry.name]]
    for entry in due:
        connection.execute(entry.read_text())
        connection.execute(
            "INSERT INTO aya.applied_objects VALUES (%(name)s, %(sha256)s) "
            "ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256",
            {"name": entry.name, "sha256": hashes[entry.name]},
        )
    connection.execute("DELETE FROM aya.applied_objects WHERE NOT name = ANY(%(names)s)", {"names": list(hashes)})
    return tuple(entry.name for entry in due)
