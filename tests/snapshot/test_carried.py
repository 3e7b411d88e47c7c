"""Snapshots of before they shared content are carried over by the migration, to the byte."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from aya.db.connection import Connection, rows
from aya.db.database import Database, Login
from aya.db.migrate import SQL, migrate, migration_names
from aya.errors import DatabaseError
from aya.operations.context import Context
from aya.settings import Settings
from aya.snapshot import snapshots
from aya.snapshot.canonical import canonical, digest

NODE = {"node": {"status": "active"}, "settings": {"fsync": {"value": "on"}}, "services": {}}
DOCUMENT = {"kind": "aya.state", "schema_version": 1, "nodes": {"ALPHA": NODE}}


@pytest.fixture
def old(context: Context) -> Iterator[tuple[Database, Connection]]:
    """A database of before, and a connection of its superuser."""
    server = context.database.server
    with context.database.connect(Login.ADMIN) as admin:
        admin.execute("CREATE DATABASE carried")
        database = Database(
            Settings(home=context.settings.home, database_url=SecretStr(server.url("postgres", "carried")))
        )
        try:
            with database.connect(Login.ADMIN) as connection:
                connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO aya_owner")
                connection.execute("GRANT CREATE ON DATABASE carried TO aya_owner")
                connection.execute("CREATE EXTENSION vector")
                connection.execute("SET ROLE aya_owner")
                connection.execute("CREATE TABLE alembic_version (version_num text PRIMARY KEY)")
                before = [name for name in migration_names() if name < "0005"]
                for name in before:
                    connection.execute((SQL / "migrations" / f"{name}.sql").read_text())
                connection.execute("INSERT INTO alembic_version VALUES (%s)", (before[-1],))
                connection.execute("RESET ROLE")
                yield database, connection
        finally:
            admin.execute("DROP DATABASE carried WITH (FORCE)")


def take(connection: Connection, number: int, document: object, status: str = "unverified", passed: int = 0) -> None:
    """A snapshot as it was stored then."""
    data = canonical(document)
    connection.execute(
        "INSERT INTO system_state_snapshots (id, snapshot_name, snapshot_type, description, verification_status, tests_passed, "
        "tests_failed, tests_skipped, state_json, state_canonical, state_hash, created_by, created_at) "
        "VALUES (%s, %s, 'manual', 'why', %s, %s, 0, 0, %s, %s, %s, 'me', '2026-11-01Z')",
        (number, f"s{number}", status, passed, data.decode(), data, digest(data)),
    )


def test_every_snapshot_is_carried_over_to_the_byte(old: tuple[Database, Connection]) -> None:
    database, connection = old
    changed = DOCUMENT | {"nodes": {"ALPHA": NODE | {"settings": {"fsync": {"value": "off"}}}, "BETA": NODE}}
    documents = {3: DOCUMENT, 4: DOCUMENT, 7: changed, 9: {"of": "another kind"}}
    for number, document in documents.items():
        take(connection, number, document)
    connection.execute(
        "INSERT INTO system_state_snapshots (id, snapshot_name, state_json) VALUES (12, 'by hand', '{}')"
    )
    assert migrate(database).applied[0].startswith("0005")
    for number, document in documents.items():
        found = snapshots.get(connection, f"s{number}")
        assert (found.id, found.created_by, found.description) == (number, "me", "why")
        assert found.created_at.isoformat() == "2026-11-01T00:00:00+00:00"
        assert found.state_hash == digest(canonical(document))
        assert snapshots.read(connection, f"s{number}") == document
        assert snapshots.verify(connection, f"s{number}").problems == ()
    assert snapshots.read(connection, "by hand") == {}
    assert rows(connection, "SELECT count(*) AS n FROM aya.snapshot_facts")[0]["n"] == 5
    assert [s.snapshot_name for s in snapshots.listing(connection)] == ["by hand", "s9", "s7", "s4", "s3"]
    assert rows(connection, "SELECT to_regclass('snapshots_to_carry') AS left")[0]["left"] is None
    assert snapshots.create(connection, "next", created_by="me").id == 13


def test_what_was_verified_without_being_tied_to_its_state_is_so_no_more(old: tuple[Database, Connection]) -> None:
    database, connection = old
    take(connection, 1, DOCUMENT, "verified", 1)
    connection.execute("INSERT INTO system_nodes (node_name, node_role) VALUES ('ALPHA', 'primary')")
    connection.execute(
        "INSERT INTO check_results (node_id, snapshot_id, check_name, outcome, started_at, duration_ms) "
        "VALUES (1, 1, 'c', 'pass', now(), 1)"
    )
    migrate(database)
    found = snapshots.get(connection, "s1")
    assert (found.verification_status, found.tests_passed) == ("partial", 1)
    assert {reason["reason"] for reason in found.partial_reasons} == {
        "it did not run on this very state",
        "no check passed on this state",
    }
    assert snapshots.verify(connection, "s1").problems == ()
    assert rows(connection, "SELECT snapshot_id FROM check_results")[0]["snapshot_id"] == 1


def test_a_snapshot_that_cannot_be_carried_over_is_named_and_nothing_changes(old: tuple[Database, Connection]) -> None:
    database, connection = old
    connection.execute(
        "INSERT INTO system_state_snapshots (snapshot_name, state_json) VALUES ('too much', '[9007199254740993]')"
    )
    with pytest.raises(DatabaseError, match="snapshot too much cannot be carried over: canonical JSON cannot say"):
        migrate(database)
    assert rows(connection, "SELECT snapshot_name FROM system_state_snapshots")[0]["snapshot_name"] == "too much"
