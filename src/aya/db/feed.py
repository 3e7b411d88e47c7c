"""What was written since, for those who keep what they have read: the reading side of the table `aya.feed`.

A reader remembers the snapshot of the database in which it read. Asking what transactions that snapshot had not seen is
exact, whatever the order in which they were begun and committed; it costs one look into an index, however many nodes there are.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow, tuple_row

from aya.db.connection import keywords, translated
from aya.db.database import Database, Login
from aya.db.state import state_query

CHANNEL = "aya_feed"
EVERYTHING = -1
AT_ONCE = 64
"""So many nodes are read at once: their states are held twice meanwhile."""
CHANGED = """
SELECT pg_current_snapshot()::text, ARRAY(
    SELECT DISTINCT f.node_id FROM aya.feed f
    WHERE f.transaction >= pg_snapshot_xmin(%(since)s::pg_snapshot)
        AND NOT pg_visible_in_snapshot(f.transaction, %(since)s::pg_snapshot)
)
"""
NODES = "SELECT pg_current_snapshot()::text, ARRAY(SELECT id FROM system_nodes)"


@dataclass(frozen=True, slots=True)
class Changed:
    """What was written since a snapshot."""

    snapshot: str
    """The snapshot in which this was read, to be remembered for the next time."""
    nodes: tuple[int, ...]
    """The numbers of the nodes of which something was written, or that are new or gone; 0 for what belongs to none."""
    everything: bool
    """Whether nothing that was read before holds; then `nodes` are all there are."""


class Feed:
    """One connection that answers what was written, and reads it. It is opened again after it broke."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: psycopg.AsyncConnection[TupleRow] | None = None
        self._states = ""

    async def changed(self, since: str | None) -> Changed:
        """What was written since a snapshot; None: everything is. Raises DatabaseError; what was remembered holds no
        more then.
        """
        async with self._connected() as connection:
            return await _changed(connection, since)

    async def states(self, since: str | None) -> AsyncIterator[Changed | tuple[int, str, bytes]]:
        """First what was written since a snapshot, then number, name and state of each of these nodes that is there: all of it as
        of one moment.
        """
        async with self._connected() as connection:
            if not self._states:
                with self._database.connect(Login.READER) as describing:
                    self._states = state_query(describing, "wanted_node.id = ANY (%(numbers)s)")
            async with connection.transaction():
                changed = await _changed(connection, since)
                yield changed
                for first in range(0, len(changed.nodes), AT_ONCE):
                    given = {"numbers": list(changed.nodes[first : first + AT_ONCE])}
                    cursor = await connection.execute(self._states, given, prepare=True)
                    for number, name, state in await cursor.fetchall():
                        yield number, name, state.encode()

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[psycopg.AsyncConnection[TupleRow]]:
        with translated(doing="asking what was written"):
            try:
                if self._connection is None:
                    self._connection = await open_reader(self._database)
                yield self._connection
            except BaseException:
                # Whatever broke, what comes next begins on a connection of which everything is known.
                await self.close()
                raise


async def open_reader(database: Database) -> psycopg.AsyncConnection[TupleRow]:
    """A connection of the reader for one task. Raises DatabaseUnreachable at once when the embedded server does not run."""
    database.refuse_if_stopped()
    # What is asked is always the same: it is planned once.
    settings = {"plan_cache_mode": "force_generic_plan"}
    if role := database.role(Login.READER):
        settings["role"] = role
    connection = await psycopg.AsyncConnection[TupleRow].connect(
        database.url(Login.READER), autocommit=True, row_factory=tuple_row, **keywords(settings)
    )
    await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
    await connection.set_read_only(True)
    return connection


async def notifications(database: Database) -> AsyncGenerator[None]:
    """Something was written: once for each time that a transaction says so, and once at the beginning. Ends with
    DatabaseError.
    """
    with translated(doing="listening for what is written"):
        connection = await open_reader(database)
        try:
            await connection.execute(f"LISTEN {CHANNEL}")
            yield
            async for _ in connection.notifies():
                yield
        finally:
            await connection.close()


async def _changed(connection: psycopg.AsyncConnection[TupleRow], since: str | None) -> Changed:
    if since is not None:
        row = await (await connection.execute(CHANGED, {"since": since}, prepare=True)).fetchone()
        assert row is not None
        if EVERYTHING not in row[1]:
            return Changed(row[0], tuple(row[1]), everything=False)
    row = await (await connection.execute(NODES)).fetchone()
    assert row is not None
    return Changed(row[0], tuple(row[1]), everything=True)
