"""The schema of each database: schemas, tables, views, columns, indexes, constraints, sequences, functions, triggers.

One row for each; the system's own schemas and temporary objects are left out. The size of a table is its files with
TOAST and maps but without indexes (`index_size_bytes`). What another session keeps locked is not waited for: it is a
gap. A foreign key's table is named without its schema, which is in `foreign_key_schema`.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aya.collect.postgresql.collector import Row, Rows, Server, ServerCollector
from aya.model import Facts, Gap, Outcome, SchemaObject

RELATION = {
    "relation": "table, partitioned table, foreign table, view or materialized view",
    "owner": "role that owns it",
    "extension": "extension that it belongs to",
    "persistence": "permanent or unlogged",
    "access_method": "how its rows are stored, as heap",
    "tablespace": "tablespace, where it is not the database's own",
    "options": "storage parameters, as written in WITH (...)",
    "row_security": "whether row-level security is on",
    "partition_of": "table that it is a partition of",
    "partition_key": "how it is partitioned",
    "partition_bound": "what belongs into this partition",
    "definition": "query of a view",
    "comment": "COMMENT ON it",
}
COLUMN = {
    "position": "number of the column, counted from 1; numbers of dropped columns are not used again",
    "foreign_key_schema": "schema of the table that a foreign key points to",
    "identity": "always or by default, for an identity column",
    "generated": "stored or virtual, for a generated column",
    "collation": "collation, where it is not that of the type",
    "comment": "COMMENT ON it",
}
INDEX = {
    "is_unique": "whether it allows no duplicates",
    "is_valid": "whether queries may use it; false after a failed CREATE INDEX CONCURRENTLY",
    "is_ready": "whether changes are kept in it",
    "is_partial": "whether it covers only some rows",
    "is_partitioned": "whether it stands for the indexes of all partitions, without a file of its own",
    "tablespace": "tablespace, where it is not the database's own",
    "options": "storage parameters, as written in WITH (...)",
    "comment": "COMMENT ON it",
}
CONSTRAINT = {
    "columns": "columns of the table that it is about, in its order",
    "foreign_key_schema": "schema of the table that a foreign key points to",
    "is_validated": "whether rows older than it were checked",
    "is_deferrable": "whether it can wait until the end of a transaction",
    "is_deferred": "whether it does so by default",
    "comment": "COMMENT ON it",
}
ROUTINE = {
    "owner": "role that owns it",
    "type": "type of a sequence; function, procedure, aggregate or window function; function that a trigger calls",
    "language": "language of a function",
    "text_md5": "MD5 of the text of a function",
    "increment": "step of a sequence",
    "maximum": "greatest value of a sequence",
    "is_enabled": "whether a trigger fires",
    "is_security_definer": "whether a function runs with the rights of its owner",
}


def parse(rows: Rows, server: Server) -> Facts:
    """One row for each object of this database; what is locked is a gap."""
    every = {name: rows[name] for name in ("relations", "columns", "indexes", "constraints")}
    free = {name: [row for row in found if not row["is_locked"]] for name, found in every.items()}
    locked = sorted({f"{row['schema']}.{row['name' if name == 'relations' else 'table_name']}"
                     for name, found in every.items() for row in found if row["is_locked"]})  # fmt: skip
    index_bytes: dict[tuple[str, str], int | None] = defaultdict(int)
    for row in rows["indexes"]:
        table, known = (row["schema"], row["table_name"]), index_bytes[row["schema"], row["table_name"]]
        size = 0 if row["is_partitioned"] else row["size_bytes"]
        index_bytes[table] = None if known is None or size is None else known + size
    return Facts(
        schemas=(
            *(_relation(row, server, index_bytes[row["schema"], row["name"]]) for row in free["relations"]),
            *(_column(row, server) for row in free["columns"]),
            *(_index(row, server) for row in free["indexes"]),
            *(_constraint(row, server) for row in free["constraints"]),
            *(_routine(row, server) for row in rows.get("routines", ())),
        ),
        gaps=tuple(Gap(Outcome.FAILED, f"{name} in {server.database}: locked by another session") for name in locked),
    )


def _relation(row: Row, server: Server, index_bytes: int | None) -> SchemaObject:
    told = _told(row["kind"], row, RELATION)
    if row["estimated_rows"] is not None:
        told["observed"] = {"estimated_rows": row["estimated_rows"]}
    return SchemaObject(
        instance=server.instance,
        database_name=server.database,
        kind=row["kind"],
        schema_name=row["schema"],
        table_name=row["name"],
        table_size_bytes=row["size_bytes"],
        index_size_bytes=index_bytes if row["size_bytes"] is not None else None,
        metadata=told,
    )


def _column(row: Row, server: Server) -> SchemaObject:
    return SchemaObject(
        instance=server.instance,
        database_name=server.database,
        kind="column",
        schema_name=row["schema"],
        table_name=row["table_name"],
        column_name=row["name"],
        data_type=row["data_type"],
        is_nullable=row["is_nullable"],
        column_default=row["column_default"],
        character_maximum_length=row["maximum_length"],
        is_primary_key=row["is_primary_key"],
        foreign_key_table=row["foreign_key_table"],
        foreign_key_column=row["foreign_key_column"],
        metadata=_told("column", row, COLUMN),
    )


def _index(row: Row, server: Server) -> SchemaObject:
    return SchemaObject(
        instance=server.instance,
        database_name=server.database,
        kind="index",
        schema_name=row["schema"],
        table_name=row["table_name"],
        index_name=row["name"],
        index_type=row["type"],
        index_definition=row["definition"],
        is_primary_key=row["is_primary"],
        index_size_bytes=row["size_bytes"],
        metadata=_told("index", row, INDEX),
    )


def _constraint(row: Row, server: Server) -> SchemaObject:
    return SchemaObject(
        instance=server.instance,
        database_name=server.database,
        kind="constraint",
        schema_name=row["schema"],
        table_name=row["table_name"],
        constraint_name=row["name"],
        constraint_type=row["type"],
        constraint_definition=row["definition"],
        is_primary_key=row["type"] == "PRIMARY KEY",
        foreign_key_table=row["foreign_key_table"],
        foreign_key_column=", ".join(row["foreign_key_columns"]) or None,
        metadata=_told("constraint", row, CONSTRAINT),
    )


def _routine(row: Row, server: Server) -> SchemaObject:
    return SchemaObject(
        instance=server.instance,
        database_name=server.database,
        kind=row["kind"],
        schema_name=row["schema"],
        table_name=row["table_name"],
        object_name=row["name"],
        metadata=_told(row["kind"], row, ROUTINE),
    )


def _told(kind: str, row: Row, documented: Iterable[str]) -> dict[str, Any]:
    return {"kind": kind} | {key: row[key] for key in documented if row[key] is not None}


collector = ServerCollector(
    queries=("relations", "columns", "indexes", "constraints"),
    further=("routines",),
    parse=parse,
    each_database=True,
    sections=("schemas",),
    metadata={
        "schemas:kind": "schema, table, view, column, index, constraint, sequence, function or trigger",
        **{
            f"schemas:{key}": meaning
            for documented in (ROUTINE, CONSTRAINT, INDEX, COLUMN, RELATION)
            for key, meaning in documented.items()
        },
        "schemas:observed.estimated_rows": "rows as the server estimated when it last looked (VACUUM, ANALYZE)",
    },
)
