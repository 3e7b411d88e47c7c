"""A moment of the past, and reading the state as it was then."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aya.db.connection import Connection, rows, translated
from aya.errors import NotFound, UsageError

AGO = re.compile(r"([0-9]{1,9})\s*(s|sec|seconds?|min|minutes?|h|hours?|d|days?|w|weeks?)\s+ago")
PATTERN = (
    "^(#[0-9]{1,18}|[0-9]{1,4} (seconds|minutes|hours|days) ago"
    "|20[01][0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])( ([01][0-9]|2[0-3]):[0-5][0-9])?)$"
)
"""Moments as they are commonly written, for those who must be told by a pattern; `moment` reads more."""
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
CHANGE = re.compile(r"#([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as somebody named it."""

    said: str
    setting: str
    """For the setting `aya.as_of`: a timestamp with its zone, or #N for "right after change N"."""


def moment(said: str) -> Moment:
    """A moment out of `2026-11-20 14:00` (local time unless it names a zone), `2 hours ago` or `#812`.

    Raises UsageError for anything else, and for what lies in the future.
    """
    now = datetime.now(UTC)
    text = said.strip()
    if CHANGE.fullmatch(text):
        return Moment(said, text)
    try:
        if ago := AGO.fullmatch(text):
            at = now - timedelta(seconds=int(ago[1]) * SECONDS[ago[2][0]])
        else:
            at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{said!r} is no moment.",
            remedy="Write it as 2026-11-20 14:00, 2026-11-20T14:00:00+01:00, `2 hours ago`, or #812 for right after change 812.",
        ) from None
    if at > now:
        raise UsageError(
            f"{said} lies in the future: nothing is recorded of it.", remedy="Leave it out to see the state now."
        )
    return Moment(said, at.isoformat())


@contextmanager
def as_of(connection: Connection, at: Moment | None) -> Iterator[None]:
    """Meanwhile every query of this connection sees the state as it was; with None, as it is.

    Raises NotFound for a change that is not there yet.
    """
    if at is None:
        yield
        return
    with translated(doing=f"going back to {at.said}"):
        if asked := CHANGE.fullmatch(at.setting):
            newest = rows(connection, "SELECT coalesce(max(id), 0) AS id FROM change_log")[0]["id"]
            if int(asked[1]) > newest:
                raise NotFound(
                    f"There is no change {asked[1]} yet: the newest is {newest}.",
                    remedy="Leave it out to see the state now.",
                )
        connection.execute(
            "SELECT set_config('search_path', 'past, public', false), set_config('aya.as_of', %s, false)", (at.setting,)
        )
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("RESET search_path")
            connection.execute("RESET aya.as_of")
