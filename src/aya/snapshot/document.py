"""The state document: everything recorded about the nodes that is state, and nothing that moves.

    {"kind": "aya.state", "schema_version": 1,
     "nodes": {"ALPHA": {"node": {...}, "interfaces": {"en0": {...}}, "settings": {"7301…:5432 | work_mem": {...}}, ...}}}

A row is keyed by what tells it from the others; unknown fields are left out, so that a column added later changes no
hash.
"""

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from aya.db.connection import Connection, rows, translated
from aya.errors import SnapshotError
from aya.model import FACT_TYPES, Fact, Node
from aya.snapshot.canonical import plain

KIND = "aya.state"
SCHEMA_VERSION = 1
NODE_COLUMNS = ("node_role", "node_role_source", "identity", "status", *(field.name for field in fields(Node)))

Document = dict[str, Any]


def read_document(
    connection: Connection,
    *,
    nodes: Collection[str] | None = None,
    sections: Collection[str] | None = None,
    foreign: bool = True,
) -> Document:
    """The state document of all nodes, or of those named, out of one consistent view of the database.

    `sections`: read only these; the others are empty. Such a document is no snapshot. `foreign`: also of nodes that another
    AYA vouches for.
    """
    with translated(doing="reading the state"), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return document_within(connection, nodes, sections, foreign=foreign)


def document_within(
    connection: Connection,
    nodes: Collection[str] | None,
    sections: Collection[str] | None = None,
    *,
    foreign: bool = True,
) -> Document:
    """The same out of the view that the transaction has which is open."""
    wanted = {"nodes": None if nodes is None else list(nodes), "foreign": foreign}
    document: dict[str, Any] = {}
    for row in rows(connection, _node_query(), wanted):
        name = row.pop("node_name")
        document[name] = {"node": _known(row), **{fact_type.SECTION: {} for fact_type in FACT_TYPES}}
    for fact_type in FACT_TYPES:
        if sections is not None and fact_type.SECTION not in sections:
            continue
        for row in rows(connection, _section_query(fact_type), wanted):
            section = document[row.pop("node_name")][fact_type.SECTION]
            key = row_key(fact_type, row)
            if key in section:
                raise SnapshotError(
                    f"{fact_type.TABLE} holds the same fact twice: {key}.",
                    remedy="Two rows were written by hand for one thing: delete one of them.",
                )
            section[key] = _known(row)
    return {"kind": KIND, "schema_version": SCHEMA_VERSION, "nodes": document}


def row_key(fact_type: type[Fact], row: dict[str, Any]) -> str:
    """What tells a row from the others of its section, readable: `eth0`, `7301…:5432 | work_mem`."""
    parts = ["" if row[name] is None else str(row[name]).replace("|", "\\|") for name in fact_type.KEY]
    if fact_type.KIND_SHAPES_KEY:
        return " | ".join(part for part in parts if part)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return " | ".join(parts)


def _known(row: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in row.items() if value is not None and value != {}}


_WANTED = "(%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)) AND (%(foreign)s OR n.origin IS NULL)"


def _node_query() -> str:
    return (
        f"SELECT node_name, {', '.join(NODE_COLUMNS)}, metadata - 'observed' AS metadata FROM system_nodes n "
        f"WHERE {_WANTED} ORDER BY n.node_name"
    )


def _section_query(fact_type: type[Fact]) -> str:
    columns = ", ".join(f"t.{name}" for name in fact_type.state_fields())
    return (
        f"SELECT n.node_name, {columns} FROM {fact_type.TABLE} t JOIN system_nodes n ON n.id = t.node_id "
        f"WHERE t.{fact_type.PRESENCE} AND {_WANTED} ORDER BY t.id"
    )
