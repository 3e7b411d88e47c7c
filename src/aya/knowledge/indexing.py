"""The index of a set's vectors: built when there are enough of them, after they were loaded, with progress."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from aya.db.connection import Connection, rows, translated
from aya.db.database import Database, Login
from aya.db.queries import query
from aya.errors import UsageError
from aya.knowledge.sets import ChunkSet

WORTH_IT = 2000
"""Fewer vectors are compared one by one: that is as quick, exact, and needs no index."""
BYTES_BESIDE_VECTOR = 320
"""What a vector takes in an HNSW index beside its numbers: its neighbours."""
LEAST_MEMORY_KB = 64 * 1024
LOOK_EVERY_S = 1.0
LARGE = 100_000
"""Of more passages than that more of the nearest must be taken, to find as many of the true ones."""


@dataclass(frozen=True, slots=True)
class Index:
    """The index of a set as it is."""

    name: str
    method: str
    """hnsw or ivfflat."""
    is_valid: bool
    size_bytes: int
    lists: int | None


def index_of(connection: Connection, chosen: ChunkSet) -> Index | None:
    """The index; None where there is none."""
    with translated(doing="looking at the index"):
        found = rows(connection, query("chunk_index"), {"set": chosen.id})
    return Index(**found[0]) if found else None


def vectors_in(connection: Connection, chosen: ChunkSet) -> int:
    """How many vectors a set has."""
    with translated(doing="counting vectors"):
        count: int = rows(
            connection,
            "SELECT count(*) AS n FROM chunks WHERE set_id = %(set)s AND embedding IS NOT NULL",
            {"set": chosen.id},
        )[0]["n"]
    return count


def index_if_worth_it(database: Database, chosen: ChunkSet, progress: Callable[[str], None]) -> bool:
    """Build the index that the set is to have, if it is missing and worth it; whether it was built."""
    with database.connect(Login.READER) as connection:
        if chosen.dimensions is None or chosen.index_method == "none" or index_of(connection, chosen) is not None:
            return False
        if vectors_in(connection, chosen) < WORTH_IT:
            return False
    build_index(database, chosen, chosen.index_method, chosen.lists, progress)
    return True


def build_index(
    database: Database, chosen: ChunkSet, method: str, lists: int | None, progress: Callable[[str], None]
) -> None:
    """Build the index anew; the one before serves until it is there. `none` removes it.

    Raises UsageError for a set without vectors, and for more lists than there are vectors; DatabaseError, as when the disk is
    full: then everything is as it was.
    """
    if chosen.dimensions is None and method != "none":
        raise UsageError(
            "The passages have no vectors: no model was there when they were made.",
            remedy="`aya kb reembed` makes them.",
        )
    with database.connect() as connection:
        count = vectors_in(connection, chosen)
        lists = _lists(count, lists) if method == "ivfflat" else None
        memory_kb = _memory_kb(count, chosen.dimensions or 0)
        with (
            translated(doing=f"building the {method} index"),
            _watched(database, connection.info.backend_pid, method, progress),
            connection.transaction(),
        ):
            rows(connection, "SELECT set_config('maintenance_work_mem', %(kb)s, true)", {"kb": f"{memory_kb}kB"})
            rows(
                connection,
                "SELECT aya.index_chunks(%(set)s, %(method)s, %(lists)s)",
                {"set": chosen.id, "method": method, "lists": lists},
            )
            connection.execute(
                "UPDATE aya.chunk_sets SET nearest = %s WHERE id = %s", (100 if count > LARGE else 50, chosen.id)
            )


def note_words(connection: Connection) -> None:
    """Count anew which words many passages hold, for the search and for PostgreSQL's plans."""
    with translated(doing="analysing the passages"):
        connection.execute("ANALYZE documents, chunks")
        rows(connection, "SELECT aya.note_common_lexemes()")


def _lists(count: int, asked: int | None) -> int:
    """As pgvector advises: a thousandth of the rows, and beyond a million the root of them."""
    if asked is not None and asked > max(1, count):
        raise UsageError(
            f"{asked} lists for {count} vectors: most would be empty, and searches would find nothing in them.",
            remedy=f"Leave --lists out, which takes {_lists(count, None)}.",
        )
    return asked or max(1, round(count / 1000 if count <= 1_000_000 else count**0.5))


def _memory_kb(count: int, dimensions: int) -> int:
    """So much that the index fits, if a quarter of this machine's memory allows it."""
    wanted = int(count * (dimensions * 2 + BYTES_BESIDE_VECTOR) * 1.3) // 1024
    return max(LEAST_MEMORY_KB, min(wanted, psutil.virtual_memory().total // 4 // 1024))


@contextmanager
def _watched(database: Database, process: int, method: str, progress: Callable[[str], None]) -> Iterator[None]:
    """Meanwhile tell how far the building is."""
    done = threading.Event()

    def watch() -> None:
        with database.connect() as connection:
            while not done.wait(LOOK_EVERY_S):
                for row in rows(connection, query("index_progress"), {"process": process}):
                    share = f", {row['share']:.0%}" if row["share"] is not None else ""
                    progress(f"building the {method} index: {row['phase']}{share}")

    progress(f"building the {method} index")
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
