"""The databases of a PostgreSQL server: owner, encoding, locale, limits, and their sizes.

One row of kind `database` each; `table_size_bytes` is the size of all its files.
"""

from decimal import Decimal

from aya.collect.postgresql.collector import Rows, Server, ServerCollector
from aya.model import Facts, Gap, Measurement, Outcome, SchemaObject

DOCUMENTED = {
    "owner": "role that owns it",
    "encoding": "character encoding of its texts",
    "collation": "locale of sorting (LC_COLLATE)",
    "character_type": "locale of character classes (LC_CTYPE)",
    "locale_provider": "libc, icu or builtin",
    "locale": "locale of the provider, where it is not libc",
    "collation_version": "version of the collation that its indexes were built with",
    "actual_collation_version": "version that the system has now; where it differs indexes on text may be wrong",
    "is_template": "anybody with CREATEDB may clone it",
    "allows_connections": "whether anybody may connect; where not, AYA cannot look inside",
    "tablespace": "default tablespace",
    "comment": "COMMENT ON DATABASE",
}


def parse(rows: Rows, server: Server) -> Facts:
    """One row for each database, and measurements of its size and traffic."""
    databases, gaps = [], []
    measurements: list[Measurement] = []
    for row in rows["databases"]:
        name, size = row["name"], row["size_bytes"]
        metadata = {"kind": "database"} | {key: row[key] for key in DOCUMENTED if row[key] is not None}
        limit = row["connection_limit"]
        if limit == -2:
            metadata["is_invalid"] = True
        elif limit >= 0:
            metadata["connection_limit"] = limit
        databases.append(
            SchemaObject(
                instance=server.instance, database_name=name, kind="database", table_size_bytes=size, metadata=metadata
            )
        )
        if size is None:
            gaps.append(
                Gap(Outcome.DENIED, f"size of database {name}: neither CONNECT nor pg_read_all_stats is granted")
            )
        accesses = (row["blks_hit"] or 0) + (row["blks_read"] or 0)
        measured = {
            ("size", "bytes"): size,
            ("connections", "connections"): row["connections"],
            ("cache_hits", "percent"): 100 * Decimal(row["blks_hit"]) / accesses if accesses else None,
        }
        measurements += (
            Measurement(
                category="database",
                name=what,
                value=round(Decimal(value), 4),
                unit=unit,
                conditions={"instance": server.instance, "database": name},
            )
            for (what, unit), value in measured.items()
            if value is not None
        )
    return Facts(schemas=tuple(databases), measurements=tuple(measurements), gaps=tuple(gaps))


collector = ServerCollector(
    queries=("databases",),
    parse=parse,
    sections=("schemas",),
    metadata={
        "schemas:kind": "what the row is: database, schema, table, view, column, index, constraint, ...",
        **{f"schemas:{key}": meaning for key, meaning in DOCUMENTED.items()},
        "schemas:connection_limit": "most connections at once; absent: no limit of its own",
        "schemas:is_invalid": "true: dropping it was interrupted, and it can only be dropped",
    },
    measures={
        "database.size": "bytes: all files of a database",
        "database.connections": "connections: sessions in a database now",
        "database.cache_hits": "percent: blocks found in shared buffers, of all asked for since statistics were reset",
    },
)
