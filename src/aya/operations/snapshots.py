"""Take, list, show, verify and compare snapshots."""

from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Len
from pydantic import StringConstraints

from aya.db.connection import Connection, rows, translated
from aya.db.database import Login
from aya.db.queries import query
from aya.errors import NotFound, UsageError
from aya.history.moment import as_of, moment
from aya.operations.context import Context
from aya.operations.operation import Scope, operation
from aya.snapshot import snapshots
from aya.snapshot.diff import Difference, diff, json_patch
from aya.snapshot.document import Document, read_document
from aya.snapshot.snapshots import Snapshot, Verification

NOW = "now"
"""Stands for the state as it is recorded now, where a snapshot is named."""


@dataclass(frozen=True, slots=True)
class Held:
    """A snapshot with what it holds."""

    snapshot: Snapshot
    state: Document
    """The state document."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs between two states."""

    differences: list[Difference]
    patch: list[dict[str, Any]]
    """The same as RFC 6902."""


@operation("POST /snapshots", command="snapshot create", scope=Scope.VERIFY)
def create_snapshot(
    context: Context,
    name: Annotated[str, "Its name, not yet taken.", Len(1, 200), StringConstraints(pattern=r"^\S[^\x00]*$")],
    *,
    snapshot_type: Annotated[str, "baseline, production, manual, …"] = "manual",
    description: Annotated[str | None, "Why it is taken."] = None,
    created_by: str | None = None,
) -> Snapshot:
    """Take a snapshot of the recorded state of all nodes. The results of checks that ran on this very state vouch for it."""
    if name == NOW:
        raise UsageError(f"No snapshot can be named {NOW}.", remedy="It stands for the state as it is recorded now.")
    with context.database.connect() as connection:
        return snapshots.create(
            connection,
            name,
            snapshot_type=snapshot_type,
            description=description,
            created_by=created_by or context.caller.name,
        )


def list_snapshots(context: Context) -> list[Snapshot]:
    """All snapshots, newest first."""
    with context.database.connect(Login.READER) as connection:
        return snapshots.listing(connection)


@operation("GET /snapshots/{name}", command="snapshot show")
def get_snapshot(context: Context, name: Annotated[str, "Which snapshot."]) -> Held:
    """A snapshot and its state document."""
    with context.database.connect(Login.READER) as connection:
        return Held(snapshots.get(connection, name), snapshots.read(connection, name))


@operation("GET /snapshots/{name}/verification", command="snapshot verify")
def verify_snapshot(context: Context, name: Annotated[str, "Which snapshot."]) -> Verification:
    """Recompute a snapshot's hash and everything else that can be recomputed."""
    with context.database.connect(Login.READER) as connection:
        return snapshots.verify(connection, name)


@operation("GET /diff", command="diff", tool=True)
def diff_states(
    context: Context,
    before: Annotated[str, "A snapshot, a moment, a node, or a node at one of those: ALPHA@baseline."],
    after: Annotated[str, "Likewise, or `now`."] = NOW,
) -> Compared:
    """What differs between two states: for people, and as RFC 6902.

    A state is `now`, a snapshot, a moment (`2026-11-20 14:00`, `2 hours ago`, `#812`), a node, or a node at one of those
    (`ALPHA@baseline`). Two different nodes are compared as if they were one. Raises NotFound, naming what there is.
    """
    with context.database.connect(Login.READER) as connection, translated(doing="reading two states"):
        old, new = (named_state(connection, said) for said in (before, after))
    one, two = list(old["nodes"]), list(new["nodes"])
    if is_of_one_node(before, old) and is_of_one_node(after, new) and one != two:
        both = f"{one[0]} → {two[0]}"
        old, new = (side | {"nodes": {both: next(iter(side["nodes"].values()))}} for side in (old, new))
    elif is_of_one_node(before, old) or is_of_one_node(after, new):
        only = one[0] if is_of_one_node(before, old) else two[0]
        old, new = (_only(side, only) for side in (old, new))
    return Compared(diff(old, new), json_patch(old, new))


def named_state(connection: Connection, said: str) -> Document:
    """The state that somebody named: see `diff_states`."""
    node, _, when = said.rpartition("@")
    if node and _exists(connection, node):
        return _of_node(_at(connection, when, foreign=True), node, said)
    if _is_name_of_snapshot(connection, said) or said == NOW:
        return _at(connection, said)
    if _exists(connection, said):
        return _of_node(_at(connection, NOW, foreign=True), said, said)
    return _at(connection, said)


def _at(connection: Connection, when: str, *, foreign: bool = False) -> Document:
    """The state at that time; nodes that another AYA vouches for are in no snapshot, so only where one of them is meant."""
    if when == NOW:
        return read_document(connection, foreign=foreign)
    if _is_name_of_snapshot(connection, when):
        return snapshots.read(connection, when)
    try:
        at = moment(when)
    except UsageError as no_moment:
        if "future" in no_moment.message:
            raise
        nodes = ", ".join(_nodes(connection)[:10])
        raise NotFound(
            f"{when} is no snapshot, node or moment.",
            remedy=f"`aya snapshot list` lists snapshots; nodes are {nodes}; a moment is 2026-11-20 14:00, `2 hours ago`, #812.",
        ) from None
    with as_of(connection, at):
        return read_document(connection, foreign=foreign)


def _nodes(connection: Connection) -> list[str]:
    """The nodes that are, and that were."""
    return [row["node_name"] for row in rows(connection, query("list_node_names"))]


def _exists(connection: Connection, node: str) -> bool:
    return node in _nodes(connection)


def _is_name_of_snapshot(connection: Connection, name: str) -> bool:
    return any(snapshot.snapshot_name == name for snapshot in snapshots.listing(connection))


def _of_node(document: Document, node: str, said: str) -> Document:
    if node not in document["nodes"]:
        there = ", ".join(document["nodes"]) or "none"
        raise NotFound(f"{said}: no node {node} was recorded then.", remedy=f"There were: {there}.")
    return document | {"nodes": {node: document["nodes"][node]}}


def _only(document: Document, node: str) -> Document:
    return document | {"nodes": {name: state for name, state in document["nodes"].items() if name == node}}


def is_of_one_node(said: str, document: Document) -> bool:
    """Whether a state was asked for of one node."""
    return len(document["nodes"]) == 1 and next(iter(document["nodes"])) in (said, said.rpartition("@")[0])
