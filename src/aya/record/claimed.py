"""Record what a document says of nodes: where nobody has looked, and never over what somebody found.

What is claimed lives in the columns of the state and is marked: rows by their source `document:NAME`, columns of a node in
`metadata.claimed.columns`. Nobody looked, so it is no collection run, and nothing of it is verified.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.model import FACT_TYPES, Collected, Facts, Node, NodeState, Outcome
from aya.record.merge import MERGES
from aya.record.payload import check
from aya.record.recorder import json_text, record_nodes_statement

CLAIMED = "claimed"
"""The key of metadata that holds what is only claimed."""
SOURCE = "document:"


@dataclass(frozen=True, slots=True)
class ClaimedNode:
    """One node as a document describes it."""

    name: str
    role: str
    status: str
    facts: Facts
    dated: datetime | None
    """The moment that the document is of; its measurements were taken then."""


@dataclass(frozen=True, slots=True)
class RecordedNode:
    """Which node here a described one is."""

    id: int
    name: str
    """It may have another name by now."""


@dataclass(frozen=True, slots=True)
class RecordedClaims:
    """What recording a document's facts did."""

    inserted: int
    updated: int
    vanished: int
    measurements: int
    """Measurements that were not there yet, and those that the document no longer states."""
    measured: tuple[str, ...]
    """Sections left as they were because somebody looked, as `ALPHA settings`."""
    nodes: Mapping[str, RecordedNode]
    """By what the document calls them."""

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.inserted or self.updated or self.vanished or self.measurements)


def record_claimed(connection: Connection, document: str, nodes: Sequence[ClaimedNode]) -> RecordedClaims:
    """Record the nodes of one document, within the caller's transaction or one of its own.

    Raises PayloadRefused (nothing recorded) when a fact does not fit, DatabaseError when PostgreSQL fails.
    """
    source = SOURCE + document
    with translated(doing="recording what a document says"), connection.transaction():
        names = sorted({node.name for node in nodes} | {f"name:{node.name}" for node in nodes})
        connection.execute(query("begin_recording"), {"names": names})
        given = [{"name": n.name, "uuid": n.facts.node.hardware_uuid, "at": at} for at, n in enumerate(nodes)]
        found = rows(connection, query("find_claimed_nodes"), {"nodes": json_text(given), "source": source})
        written = {True: 0, False: 0}
        overlays = [_overlay(node, there) for node, there in zip(nodes, found, strict=True)]
        for row in rows(connection, record_nodes_statement(), {"nodes": json_text(overlays)}):
            written[row["inserted"]] += 1
        inserted, updated, vanished = written[True], written[False], 0
        measured: list[str] = []
        for fact_type in FACT_TYPES:
            parts = []
            for node, there in zip(nodes, found, strict=True):
                facts = getattr(node.facts, fact_type.SECTION)
                if fact_type.SECTION in there["measured"]:
                    measured += [f"{there['node_name']} {fact_type.SECTION}"] if facts else []
                    facts = ()
                check(_as_state(node, fact_type.SECTION, facts), fact_type)
                parts.append({"node_id": there["id"], "source": source, "rows": facts})
            merged = {
                "nodes": [there["id"] for there in found],
                "rows": json_text(parts),
                "complete": json_text([{"node_id": there["id"], "source": source} for there in found]),
            }
            for counts in rows(connection, MERGES[fact_type], merged):
                inserted += counts["inserted"]
                updated += counts["updated"]
                vanished += counts["vanished"]
        connection.execute(query("resolve_claimed_replication"), {"source": source})
        moved = rows(connection, query("put_claimed_measurements"), _measurements(nodes, found, source))[0]["moved"]
    here = {node.name: RecordedNode(there["id"], there["node_name"]) for node, there in zip(nodes, found, strict=True)}
    return RecordedClaims(inserted, updated, vanished, moved, tuple(measured), here)


def _overlay(node: ClaimedNode, there: dict[str, Any]) -> dict[str, Any]:
    """What is laid over the row of the node: its claimed columns that nobody measured."""
    before = (there["claimed"] or {}).get("columns", {})
    claimed = dict(node.facts.metadata[CLAIMED])
    columns: dict[str, Any] = {}
    if there["is_new"]:
        columns = {"node_name": node.name, "identity": f"name:{node.name}"}
    if there["is_new"] or not there["is_measured"]:
        columns["status"] = node.status
        if there["values"].get("node_role_source") != "hand":
            columns["node_role"] = node.role
    stated = claimed["columns"]
    kept = {}
    for one in fields(Node):
        value = getattr(node.facts.node, one.name)
        if one.name in before or there["values"].get(one.name) is None:
            if value is not None:
                columns[one.name], kept[one.name] = value, stated[one.name]
            elif one.name in before:  # the document no longer says so
                columns[one.name] = None
    claimed["columns"] = kept
    return {
        "id": there["id"],
        "columns": columns,
        "replaced": {CLAIMED: claimed},
        "merged": {},
        "removed": [],
        "observed": {},
    }


def _as_state(node: ClaimedNode, section: str, facts: tuple[Any, ...]) -> NodeState:
    given: dict[str, Any] = {section: facts}
    collected = Collected(collector="document", outcome=Outcome.OK, facts=Facts(**given))
    return NodeState(node_name=node.name, collected_at=node.dated or datetime.min, collected=(collected,))


def _measurements(nodes: Iterable[ClaimedNode], found: Iterable[dict[str, Any]], source: str) -> dict[str, Any]:
    taken = [
        {
            "node_id": there["id"],
            "category": one.category,
            "name": one.name,
            "value": one.value,
            "unit": one.unit,
            "conditions": one.conditions,
            "measured_at": node.dated,
        }
        for node, there in zip(nodes, found, strict=True)
        for one in node.facts.measurements
    ]
    return {"measurements": json_text(taken), "source": source}
