"""Valid indexes pass; one that a failed building left behind fails and is named."""

from collections.abc import Iterator

import psycopg
import pytest

from aya.db.connection import Connection, connect
from aya.db.database import Login
from tests.verify.conftest import Node, OwnServer


@pytest.fixture
def elsewhere(admin: Connection, described: Node) -> Iterator[Connection]:
    """The superuser in another database of the same server."""
    admin.execute('CREATE DATABASE "else where"')
    try:
        with connect(described.database.url(Login.ADMIN, database="else where")) as connection:
            yield connection
    finally:
        admin.execute('DROP DATABASE "else where" WITH (FORCE)')


def test_an_index_that_is_not_valid_fails_and_every_other_database_passes(
    described: Node, own_server: OwnServer, elsewhere: Connection
) -> None:
    elsewhere.execute('CREATE TABLE "a b" (n integer); INSERT INTO "a b" VALUES (1), (1)')
    with pytest.raises(psycopg.errors.UniqueViolation):
        elsewhere.execute('CREATE UNIQUE INDEX CONCURRENTLY broken ON "a b" (n)')
    found = {
        target: (outcome, reason)
        for target, outcome, reason in described.tested_by("indexes_valid", own_server.reachable)
    }
    assert found.pop(f"{own_server.instance}/else where") == (
        "fail",
        'public.broken on public."a b" is not valid and not ready',
    )
    assert set(found) == {f"{own_server.instance}/{name}" for name in ("aya_rag", "postgres", "template1")}
    assert set(found.values()) == {("pass", None)}


def test_an_index_that_is_not_ready_fails_too(described: Node, own_server: OwnServer, elsewhere: Connection) -> None:
    elsewhere.execute("CREATE TABLE t (n integer PRIMARY KEY)")
    elsewhere.execute("UPDATE pg_index SET indisready = false WHERE indrelid = 't'::regclass")
    reasons = [
        reason for _, outcome, reason in described.tested_by("indexes_valid", own_server.reachable) if outcome == "fail"
    ]
    assert reasons == ["public.t_pkey on public.t is not ready"]


def test_a_server_that_is_not_there_fails(described: Node) -> None:
    assert [outcome for _, outcome, _ in described.tested_by("indexes_valid")] == ["fail"]
