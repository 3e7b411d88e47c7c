"""What changed: list, follow, explain, and say what was verified of it."""

import time
from collections.abc import Iterator
from datetime import datetime

from aya.db.database import Login
from aya.errors import UsageError
from aya.history import changes as log
from aya.history.changes import Change, Filter
from aya.history.moment import moment
from aya.history.why import Why
from aya.history.why import why as explain
from aya.operations.context import Context

FOLLOW_INTERVAL_S = 1.0
FOLLOW_AT_ONCE = 10_000


def list_changes(context: Context, wanted: Filter | None = None, *, limit: int = 100) -> list[Change]:
    """The newest `limit` changes that fit, oldest first."""
    with context.database.connect(Login.READER) as connection:
        return log.changes(connection, wanted or Filter(), limit=limit)


def follow_changes(context: Context, wanted: Filter | None = None, *, limit: int = 10) -> Iterator[Change]:
    """The newest `limit` changes that fit, then each further one as it is committed; does not end.

    A change of a long transaction is told when that commits, though its number is lower than others already told.
    """
    wanted = wanted or Filter()
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


def note_verification(context: Context, number: int, *, status: str, note: str) -> Change:
    """Say of a change that it was verified, refuted, or is pending again, and how; that is itself logged."""
    with context.database.connect() as connection:
        return log.note_verification(connection, number, status, note)


def why(context: Context, node: str, thing: str, *, limit: int = 20) -> Why:
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
