"""The log of changes as a stream of server-sent events.

One task reads what was committed, once for all who listen. The last event of what was read together carries as its id
the snapshot of the database that it completes: a listener that comes back with `Last-Event-ID` misses nothing. One that
reads too slowly is sent away and can come back the same way; it holds up nobody, and nothing is piled up for it without bound.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from aya.db.changes_feed import SNAPSHOT, Told, changes_before, changes_between, current_snapshot
from aya.db.connection import translated
from aya.db.database import Database
from aya.db.feed import notifications, open_reader
from aya.errors import AyaError, TooManyRequests, UsageError
from aya.operations.changes import time_of

KEEP_ALIVE_S = 15.0
"""So often something is said, so that nobody between takes the connection for dead."""
RETRY_MS = 2000
"""So long a listener waits before it comes back."""
MOST_LISTENERS = 100
MOST_WAITING = 64
"""Batches that wait for one listener."""
AGAIN_S = 1.0

Batch = tuple[str, list[Told]]
"""The snapshot that these changes complete, empty where more of it follows, and the changes."""


@dataclass(eq=False)
class Listener:
    """One who listens."""

    wanted: dict[str, Any]
    waiting: asyncio.Queue[Batch] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    too_slow: bool = False


class ChangeStream:
    """Tells all who listen what is committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._snapshot = ""

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    async def listen(self, wanted: dict[str, Any], last_event: str | None) -> AsyncIterator[bytes]:
        """Events for one listener, to be sent as they are: first what it missed, or the newest; then what comes.

        `wanted`: the arguments of the operation `follow_changes`. Raises UsageError for an id that no event had, TooManyRequests
        when too many listen, DatabaseError; all before the first event.
        """
        old = _known(last_event)
        if len(self._listeners) >= MOST_LISTENERS:
            raise TooManyRequests(
                f"{MOST_LISTENERS} listen already.", remedy="Try again later, or read /api/v1/changes."
            )
        listener = Listener(wanted)
        with translated(doing="reading the log of changes"):
            connection = await open_reader(self._database)
            try:
                await self._begin(connection)
                upto = self._snapshot
                self._listeners.add(listener)
                missed = (
                    await _newest(connection, upto, wanted) if old is None else await _missed(connection, old, upto)
                )
            except BaseException:
                self._listeners.discard(listener)
                raise
            finally:
                await connection.close()
        return self._events(listener, missed)

    async def close(self) -> None:
        """Send everybody away."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for listener in self._listeners:
            listener.too_slow = True

    async def _events(self, listener: Listener, missed: list[Batch]) -> AsyncIterator[bytes]:
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            for batch in missed:
                yield _said(batch, listener.wanted)
            while not listener.too_slow or not listener.waiting.empty():
                try:
                    batch = await asyncio.wait_for(listener.waiting.get(), KEEP_ALIVE_S)
                except TimeoutError:
                    yield b": still here\n\n"
                else:
                    yield _said(batch, listener.wanted)
        finally:
            self._listeners.discard(listener)

    async def _begin(self, connection: Any) -> None:
        if self._task is None or self._task.done():
            self._snapshot = await current_snapshot(connection)
            self._task = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        """Read what is committed and tell it, as long as anybody listens; through every outage of the database."""
        while True:
            try:
                async with contextlib.aclosing(notifications(self._database)) as woken:
                    connection = await open_reader(self._database)
                    try:
                        async for _ in woken:
                            await self._tell_new(connection)
                    finally:
                        await connection.close()
            except AyaError:
                await asyncio.sleep(AGAIN_S)

    async def _tell_new(self, connection: Any) -> None:
        with translated(doing="reading the log of changes"):
            new = await current_snapshot(connection)
            found = [told async for told in changes_between(connection, self._snapshot, new)]
        self._snapshot = new
        for place, told in enumerate(found):
            batch = (new if place == len(found) - 1 else "", told)
            for listener in self._listeners:
                try:
                    listener.waiting.put_nowait(batch)
                except asyncio.QueueFull:
                    listener.too_slow = True


async def _newest(connection: Any, upto: str, wanted: dict[str, Any]) -> list[Batch]:
    """The newest that are wanted, oldest first."""
    found: list[Told] = []
    async with contextlib.aclosing(changes_before(connection, upto)) as changes:
        async for told in changes:
            if _fits(orjson.loads(told[1]), wanted):
                found.append(told)
            if len(found) >= (wanted["limit"] or 1):
                break
    return [(upto, found[::-1])]


async def _missed(connection: Any, old: str | int, upto: str) -> list[Batch]:
    """What came since the listener was sent away."""
    return [*[("", told) async for told in changes_between(connection, old, upto)], (upto, [])]


def _known(last_event: str | None) -> str | int | None:
    if last_event is None or not last_event.strip():
        return None
    said = last_event.strip()
    if said.isdecimal() and len(said) < 19:
        return int(said)
    if SNAPSHOT.fullmatch(said):
        return said
    raise UsageError(
        "No event had this id.", remedy="Send the id of an event, the number of a change, or no Last-Event-ID."
    )


def _said(batch: Batch, wanted: dict[str, Any]) -> bytes:
    """Events; the last one says how far the listener is now, a comment where none of them is wanted."""
    snapshot, told = batch
    fitting = [text for _, text in told if _fits(orjson.loads(text), wanted)]
    events = [f"event: change\ndata: {text}\n" for text in fitting]
    if snapshot:
        # An id without data is remembered as well, and shows nobody an empty event.
        if events:
            events[-1] = f"id: {snapshot}\n{events[-1]}"
        else:
            events = [f"id: {snapshot}\n"]
    return "".join(f"{event}\n" for event in events).encode()


def _fits(change: dict[str, Any], wanted: dict[str, Any]) -> bool:
    same = {
        "node": "node_name",
        "table": "table_affected",
        "section": "section",
        "actor": "changed_by",
        "run": "run_id",
    }
    if any(wanted.get(name) is not None and change[column] != wanted[name] for name, column in same.items()):
        return False
    fact = change["fact"] or ""
    if (setting := wanted.get("setting")) is not None and not (
        change["section"] == "settings" and setting in fact.split(" | ")
    ):
        return False
    since = time_of(wanted.get("since"))
    if since is not None and datetime.fromisoformat(change["created_at"]) < since:
        return False
    match = wanted.get("match")
    return match is None or match.lower() in f"{fact} {change['change_description']}".lower()
