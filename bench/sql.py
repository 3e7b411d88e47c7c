"""`SELECT 1` as read-only SQL, against what it cannot do without: a connection of its own, and one that is there already.

`make bench BENCH=sql` shows what dominates: the connection.
"""

from collections.abc import Iterator

import psycopg

from aya.db.database import Login
from aya.operations.query import query
from bench._figure import Figure, Line, interleaved
from bench._laboratory import Laboratory


def measure(lab: Laboratory) -> Iterator[Line]:
    url = lab.context.database.url(Login.SQL)

    def connected() -> None:
        with psycopg.connect(url, autocommit=True) as fresh:
            fresh.execute("SELECT 1").fetchall()

    query(lab.context, "SELECT 1")  # the worker is there
    with psycopg.connect(url, autocommit=True) as kept:
        ours, fresh, there = interleaved(
            20 if lab.quick else 200,
            lambda: query(lab.context, "SELECT 1"),
            connected,
            lambda: kept.execute("SELECT 1").fetchall(),
        )
    yield Line(what="query SELECT 1", ours=ours, against="a fresh connection", reference=fresh)
    yield Line(what="a fresh connection", ours=fresh, against="one that is there", reference=there)


figure = Figure(measure)
