"""Record states: one transaction, a lock per node, rows written only where something changed.

A collector that could not look at everything adds and corrects, but removes and blanks nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Any

import orjson

from aya import __version__
from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import PayloadRefused
from aya.model import FACT_TYPES, Collected, Fact, Node, NodeState
from aya.record.columns import columns
from aya.record.merge import CLAIMS_GIVE_WAY, MERGES, REFRESH_INTERVAL, VANISHED_WITH_SERVER
from aya.record.payload import check

NODE_COLUMNS = ("node_name", "node_role", "node_role_source", "identity", "status", *(f.name for f in fields(Node)))
MARKED_VALUES = {
    fact_type: attrgetter(*(name for name in columns(fact_type) if name not in fact_type.drifting_fields()))
    for fact_type in FACT_TYPES
}
"""What a mark is made of: all columns but those that move at nearly every look."""


@dataclass(slots=True)
class Recorded:
    """What recording one state did."""

    node_name: str
    node_id: int
    run_id: int
    inserted: int = 0
    updated: int = 0
    vanished: int = 0

    @property
    def changed(self) -> bool:
        """Whether any row of state was written."""
        return bool(self.inserted or self.updated or self.vanished)


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one collector on one target in one section."""

    node_id: int
    source: str
    fact_type: type[Fact]
    facts: tuple[Fact, ...]
    complete: bool


def source_of(collected: Collected) -> str:
    """The name under which rows remember who speaks for them: `services`, `settings@7301…:5432`."""
    return f"{collected.collector}@{collected.target}" if collected.target else collected.collector


def record(
    connection: Connection, states: Sequence[NodeState], *, payload_limit_bytes: int = 256 * 1024 * 1024
) -> list[Recorded]:
    """Record the states of different nodes in one transaction; commits it.

    Raises PayloadRefused (nothing recorded) when a state does not fit, DatabaseError when PostgreSQL fails.
    """
    with translated(doing="recording"), connection.transaction():
        names = sorted({state.node_name for state in states} | {state.identity for state in states})
        connection.execute(query("begin_recording"), {"names": names})
        found = _find(connection, states)
        results = _begin_runs(connection, states, found)
        _record_nodes(connection, states, found, results)
        for state, result in zip(states, results, strict=True):
            _let_absent_servers_vanish(connection, state, result)
        _record_sections(connection, states, results, payload_limit_bytes)
        for state, node, result in zip(states, found, results, strict=True):
            if node["claimed"] is not None:
                _let_claims_give_way(connection, state, result)
        nodes = [result.node_id for result in results]
        if any(c.facts.instances or c.facts.replication for state in states for c in state.collected):
            connection.execute(query("resolve_replication"), {"nodes": nodes})
        if any(c.facts.schemas for state in states for c in state.collected):
            connection.execute(query("vanish_with_database"), {"nodes": nodes})
        changed = any(result.changed for result in results) or any(node["identity"] is None for node in found)
        _insert_runs(connection, states, results, changed=changed)
        _insert_measurements(connection, states, results)
    return results


def _find(connection: Connection, states: Sequence[NodeState]) -> list[dict[str, Any]]:
    known = [
        {
            "number": number,
            "node_name": state.node_name,
            "node_role": state.node_role,
            "identity": state.identity,
            "hardware_uuid": state.hardware_uuid,
            "machine_id": state.machine_id,
        }
        for number, state in enumerate(states)
    ]
    found = rows(connection, query("find_nodes"), {"nodes": json_text(known)})
    for state, node in zip(states, found, strict=True):
        if node["taken"] is not None:
            raise PayloadRefused(
                f"The name {state.node_name} already belongs to another machine ({node['taken']}); this one is {state.identity}.",
                remedy="Nothing was recorded. Give this machine a name of its own with AYA_NODE.",
            )
    existing = [node["id"] for node in found if node["id"] is not None]
    if len(set(existing)) < len(existing) or len({state.identity for state in states}) < len(states):
        raise PayloadRefused(
            f"Two states are of one node, among {', '.join(state.node_name for state in states)}.",
            remedy="Nothing was recorded. Record them one after the other.",
        )
    return found


def _begin_runs(connection: Connection, states: Sequence[NodeState], found: Sequence[dict[str, Any]]) -> list[Recorded]:
    """Number the runs and the new nodes, and let the triggers that log know what is found by which run."""
    given = [
        {
            "at": at,
            "id": node["id"],
            "seen": state.collected_at,
            "owners": {name: c.collector for c in state.collected for name in c.owns},
        }
        for at, (state, node) in enumerate(zip(states, found, strict=True))
    ]
    numbered = rows(connection, query("begin_runs"), {"nodes": json_text(given)})
    return [
        Recorded(state.node_name, number["id"], run_id=number["run_id"])
        for state, number in zip(states, numbered, strict=True)
    ]


