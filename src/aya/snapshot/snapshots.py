"""Take, list, read and verify snapshots."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import computed_field

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import Conflict, NotFound, PayloadRefused, UsageError
from aya.snapshot.canonical import canonical, digest
from aya.snapshot.document import Document, document_within
from aya.snapshot.proof import Evidence, examine


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot without its document."""

    id: int
    snapshot_name: str
    snapshot_type: str | None
    description: str | None
    verification_status: str
    tests_passed: int
    tests_failed: int
    tests_skipped: int
    partial_reasons: list[dict[str, Any]]
    """What could not be looked at; empty where nothing passed at all."""
    schema_version: int
    state_hash: str
    state_bytes: int
    nodes: list[str]
    checks_hash: str
    change_number: int | None
    """Newest change that the state had seen."""
    logged_change: int
    """The change that logged the snapshot."""
    created_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class State:
    """The state of the nodes of this AYA, and the newest change that it has seen."""

    document: Document
    change_number: int | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What recomputing a snapshot showed."""

    snapshot_name: str
    state_hash: str
    """As recomputed; empty when the state could not even be put together."""
    problems: tuple[str, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def intact(self) -> bool:
        """Whether the snapshot is what it was when it was taken."""
        return not self.problems


def read_state(connection: Connection) -> State:
    """What a snapshot that is taken now will hold, out of one consistent view of the database."""
    with translated(doing="reading the state"), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        newest = rows(connection, "SELECT max(id) AS id FROM change_log")[0]["id"]
        return State(document_within(connection, None, foreign=False), newest)


def create(
    connection: Connection,
    name: str,
    *,
    created_by: str,
    snapshot_type: str = "manual",
    description: str | None = None,
    state: State | None = None,
) -> Snapshot:
    """Store the state as it is now, or `state` that was just read. Results of checks on this very state vouch for it.

    Raises UsageError when the name is empty, Conflict when it is taken.
    """
    if not name.strip() or len(name) > 200 or "\0" in name:
        raise UsageError("A snapshot needs a name of 1 to 200 characters.")
    state = state or read_state(connection)
    data = canonical(state.document)
    with translated(doing=f"taking snapshot {name}"), connection.transaction():
        # Also serialises those who take one, so that a name that is free now stays free.
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('aya.snapshot', 0))")
        if rows(connection, query("list_snapshots"), {"name": name}):
            raise Conflict(f"There is already a snapshot named {name}.", remedy="Choose another name.")
        connection.execute(
            query("insert_snapshot"),
            {
                "name": name,
                "type": snapshot_type,
                "description": description,
                "canonical": data,
                "change_number": state.change_number,
                "created_by": created_by,
            },
        )
    return get(connection, name)


def listing(connection: Connection) -> list[Snapshot]:
    """All snapshots, newest first."""
    return [Snapshot(**row) for row in rows(connection, query("list_snapshots"), {"name": None})]


def get(connection: Connection, name: str) -> Snapshot:
    """One snapshot by name. Raises NotFound that names what exists."""
    found = rows(connection, query("list_snapshots"), {"name": name})
    if not found:
        names = [snapshot.snapshot_name for snapshot in listing(connection)][:10]
        raise NotFound(
            f"There is no snapshot named {name}.",
            remedy=f"There are: {', '.join(names)}." if names else "There is none yet: `aya snapshot create NAME`.",
        )
    return Snapshot(**found[0])


def read(connection: Connection, name: str) -> Document:
    """The state document of a snapshot, out of the text that was hashed."""
    get(connection, name)
    with translated(doing=f"reading snapshot {name}"):
        found = rows(connection, query("read_snapshot_state"), {"name": name})
    document: Document = json.loads(found[0]["state"])
    return document


def verify(connection: Connection, name: str) -> Verification:
    """Recompute everything about a snapshot, and compare it with what the log has of it. Raises NotFound."""
    snapshot = get(connection, name)
    try:
        evidence, logged = read_evidence(connection, name)
    except PayloadRefused as error:
        return Verification(name, "", (f"it cannot be put together: {error.message}",))
    problems = list(examine(evidence))
    if logged is None:
        problems.append(f"change {snapshot.logged_change}, which logged it, is gone or is about something else")
    elif logged != evidence.manifest:
        keys = sorted(logged.keys() | evidence.manifest.keys())
        differing = ", ".join(key for key in keys if logged.get(key) != evidence.manifest.get(key))
        problems.append(f"it is not what change {snapshot.logged_change} logged of it: {differing} differ")
    return Verification(name, digest(evidence.state), tuple(problems))


def read_evidence(connection: Connection, name: str) -> tuple[Evidence, dict[str, Any] | None]:
    """Everything that a snapshot consists of, and what the change that logged it has of it (None: it is not there)."""
    with translated(doing=f"reading snapshot {name}"):
        found = rows(connection, query("read_snapshot"), {"name": name})[0]
    state, nodes, checks = (found[part].encode() for part in ("state", "nodes", "checks"))
    return Evidence(found["manifest"], state, nodes, checks), found["logged"]
