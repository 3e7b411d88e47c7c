"""Why a thing is as it is: its changes, when each must have happened, and what else changed around it, likeliest cause first.

AYA saw the changes, not their causes. So each piece of evidence says what it rests on, and is ranked by how such changes
usually hang together: the same act first, then a restart that brings a pending value, then an upgrade, then what merely
happened at the same time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import NotFound
from aya.history.changes import Change, complete_since

MARGIN = timedelta(minutes=5)
"""How far around the interval of a change others still count: clocks differ, and causes come before effects."""
MOST_AROUND = 2000
MOST_EVIDENCE = 8
RESTARTED = ("started_at", "server_version", "process_id")
SYSTEM = ("os_version", "os_build", "kernel_version", "metadata.boot")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something else that changed around the same time, and why it may have to do with it."""

    weight: int
    """How strongly such things usually hang together: 100 is the same act, 10 is mere simultaneity."""
    kind: str
    because: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """One change of the thing, with the evidence around it, strongest first."""

    change: Change
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """All that is known of why a thing is as it is."""

    node_name: str
    thing: str
    known_since: datetime | None
    """When it was first recorded, if it is recorded at all."""
    changes: tuple[Explained, ...]
    """Newest first; none when it never changed since it was first recorded."""
    complete_since: datetime | None
    """Before this moment there may have been changes that were pruned; None when nothing ever was."""


def why(connection: Connection, node: str, thing: str, *, limit: int = 20) -> Why:
    """Explain the changes of a thing of a node: a setting, a package, a service, a schema object, a column of the node.

    Raises NotFound, naming what there is, for an unknown node or thing.
    """
    with translated(doing=f"reading what changed of {thing}"):
        _refuse_unknown_node(connection, node)
        found = [
            Change(**row)
            for row in rows(connection, query("changes_of_thing"), {"node": node, "thing": thing, "limit": limit})
        ]
        here = rows(connection, query("find_thing"), {"node": node, "thing": thing})
        exact = [row for row in here if row["exact"]]
        if not found and not exact:
            names = ", ".join(f"{row['fact'].split(' | ')[-1]} ({row['section']})" for row in here[:10])
            raise NotFound(
                f"Nothing named {thing} is or was recorded of {node}.",
                remedy=f"Perhaps: {names}."
                if names
                else "`aya show settings`, `software`, `services`, … list what is.",
            )
        explained = tuple(Explained(change, _evidence(connection, change)) for change in found)
        known_since = min((row["created_at"] for row in exact), default=None)
        return Why(node, thing, known_since, explained, complete_since(connection))


def _refuse_unknown_node(connection: Connection, node: str) -> None:
    known = [row["node_name"] for row in rows(connection, "SELECT DISTINCT node_name FROM system_nodes ORDER BY 1")]
    formerly = rows(connection, "SELECT FROM change_log WHERE node_name = %(node)s LIMIT 1", {"node": node})
    if node not in known and not formerly:
        raise NotFound(
            f"No node named {node} is recorded.",
            remedy=f"There are: {', '.join(known[:20])}." if known else "None is: `aya up` records this machine.",
        )


def _evidence(connection: Connection, change: Change) -> tuple[Evidence, ...]:
    before = change.happened_before or change.created_at
    around = [
        Change(**row)
        for row in rows(
            connection,
            query("changes_around"),
            {
                "id": change.id,
                "node": change.node_name,
                "after": change.happened_after or before,
                "before": before,
                "margin": MARGIN,
                "limit": MOST_AROUND,
            },
        )
    ]
    return rank(change, around)


def rank(change: Change, around: Iterable[Change]) -> tuple[Evidence, ...]:
    """What of the changes around it may have to do with a change: alike ones put together, strongest first."""
    judged = sorted((found for other in around if (found := _judge(change, other))), key=lambda found: found[:3])
    together = [
        Evidence(-weight, kind, because, tuple(other for *_, other in alike))
        for (weight, kind, because), alike in groupby(judged, key=lambda found: found[:3])
    ]
    return tuple(sorted(together, key=lambda e: (-e.weight, _distance(change, e.changes[0])))[:MOST_EVIDENCE])


