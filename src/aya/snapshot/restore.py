"""Build the recorded state of nodes again out of a state document, so that it hashes to the same.

The values of a document are the texts of what was in the columns, so that PostgreSQL reads them back as they were. What is
no state (observations, which collector spoke for a row) is in no document: restored rows name `snapshot` as their source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import NotFound, SnapshotError, UsageError
from aya.model import FACT_TYPES, Fact
from aya.snapshot.canonical import canonical, digest
from aya.snapshot.document import NODE_COLUMNS, Document, document_within

SOURCE = "snapshot"


@dataclass(frozen=True, slots=True)
class Restored:
    """One node that is recorded again."""

    node_name: str
    """Its name here."""
    rows: int
    """Rows of state that were written, with its own."""
    state_hash: str
    """SHA-256, in hex, of its canonical state; as it was in the snapshot."""


@dataclass(frozen=True, slots=True)
class Origin:
    """From which other AYA nodes are, and how they are named here: LABEL/NODE."""

    label: str
    told: Mapping[str, Any]
    """What is kept beside each node: the log, its key, the snapshot, …."""


def restore(
    connection: Connection,
    document: Document,
    nodes: Sequence[str],
    *,
    reason: str,
    origin: Origin | None = None,
    replace: bool = False,
) -> list[Restored]:
    """Record nodes of a document, all or those named, in one transaction.

    `reason`: why, in the log. `origin`: they are another AYA's. `replace`: such nodes that are there already go first.
    Raises NotFound for a node that is not in the document, UsageError when one is recorded already, SnapshotError when the
    state cannot be held exactly; then nothing is written.
    """
    states = document["nodes"]
    wanted = list(nodes) or list(states)
    for name in wanted:
        if name not in states:
            there = ", ".join(list(states)[:20])
            raise NotFound(f"No node {name} is in that snapshot.", remedy=f"There are: {there}." if there else "")
    names = {name: f"{origin.label}/{name}" if origin else name for name in wanted}
    with translated(doing="restoring"), connection.transaction():
        connection.execute(query("begin_recording"), {"names": sorted(names.values())})
        said = rows(connection, "SELECT current_setting('aya.reason', true) AS reason")[0]["reason"]
        connection.execute("SELECT set_config('aya.reason', %s, true)", (f"{said}; {reason}" if said else reason,))
        if replace and origin is not None:
            connection.execute(
                "DELETE FROM system_nodes WHERE node_name = ANY (%s) AND origin IS NOT NULL", (list(names.values()),)
            )
        _refuse_recorded(connection, states, names, origin)
        return [_restore(connection, states[name], name, here, origin) for name, here in names.items()]


def _refuse_recorded(
    connection: Connection, states: Mapping[str, Any], names: Mapping[str, str], origin: Origin | None
) -> None:
    identities = [] if origin else [states[name]["node"].get("identity") for name in names]
    taken = rows(
        connection,
        "SELECT node_name, identity FROM system_nodes "
        "WHERE node_name = ANY (%(names)s) OR origin IS NULL AND identity = ANY (%(identities)s::text[])",
        {"names": list(names.values()), "identities": identities},
    )
    if taken:
        found = ", ".join(sorted(row["node_name"] for row in taken))
        raise UsageError(
            f"Already recorded: {found}. Nothing was written.",
            remedy="Say --replace to put the other state in its place, or another --origin."
            if origin
            else "Restore into an empty database, or choose other nodes with --node.",
        )


def _restore(connection: Connection, state: Mapping[str, Any], name: str, here: str, origin: Origin | None) -> Restored:
    expected = digest(canonical(state))
    told = {**origin.told, "node_name": name, "node_state_hash": expected} if origin else None
    node = rows(
        connection,
        _node_statement(),
        {"name": here, "origin": _json(told) if told else None, "row": _json(state["node"])},
    )[0]["id"]
    written = 1
    for fact_type in FACT_TYPES:
        given = {"node": node, "source": SOURCE, "rows": _json(list(state[fact_type.SECTION].values()))}
        written += connection.execute(_section_statement(fact_type), given).rowcount
    if origin is None:
        connection.execute(query("resolve_replication"), {"nodes": [node]})
    found = digest(canonical(document_within(connection, [here])["nodes"][here]))
    if found != expected:
        raise SnapshotError(
            f"The state of {name} cannot be held here exactly: restored it hashes to {found}, not {expected}.",
            remedy="Nothing was written. The snapshot may be of another version of AYA.",
        )
    return Restored(here, written, found)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _node_statement() -> str:
    return (
        f"INSERT INTO system_nodes (node_name, {', '.join(NODE_COLUMNS)}, metadata, origin) "
        f"SELECT %(name)s, {', '.join(f'r.{name}' for name in NODE_COLUMNS)}, coalesce(r.metadata, '{{}}'), %(origin)s::jsonb "
        "FROM jsonb_populate_record(NULL::system_nodes, %(row)s::jsonb) r RETURNING id"
    )


def _section_statement(fact_type: type[Fact]) -> str:
    names = [name for name in fact_type.state_fields() if name != "metadata"]
    return (
        f"INSERT INTO {fact_type.TABLE} (node_id, source, {fact_type.PRESENCE}, metadata, {', '.join(names)}) "
        f"SELECT %(node)s, %(source)s, true, coalesce(r.metadata, '{{}}'), {', '.join(f'r.{name}' for name in names)} "
        f"FROM jsonb_populate_recordset(NULL::{fact_type.TABLE}, %(rows)s::jsonb) r"
    )
