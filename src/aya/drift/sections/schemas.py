"""Databases and what is in them, by database and object: what each is, in every column and documented key.

What is inside something that a node does not have is not told again: of a missing table the columns are not. By nature
different: places of columns, which only tell what was dropped before, and comments.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from aya.drift.thing import Look, NodeDocument, Section, Thing, text, told
from aya.model import SchemaObject

FIELDS = tuple(name for name in SchemaObject.state_fields() if name not in (*SchemaObject.KEY, "metadata"))
NATURE = frozenset({"position", "comment", "actual_collation_version"})
NO_STATE = frozenset({"kind", "observed", "libraries"})


def things(state: NodeDocument, servers: Mapping[str, str]) -> Iterator[Thing]:
    """One for each database, schema, table, column, index, …"""
    for row in state.get("schemas", {}).values():
        instance, database, kind = row["instance"], row["database_name"], row["kind"]
        server = servers.get(instance, instance)
        metadata = row.get("metadata", {})
        aspects = told(row, FIELDS) | told(metadata, sorted(metadata.keys() - NO_STATE))
        if kind == "database":
            yield Thing((server,), f"database {database}", aspects, target=instance, by_nature=NATURE)
            continue
        scope, name = _place(row, kind)
        yield Thing((server, database, *scope), name, aspects, target=f"{instance}/{database}", by_nature=NATURE)


def _place(row: Mapping[str, Any], kind: str) -> tuple[tuple[str, ...], str]:
    """The table that an object belongs to, if any, and its name."""
    parts = [row.get(name) for name in ("column_name", "index_name", "constraint_name", "object_name")]
    inside = [text(part) for part in parts if part]
    outside = [text(part) for part in (row.get("schema_name"), row.get("table_name")) if part]
    if row.get("table_name") and inside:
        return (".".join(outside),), f"{kind} {'.'.join((*outside, *inside))}"
    return (), f"{kind} {'.'.join((*outside, *inside))}"


def looks(target: str) -> tuple[Look, ...]:
    """Databases are looked at on each server, what is in them in each database."""
    if "/" in target:
        return ("postgresql.schemas", target), ("postgresql.extensions", target)
    return (("postgresql.databases", target),) if target else ()


section = Section(things=things, reads=("instances", "schemas"), looks=looks)
