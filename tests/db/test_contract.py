"""The database keeps every promise of the source document: tables, columns, types, indexes, views."""

import random
from decimal import Decimal

import psycopg
import pytest

from aya.db.connection import Connection, rows
from tests import contract

COMPATIBLE = {
    "SERIAL": {"integer", "bigint"},
    "INTEGER": {"integer", "bigint", "numeric"},
    "BIGINT": {"bigint", "numeric"},
    "VARCHAR": {"text", "character varying"},
    "TEXT": {"text"},
    "BOOLEAN": {"boolean"},
    "TIMESTAMP": {"timestamp with time zone"},
    "JSONB": {"jsonb"},
    "UUID": {"uuid"},
    "INET": {"inet"},
    "MACADDR": {"macaddr"},
    "NUMERIC": {"numeric", "double precision"},
}


def test_the_document_has_eleven_tables_and_four_views(source_document: str) -> None:
    assert len(contract.tables(source_document)) == 11
    assert len(contract.views(source_document)) == 4
    assert len(contract.indexes(source_document)) == 35


def test_every_column_of_the_document_exists_with_a_type_that_holds_its_values(
    source_document: str, admin: Connection
) -> None:
    found = {
        (row["table_name"], row["column_name"]): row["data_type"]
        for row in rows(
            admin,
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'",
        )
    }
    promised = {(t, c): kind for t, cs in contract.tables(source_document).items() for c, kind in cs.items()}
    assert len(promised) > 150
    missing = [key for key in promised if key not in found]
    narrowed = [
        (key, found[key]) for key, kind in promised.items() if key in found and found[key] not in COMPATIBLE[kind]
    ]
    assert (missing, narrowed) == ([], [])


def test_every_index_of_the_document_exists_on_its_columns_or_more(source_document: str, admin: Connection) -> None:
    found = {row["indexname"]: row["indexdef"] for row in rows(admin, "SELECT indexname, indexdef FROM pg_indexes")}
    for name, (table, columns) in contract.indexes(source_document).items():
        # A table may have become a view over one of the same name in schema aya.
        assert f" {table} " in found[name].replace("public.", "").replace("aya.", "")
        inside = found[name].split("(", 1)[1]
        assert all(column in inside for column in columns), found[name]


@pytest.mark.parametrize(
    "view", ["v_system_overview", "v_replication_health", "v_service_status", "v_performance_summary"]
)
def test_a_view_gives_the_columns_and_rows_of_its_body_as_printed(
    source_document: str, admin: Connection, view: str
) -> None:
    fill(admin, random.Random(7))
    printed = contract.views(source_document)[view]
    # One transaction, so that now() is the same for both.
    with admin.transaction(), admin.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        theirs = cursor.execute(printed).fetchall()
        their_columns = [(c.name, c.type_code) for c in cursor.description or ()]
        ours = cursor.execute(f"SELECT * FROM {view}").fetchall()
        our_columns = [(c.name, c.type_code) for c in cursor.description or ()]
    assert our_columns == their_columns
    assert len(theirs) > 3
    if "ORDER BY" in printed:
        assert ours == theirs
    else:
        assert sorted(ours, key=repr) == sorted(theirs, key=repr)


def fill(connection: Connection, random: random.Random) -> None:
    """Nodes with and without services, software, primary addresses (one, two, the same twice), replication and
    metrics.
    """
    for number in range(12):
        connection.execute(
            "INSERT INTO system_nodes (node_name, node_role, ram_gb, status) VALUES (%s, 'standalone', %s, 'active')",
            (f"NODE{number}", Decimal(number + 1) / 2),
        )
    for node in range(1, 13):
        for n in range(random.randrange(4)):
            connection.execute(
                "INSERT INTO network_interfaces (node_id, interface_name, ipv4_address, is_primary) VALUES (%s, %s, %s, %s)",
                (node, f"eth{n}", f"10.0.0.{random.randrange(2)}", random.random() < 0.8),
            )
        for n in range(random.randrange(6)):
            connection.execute(
                "INSERT INTO services (node_id, service_name, status, started_at) "
                "VALUES (%s, %s, %s, now() - %s * interval '1 hour')",
                (node, f"service{n}", random.choice(["running", "stopped", "failed"]), random.randrange(99)),
            )
        for n in range(random.randrange(6)):
            connection.execute(
                "INSERT INTO software_versions (node_id, software_name, is_active) VALUES (%s, %s, %s)",
                (node, f"software{n}", random.random() < 0.7),
            )
        for n in range(random.randrange(1, 6)):
            connection.execute(
                "INSERT INTO performance_metrics (node_id, metric_category, metric_name, metric_value, metric_unit, measured_at) "
                "VALUES (%s, 'c', %s, %s, 'ms', now() - %s * interval '1 day')",
                (node, f"m{n % 2}", Decimal(random.randrange(10**6)) / 1000, random.randrange(12)),
            )
        connection.execute(
            "INSERT INTO replication_status (primary_node_id, replica_node_id, slot_name, is_active) VALUES (%s, %s, 's', %s)",
            (node, random.choice([None, 1, 2, 3]), random.random() < 0.8),
        )
