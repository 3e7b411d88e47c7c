"""Databases are told with what they are, and measured."""

from aya.model import Outcome
from tests.collect.postgresql.cluster import Cluster
from tests.collect.postgresql.conftest import collected


def test_a_database_is_told_with_its_encoding_owner_limit_and_size(cluster: Cluster) -> None:
    with cluster.scratch('größe "x"', "ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C' CONNECTION LIMIT 7") as name:
        facts = collected("databases", cluster)
        rows = {row.database_name: row for row in facts.schemas}
        row = rows[name]
        size = cluster.run("SELECT pg_database_size(oid) FROM pg_database WHERE datname ~ '^gr'")[0][0]
    assert row.kind == "database"
    assert row.table_size_bytes == size
    expected = {"kind": "database", "owner": "postgres", "encoding": "LATIN1", "collation": "C", "connection_limit": 7}
    assert expected.items() <= row.metadata.items()
    assert ("locale_provider" in row.metadata) == (cluster.version >= 15)
    assert {"postgres", "template0", "template1", name} <= set(rows)
    assert rows["template0"].metadata["allows_connections"] is False
    assert "connection_limit" not in rows["postgres"].metadata
    sizes = {m.conditions["database"]: m.value for m in facts.measurements if m.name == "size"}
    assert sizes[name] == size


def test_a_size_that_may_not_be_known_is_a_gap(newest: Cluster) -> None:
    newest.run("CREATE ROLE plain LOGIN", "CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    facts = collected("databases", newest, user="plain")
    closed = next(row for row in facts.schemas if row.database_name == "closed")
    assert closed.table_size_bytes is None
    assert [gap.outcome for gap in facts.gaps] == [Outcome.DENIED]
    assert "closed" in facts.gaps[0].reason