def _record_nodes(
    connection: Connection, states: Sequence[NodeState], found: Sequence[dict[str, Any]], results: Sequence[Recorded]
) -> None:
    given = [
        _node_overlay(state, node, result.node_id) for state, node, result in zip(states, found, results, strict=True)
    ]
    inserted = {
        row["id"]: row["inserted"] for row in rows(connection, record_nodes_statement(), {"nodes": json_text(given)})
    }
    for result in results:
        result.inserted += inserted.get(result.node_id) is True
        result.updated += inserted.get(result.node_id) is False


def _node_overlay(state: NodeState, node: dict[str, Any], node_id: int) -> dict[str, Any]:
    """What is to be laid over a node's row: only columns and keys that somebody looked at."""
    columns: dict[str, Any] = {"node_name": state.node_name}
    if state.role_by_hand:
        columns |= {"node_role": state.node_role, "node_role_source": "hand"}
    elif state.node_role is not None and node["node_role_source"] != "hand":
        columns |= {"node_role": state.node_role, "node_role_source": "found"}
    if not (node["identity"] or "").startswith("uuid:") or state.hardware_uuid:
        columns["identity"] = state.identity
    if node["status"] == "pending":
        columns["status"] = "active"
    # What a document says of a column holds until somebody finds a value.
    claimed = (node["claimed"] or {}).get("columns", {})
    replaced: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    removed: list[str] = []
    observed: dict[str, Any] = {}
    for collected in state.collected:
        facts, complete = collected.facts, collected.outcome.complete
        for name in collected.owns:
            if name.startswith("metadata."):
                key = name.removeprefix("metadata.")
                value = facts.metadata.get(key)
                if complete and value is None:
                    removed.append(key)
                elif value is not None:
                    (replaced if complete else merged)[key] = value
            elif (complete and name not in claimed) or getattr(facts.node, name) is not None:
                columns[name] = getattr(facts.node, name)
        observed |= facts.observed
    if not claimed.keys().isdisjoint(columns):
        left = {name: line for name, line in claimed.items() if name not in columns}
        replaced["claimed"] = {**node["claimed"], "columns": left}
    if observed:
        observed["at"] = state.collected_at
    return {
        "id": node_id,
        "columns": columns,
        "replaced": replaced,
        "merged": {key: _without_unknown(value) for key, value in merged.items()},
        "removed": removed,
        "observed": observed,
    }


def _without_unknown(value: Any) -> Any:
    """What an incomplete look may overwrite: only what it knows."""
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


@cache
def record_nodes_statement() -> str:
    """The statement that lays what is known over the rows of nodes."""
    return (
        query("record_nodes")
        .replace("{columns}", ", ".join(NODE_COLUMNS))
        .replace("{old_columns}", ", ".join(f"n.{name}" for name in NODE_COLUMNS))
        .replace("{row_columns}", ", ".join(f"row.{name}" for name in NODE_COLUMNS))
        .replace("{laid_columns}", ", ".join(f"l.{name}" for name in NODE_COLUMNS))
    )


def _let_absent_servers_vanish(connection: Connection, state: NodeState, result: Recorded) -> None:
    """The facts of a server that runs no more are gone, once the search for servers could see all of them."""
    running = next((c.roll_call for c in state.collected if c.roll_call is not None), None)
    if running is None:
        return
    given = {"node": result.node_id, "running": list(running)}
    for fact_type in FACT_TYPES:
        if "instance" in fact_type.KEY:
            gone = connection.execute(VANISHED_WITH_SERVER[fact_type], given)
            result.vanished += gone.rowcount
    # A server that comes back is compared anew.
    connection.execute(
        "DELETE FROM aya.section_marks WHERE node_id = %(node)s AND section LIKE '%%@%%' "
        "AND split_part(split_part(section, '@', 2), '/', 1) <> ALL (%(running)s)",
        given,
    )


def _record_sections(
    connection: Connection, states: Sequence[NodeState], results: Sequence[Recorded], payload_limit_bytes: int
) -> None:
    by_id = {result.node_id: result for result in results}
    marks = {
        (row["node_id"], row["section"]): row["mark"]
        for row in rows(
            connection,
            "SELECT node_id, section, encode(mark, 'hex') AS mark FROM aya.section_marks "
            f"WHERE node_id = ANY (%(nodes)s) AND marked_at > now() - interval '{REFRESH_INTERVAL}'",
            {"nodes": list(by_id)},
        )
    }
    new_marks: list[dict[str, Any]] = []
    due: dict[type[Fact], list[_Part]] = {}
    for state, result in zip(states, results, strict=True):
        size = 0
        changed: list[_Part] = []
        for collected in state.collected:
            parts = _parts(collected, result.node_id)
            mark, length = _mark(collected, parts)
            size += length
            if parts and marks.get((result.node_id, source_of(collected))) != mark:
                new_marks.append({"node_id": result.node_id, "section": source_of(collected), "mark": mark})
                changed += parts
        if size > payload_limit_bytes:
            raise PayloadRefused(
                f"{state.node_name}: its state is {size} bytes of JSON; the limit is {payload_limit_bytes}.",
                remedy="Nothing was recorded. Raise AYA_PAYLOAD_LIMIT_BYTES if that is what you want to keep.",
            )
        for fact_type in {part.fact_type for part in changed}:
            check(state, fact_type)
            due.setdefault(fact_type, []).extend(part for part in changed if part.fact_type is fact_type)
    if not new_marks:
        return
    connection.execute(query("put_marks"), {"marks": json_text(new_marks)})
    for fact_type, parts in due.items():
        written = rows(
            connection,
            MERGES[fact_type],
            {
                "nodes": sorted({part.node_id for part in parts}),
                "rows": json_text([{"node_id": p.node_id, "source": p.source, "rows": p.facts} for p in parts]),
                "complete": json_text([{"node_id": p.node_id, "source": p.source} for p in parts if p.complete]),
            },
        )
        for counts in written:
            result = by_id[counts["node_id"]]
            result.inserted += counts["inserted"]
            result.updated += counts["updated"]
            result.vanished += counts["vanished"]