def _judge(change: Change, other: Change) -> tuple[int, str, str, Change] | None:
    """How a change around may hang together with a change: negative weight, kind, and because of what."""
    for weight, kind, because in _relations(change, other):
        return -weight, kind, because, other
    return None


def _relations(change: Change, other: Change) -> Iterator[tuple[int, str, str]]:
    """All relations that hold, strongest first."""
    here = other.node_name == change.node_name
    same_server = here and _instance(change) is not None and _instance(change) == _instance(other)
    touched = _touched(other) if other.action == "update" else set()
    if here and other.fact == change.fact and other.section == change.section:
        return  # its own history is told anyway
    if other.section == "node" and other.action == "insert":
        return  # that a node was recorded for the first time changes nothing on it
    if change.run_id is None and other.transaction_id == change.transaction_id:
        yield 100, "same act", f"written in the same transaction by {other.changed_by}"
    if same_server and other.section == "instances" and touched & set(RESTARTED):
        yield 90, "restart", "the PostgreSQL server was restarted in that time"
    if here and other.section == "node" and touched & set(SYSTEM):
        yield 80, "system", "the operating system was upgraded or started anew in that time"
    if not here and _name(other) == _name(change) and other.section == change.section:
        yield 75, "elsewhere", "the same thing changed on other nodes at about the same time"
    if here and other.section == "software" and _names_each_other(change, other):
        yield 70, "upgrade", "software of that name was installed, upgraded or removed in that time"
    if here and change.section == "software" and other.section == "software":
        yield 50, "upgrade", "other software was installed, upgraded or removed in that time"
    if same_server and other.section == "settings":
        yield 45, "settings", "other settings of the same server changed in that time"
    if same_server and other.section == "schemas" and change.section == "schemas":
        yield 45, "schema", "other objects of the same server changed in that time"
    if here and other.section == "software":
        yield 30, "upgrade", "software was installed, upgraded or removed in that time"
    if here and other.section in ("services", "instances"):
        yield 25, "service", "services started, stopped or changed in that time"
    if same_server:
        yield 20, "server", "something else of the same server changed in that time"
    if here:
        yield 10, "same time", "it changed in the same time"


def _touched(change: Change) -> set[str]:
    return set(change.old_value or {}) | set(change.new_value or {})


def _instance(change: Change) -> str | None:
    """The PostgreSQL server that a change is of."""
    if change.section not in ("instances", "settings", "schemas", "replication") or not change.fact:
        return None
    return change.fact.split(" | ")[0]


def _name(change: Change) -> str:
    """What changed, without what differs from node to node: the server's identity."""
    parts = (change.fact or "").split(" | ")
    if change.section == "node":
        return " ".join(sorted(_touched(change)))
    return " | ".join(parts[1:] if _instance(change) is not None else parts[:1]).lower()


def _names_each_other(change: Change, other: Change) -> bool:
    one, two = (_words(c) for c in (change, other))
    return bool(one & two) or (_instance(change) is not None and any(w.startswith("postgres") for w in two))


def _words(change: Change) -> set[str]:
    names: list[Any] = [change.fact, *(v for v in (change.new_value or {}).values() if isinstance(v, str))]
    first = str(names[0] or "").split(" | ")[-1 if _instance(change) else 0].lower()
    return {word for word in first.replace("-", " ").replace(".", " ").replace("@", " ").split() if len(word) > 3}


def _distance(change: Change, other: Change) -> float:
    """Seconds between when the two must have happened at the latest."""
    one, two = (c.happened_before or c.created_at or datetime.now(UTC) for c in (change, other))
    return abs((one - two).total_seconds())
