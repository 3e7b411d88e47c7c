"""The state of nodes as JSON text, built by PostgreSQL: the node's own columns, and each list that is part of the state.

    {"node": {"node_name": "ALPHA", "cpu_model": "Apple M3 Ultra", …}, "interfaces": [{…}, …], …, "schemas": [{…}, …]}

What is not known is left out. It holds observations as well: it is what is recorded, not what is hashed.
"""

import re
from collections.abc import Sequence

from psycopg.rows import tuple_row

from aya.db.connection import Connection, translated
from aya.db.lists import Column, RowList, columns, row_lists
from aya.db.selection import json_of

WANTED = re.compile(re.escape("(%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))"))
"""How a list says of which nodes it is."""


def sections() -> list[RowList]:
    """The lists that are part of the state."""
    return [one for one in row_lists().values() if one.is_state]


def shown(connection: Connection, section: RowList) -> tuple[Column, ...]:
    """The columns of a section as they stand in the state: whose they are is said once, around them."""
    return tuple(column for column in columns(connection, section) if column.name not in ("id", "node_name"))


def node_columns(connection: Connection) -> tuple[Column, ...]:
    """The columns of the node itself."""
    return tuple(column for column in columns(connection, row_lists()["node"]) if column.name != "id")


def state_query(connection: Connection, condition: str) -> str:
    """The statement that gives number, name and state of those of `wanted_node` for which the condition holds."""
    node = f"SELECT {_object(node_columns(connection))} FROM (SELECT wanted_node.*) AS l"
    parts = [f"'node' VALUE ({node})"]
    for section in sections():
        order = ", ".join(
            f"l.{part.removeprefix('-')}{' DESC' if part.startswith('-') else ''}" for part in section.order
        )
        rows = f"json_agg({_object(shown(connection, section))} ORDER BY {order})"
        # A list asks for all nodes that are wanted; here it is one after the other, by a name that no list uses itself.
        of_one, asked = WANTED.subn("wanted_node.node_name = n.node_name", section.sql)
        assert asked == 1, section.name
        parts.append(f"'{section.name}' VALUE (SELECT coalesce({rows}, '[]'::json) FROM ({of_one}) AS l)")
    return (
        f"SELECT wanted_node.id, wanted_node.node_name, JSON_OBJECT({', '.join(parts)} RETURNING text) "
        f"FROM system_nodes wanted_node WHERE {condition} ORDER BY wanted_node.node_name"
    )


def read_state(connection: Connection, nodes: Sequence[str] | None = None) -> list[tuple[str, bytes]]:
    """Name and state of all nodes, or of those named, in the order of their names."""
    text = state_query(connection, "%(nodes)s::text[] IS NULL OR wanted_node.node_name = ANY (%(nodes)s)")
    with translated(doing="reading the state"), connection.cursor(row_factory=tuple_row) as cursor:
        given = {"nodes": list(nodes) if nodes else None}
        return [(name, state.encode()) for _, name, state in cursor.execute(text, given)]


def _object(shown: Sequence[Column]) -> str:
    values = ", ".join(f"'{column.name}' VALUE {json_of(column)}" for column in shown)
    return f"JSON_OBJECT({values} ABSENT ON NULL RETURNING json)"
