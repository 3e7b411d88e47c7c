"""The log of changes as it grows, exactly: what one snapshot of the database had not seen and another has. However transactions
overlap, nothing is told twice and nothing is left out.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

import psycopg
from psycopg.rows import TupleRow

from aya.db.lists import row_lists

AT_ONCE = 500
SNAPSHOT = re.compile(r"\d{1,19}:\d{1,19}:(\d{1,19}(,\d{1,19})*)?")
VISIBLE = "pg_visible_in_snapshot(l.transaction_id::text::xid8, %({})s::pg_snapshot)"

Told = tuple[int, str]
"""A change: its number, and it itself as JSON."""


async def current_snapshot(connection: psycopg.AsyncConnection[TupleRow]) -> str:
    """What is committed now."""
    return str((await _rows(connection, "SELECT pg_current_snapshot()::text", {}))[0][0])


async def changes_between(
    connection: psycopg.AsyncConnection[TupleRow], old: str | int, new: str
) -> AsyncIterator[list[Told]]:
    """What `new` has seen and `old` has not, bit by bit in the order of numbers. `old` may be the number of a change:
    then what has higher ones.
    """
    after = old if isinstance(old, int) else 0
    condition = f"{VISIBLE.format('new')} AND l.id > %(after)s"
    if isinstance(old, str):
        # The first condition says again what the second says, in a form that an index is found by.
        condition += " AND l.transaction_id >= pg_snapshot_xmin(%(old)s::pg_snapshot)::text::bigint AND NOT "
        condition += VISIBLE.format("old")
    while True:
        given = {"old": old, "new": new, "after": after, "limit": AT_ONCE, "nodes": None}
        found = await _rows(connection, f"{_select()} WHERE {condition} ORDER BY l.id LIMIT %(limit)s", given)
        if found:
            yield found
        if len(found) < AT_ONCE:
            return
        after = found[-1][0]


async def changes_before(connection: psycopg.AsyncConnection[TupleRow], new: str) -> AsyncGenerator[Told]:
    """What `new` has seen, newest first."""
    before = 2**63 - 1
    text = f"{_select()} WHERE {VISIBLE.format('new')} AND l.id < %(before)s ORDER BY l.id DESC LIMIT %(limit)s"
    while found := await _rows(connection, text, {"new": new, "before": before, "limit": AT_ONCE, "nodes": None}):
        for told in found:
            yield told
        before = found[-1][0]


def _select() -> str:
    return f"SELECT l.id, row_to_json(l)::text FROM ({row_lists()['changes'].sql}) AS l"


async def _rows(
    connection: psycopg.AsyncConnection[TupleRow], text: str, given: Mapping[str, object]
) -> list[TupleRow]:
    return await (await connection.execute(text, given)).fetchall()