def _let_claims_give_way(connection: Connection, state: NodeState, result: Recorded) -> None:
    """What a document said of a section is gone once all who speak for that section saw everything."""
    for fact_type in FACT_TYPES:
        looks = [c.outcome.complete for c in state.collected if fact_type.SECTION in c.sections]
        if looks and all(looks):
            result.vanished += connection.execute(CLAIMS_GIVE_WAY[fact_type], {"node": result.node_id}).rowcount


def _parts(collected: Collected, node_id: int) -> list[_Part]:
    return [
        _Part(
            node_id=node_id,
            source=source_of(collected),
            fact_type=fact_type,
            facts=facts,
            complete=collected.outcome.complete and fact_type.SECTION in collected.sections,
        )
        for fact_type in FACT_TYPES
        if (facts := getattr(collected.facts, fact_type.SECTION)) or fact_type.SECTION in collected.sections
    ]


def _mark(collected: Collected, parts: Sequence[_Part]) -> tuple[str, int]:
    """The hash of what a collector found but for what drifts, and how long that is as JSON."""
    digest, length = sha256(b"complete" if collected.outcome.complete else b"partial"), 0
    for part in parts:
        # Values without their names: this is done for every row at every look, and nearly always all that is done.
        text = _json([*map(MARKED_VALUES[part.fact_type], part.facts)])
        digest.update(part.fact_type.TABLE.encode() + b"\0" + text)
        length += len(text)
    return digest.hexdigest(), length


def _insert_runs(
    connection: Connection, states: Sequence[NodeState], results: Sequence[Recorded], *, changed: bool
) -> None:
    runs = [
        {
            "run_id": result.run_id,
            "node_id": result.node_id,
            "collected_at": state.collected_at,
            "duration_ms": state.duration_ms,
            "inserted": result.inserted,
            "updated": result.updated,
            "vanished": result.vanished,
        }
        for state, result in zip(states, results, strict=True)
    ]
    outcomes = [
        {
            "node_id": result.node_id,
            "collector": collected.collector,
            "target": collected.target,
            "outcome": collected.outcome.value,
            "reason": collected.reason,
            "duration_ms": collected.duration_ms,
            "facts": count_facts(collected),
        }
        for state, result in zip(states, results, strict=True)
        for collected in state.collected
    ]
    given = {
        "runs": json_text(runs),
        "outcomes": json_text(outcomes),
        "aya_version": __version__,
        "changed": changed,
    }
    connection.execute(query("insert_runs"), given)


def count_facts(collected: Collected) -> int:
    """How much a collector found: rows, filled columns of the node, and keys of its metadata."""
    facts = collected.facts
    return (
        sum(len(getattr(facts, fact_type.SECTION)) for fact_type in FACT_TYPES)
        + sum(getattr(facts.node, field.name) is not None for field in fields(Node))
        + sum(len(value) if isinstance(value, dict | list) else 1 for value in facts.metadata.values())
    )


def _insert_measurements(connection: Connection, states: Sequence[NodeState], results: Sequence[Recorded]) -> None:
    taken = [
        {
            "node_id": result.node_id,
            "category": m.category,
            "name": m.name,
            "value": m.value,
            "unit": m.unit,
            "conditions": m.conditions,
            "measured_at": state.collected_at,
            "measured_by": collected.collector,
        }
        for state, result in zip(states, results, strict=True)
        for collected in state.collected
        for m in collected.facts.measurements
    ]
    if taken:
        connection.execute(query("insert_measurements"), {"measurements": json_text(taken)})


def json_text(value: object) -> str:
    """Facts as JSON that PostgreSQL reads. Raises PayloadRefused for what JSON cannot say."""
    return _json(value).decode()


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value, default=_plain)
    except orjson.JSONEncodeError as error:
        raise PayloadRefused(f"A fact cannot be said in JSON: {error.__cause__ or error}.") from error


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)  # beyond 64 bits: orjson cannot, PostgreSQL's JSON can
    raise PayloadRefused(f"A fact holds a {type(value).__name__}, which JSON cannot say: {value!r:.100}.")
