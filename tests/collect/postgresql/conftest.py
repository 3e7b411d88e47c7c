"""Servers of every version at hand."""

from collections.abc import Iterator

import pytest

from aya.collect.postgresql.collector import ServerCollector
from aya.collect.postgresql.run import identify, query, server_collectors
from aya.db.observed import NotObserved
from aya.model import Facts
from aya.redaction import Redactor
from tests.collect.postgresql.cluster import VERSIONS, Cluster, binaries

REDACTOR = Redactor(b"\1" * 32)


def made(version: int, **options: str) -> Cluster:
    """A new running server; the test is skipped where there are no programs of that version."""
    if binaries(version) is None:
        pytest.skip(f"no programs of PostgreSQL {version} on this machine")
    cluster = Cluster(version)
    try:
        return cluster.make(**options).start()
    except BaseException:
        cluster.remove()
        raise


@pytest.fixture(scope="session", params=VERSIONS, ids=lambda version: f"pg{version}")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A running server of each version, with the login `monitor`, a member of pg_monitor and nothing more."""
    cluster = made(request.param)
    try:
        cluster.run("CREATE ROLE monitor LOGIN IN ROLE pg_monitor")
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def newest() -> Iterator[Cluster]:
    """A running PostgreSQL 18 that a test may spoil."""
    cluster = made(18)
    try:
        yield cluster
    finally:
        cluster.remove()


def collected(name: str, cluster: Cluster, database: str = "postgres", *, user: str = "postgres") -> Facts:
    """What one collector understands of a server; of a superuser's questions none may be refused."""
    collector: ServerCollector = server_collectors()[name]
    rows = {}
    with cluster.observed(database, user=user) as connection:
        server = identify(connection, REDACTOR)
        for wanted in collector.queries + collector.further:
            try:
                rows[wanted] = connection.rows(query(wanted, server.major), bare=wanted in collector.bare)
            except NotObserved:
                assert user != "postgres"
                assert wanted in collector.further
    return collector.parse(rows, server)
