"""What changed: list, follow, explain, and say what was verified of it."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import StringConstraints

from aya.db.database import Login
from aya.errors import UsageError
from aya.history import changes as log
from aya.history.changes import Change, Filter
from aya.history.moment import moment
from aya.history.why import Why
from aya.history.why import why as explain
from aya.operations.context import Context
from aya.operations.operation import LARGEST, Kind, Scope, operation

FOLLOW_INTERVAL_S = 1.0
FOLLOW_AT_ONCE = 10_000


Node = Annotated[str | None, "Only of this node."]
Table = Annotated[str | None, "Only of this table."]
Section = Annotated[str | None, "Only of this section: settings, software, …"]
Setting = Annotated[str | None, "Only of this PostgreSQL setting."]
Match = Annotated[str | None, "Only those that hold this text in what changed or its description."]
Actor = Annotated[str | None, "Only by this actor."]
Since = Annotated[str | None, "Logged since: `2026-11-20 14:00`, `2 hours ago`."]
Until = Annotated[str | None, "Logged until."]
Run = Annotated[int | None, "Only what this collection found.", Ge(1), Le(LARGEST)]


@operation("GET /changes/latest", command="changes", tool=True)
def list_changes(
    context: Context,
    *,
    node: Node = None,
    table: Table = None,
    section: Section = None,
    setting: Setting = None,
    match: Match = None,
    actor: Actor = None,
    since: Since = None,
    until: Until = None,
    run: Run = None,
    limit: Annotated[int, "So many of the newest.", Ge(1), Le(1000)] = 100,
) -> list[Change]:
    """The newest changes that fit, oldest first. Raises UsageError for what is no time."""
    wanted = Filter(
        node=node, table=table, section=section, setting=setting, match=match, actor=actor, run=run,
        since=time_of(since), until=time_of(until),
    )  # fmt: skip
    with context.database.connect(Login.READER) as connection:
        return log.changes(connection, wanted, limit=limit)


@operation("GET /changes/stream", command="changes", kind=Kind.STREAM)
def follow_changes(
    context: Context,
    *,
    node: Node = None,
    table: Table = None,
    section: Section = None,
    setting: Setting = None,
    match: Match = None,
    actor: Actor = None,
    since: Since = None,
    run: Run = None,
    limit: Annotated[int, "Begin with so many of those that are there.", Ge(1), Le(1000)] = 10,
) -> Iterator[Change]:
    """The newest changes that fit, then each further one as it is committed; does not end.

    A change of a long transaction is told when that commits, though its number is lower than others already told.
    """
    wanted = Filter(
        node=node, table=table, section=section, setting=setting, match=match, actor=actor, run=run, since=time_of(since)
    )  # fmt: skip
    with context.database.connect(Login.READER) as connection:
        low = 0  # everything up to here was told
        told: set[int] = set()
        seen = 0
        seen_when_next_was: int | None = None
        while True:
            finished_before, _ = log.horizon(connection)
            found = log.changes(connection, wanted, limit=FOLLOW_AT_ONCE if low else limit, after=low or None)
            for one in found:
                if one.id not in told:
                    told.add(one.id)
                    yield one
            # A number below the highest that was seen can still appear, until all who may have drawn it have finished.
            if seen_when_next_was is not None and finished_before >= seen_when_next_was:
                low, seen_when_next_was = seen, None
                told = {number for number in told if number > low}
            if seen_when_next_was is None:
                seen = max(told, default=low or log.newest(connection))
                low = low or min(told, default=seen + 1) - 1
                seen_when_next_was = log.horizon(connection)[1]
            time.sleep(FOLLOW_INTERVAL_S)


@operation("POST /changes/{number}/verification", command="changes verify", scope=Scope.VERIFY)
def note_verification(
    context: Context,
    number: Annotated[int, "Number of the change.", Ge(1), Le(LARGEST)],
    *,
    status: Annotated[Literal["verified", "refuted", "pending"], "What was found of it."] = "verified",
    note: Annotated[str, "How it was verified.", StringConstraints(pattern=r"^\S[^\x00]*$")],
) -> Change:
    """Say of a change that it was verified, refuted, or is pending again, and how; that is itself logged."""
    with context.database.connect() as connection:
        return log.note_verification(connection, number, status, note)


@operation("GET /why/{node}/{thing:path}", command="why", tool=True)
def why(
    context: Context,
    node: Annotated[str, "The node."],
    thing: Annotated[str, "A setting, package, service, schema object, or column of the node."],
    *,
    limit: Annotated[int, "So many of its newest changes.", Ge(1), Le(1000)] = 20,
) -> Why:
    """The changes of a thing of a node, and what else changed around each, ranked, with its evidence."""
    if limit < 1:
        raise UsageError(f"{limit} changes cannot be explained.", remedy="Ask for at least one.")
    with context.database.connect(Login.READER) as connection:
        return explain(connection, node, thing, limit=limit)


def time_of(said: str | None) -> datetime | None:
    """A time for a filter, as `moment` reads it. Raises UsageError."""
    if said is None:
        return None
    at = moment(said)
    if at.setting.startswith("#"):
        raise UsageError(f"{said} is a change, not a time.", remedy="Write a time: 2026-11-20 14:00, or `2 hours ago`.")
    return datetime.fromisoformat(at.setting)
