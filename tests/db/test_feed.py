"""The feed says exactly what was written since, however transactions overlap."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aya.db.connection import Connection, rows
from aya.db.database import Database, Login
from aya.db.feed import Changed, Feed

T = TypeVar("T")


def reading(database: Database, action: Callable[[Feed], Awaitable[T]]) -> T:
    async def run() -> T:
        feed = Feed(database)
        try:
            return await action(feed)
        finally:
            await feed.close()

    return asyncio.run(run())


def since(database: Database, snapshot: str | None) -> Changed:
    return reading(database, lambda feed: feed.changed(snapshot))


def nodes(writer: Connection, count: int) -> None:
    writer.execute(
        "INSERT INTO system_nodes (id, node_name, node_role) "
        "SELECT n, 'N' || n, 'standalone' FROM generate_series(1, %s) n",
        (count,),
    )


def test_nothing_is_told_when_nothing_was_written(database: Database, writer: Connection) -> None:
    nodes(writer, 2)
    first = since(database, None)
    assert (first.everything, set(first.nodes)) == (True, {1, 2})
    writer.execute("UPDATE system_nodes SET status = 'active' WHERE id = 99")
    assert since(database, first.snapshot).nodes == ()


def test_tables_that_belong_to_no_node_are_told_as_such_and_emptied_ones_as_everything(
    database: Database, writer: Connection, admin: Connection
) -> None:
    nodes(writer, 1)
    first = since(database, None)
    writer.execute("INSERT INTO documentation_files (file_name, file_path) VALUES ('a', '/a')")
    second = since(database, first.snapshot)
    assert second.nodes == (0,)
    admin.execute("TRUNCATE services")
    assert since(database, second.snapshot).everything


def test_what_is_rolled_back_was_never_told(database: Database, writer: Connection) -> None:
    nodes(writer, 1)
    first = since(database, None)
    with writer.transaction(force_rollback=True):
        writer.execute("UPDATE system_nodes SET status = 'pending'")
    assert since(database, first.snapshot).nodes == ()


def test_a_writer_that_sees_one_moment_only_is_not_disturbed(
    database: Database, writer: Connection, admin: Connection
) -> None:
    nodes(writer, 1)
    with admin.transaction():
        admin.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        admin.execute("SELECT 1 FROM system_nodes")
        first = since(database, None)
        writer.execute("INSERT INTO performance_metrics (node_id, metric_name) VALUES (1, 'a')")
        writer.execute("INSERT INTO performance_metrics (node_id, metric_name) VALUES (1, 'b')")
        admin.execute("INSERT INTO performance_metrics (node_id, metric_name) VALUES (1, 'c')")
    assert since(database, first.snapshot).nodes == (1,)


STEP = st.tuples(st.integers(0, 2), st.sampled_from(["write", "commit", "rollback", "look"]), st.integers(1, 3))
STEPS = st.lists(STEP, max_size=25)


@hypothesis_settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_a_look_tells_exactly_what_was_committed_since_the_look_before(
    database: Database, steps: list[tuple[int, str, int]]
) -> None:
    """Three writers in overlapping transactions, against a plain account of what each of them committed."""
    connections = [database.connect(Login.WRITER, autocommit=False) for _ in range(3)]
    try:
        with database.connect() as setting_up:
            setting_up.execute("DELETE FROM system_nodes")
            nodes(setting_up, 3)

        async def play(feed: Feed) -> None:
            last = await feed.changed(None)
            written: list[set[int]] = [set(), set(), set()]
            committed: set[int] = set()
            for who, what, node in [*steps, (0, "look", 0)]:
                if what == "write":
                    connections[who].execute(
                        "INSERT INTO performance_metrics (node_id, metric_name, metric_value) VALUES (%s, 'm', 1)",
                        (node,),
                    )
                    written[who].add(node)
                elif what == "look":
                    last = await feed.changed(last.snapshot)
                    assert set(last.nodes) == committed
                    committed = set()
                else:
                    getattr(connections[who], what)()
                    committed |= written[who] if what == "commit" else set()
                    written[who] = set()

        reading(database, play)
    finally:
        for connection in connections:
            connection.close()


def test_the_feed_stays_as_small_as_there_are_nodes(database: Database, writer: Connection) -> None:
    nodes(writer, 3)
    chance = random.Random(1)
    for _ in range(100):
        writer.execute("UPDATE system_nodes SET status = 'active' WHERE id = %s", (chance.randint(1, 3),))
    assert rows(writer, "SELECT count(*) AS rows FROM aya.feed WHERE node_id BETWEEN 1 AND 3")[0]["rows"] == 3
