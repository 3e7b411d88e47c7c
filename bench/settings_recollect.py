"""Looking at all settings of a server again and recording that nothing changed, against only reading `pg_settings`.

The whole path of a process that goes on, as `aya up` does, on warm connections: the collector's queries, whether the answers
are what they were, comparing with what is recorded, and the row that says that we looked.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

from aya.collect.postgresql.run import identify, run_collector, server_collectors
from aya.db.connection import Connection, rows
from aya.db.database import Login
from aya.db.observed import Observed, Route
from aya.model import Collected, NodeState
from aya.record.recorder import record
from aya.redaction import KEY_BYTES, Redactor
from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory


def measure(lab: Laboratory) -> Iterator[Line]:
    lab.empty()
    database, redactor = lab.context.database, lab.context.redactor
    collector = server_collectors()["settings"]
    with (
        Observed.open(Route(url=database.url(Login.ADMIN))) as observed,
        database.connect() as writer,
        database.connect(Login.ADMIN) as plain,
    ):
        server = identify(observed, redactor)

        def look(redactor: Redactor = redactor) -> Collected:
            return run_collector("settings", collector, observed, server, redactor)

        def keep(collected: Collected) -> None:
            record(writer, [NodeState(node_name="BENCH", collected_at=datetime.now(UTC), collected=(collected,))])

        def again() -> None:
            keep(look())

        def first() -> None:
            # Another key: nothing that this process understood before is of use.
            keep(look(Redactor(os.urandom(KEY_BYTES))))

        def read() -> object:
            return plain.execute("SELECT * FROM pg_settings").fetchall()

        for _ in range(10):
            again()
            read()
        rounds, found, against = 20 if lab.quick else 100, look(), "SELECT *, as dicts"
        rows_before, log_before = versions(plain), log_position(plain)
        ours, theirs = interleaved(rounds, again, read)
        rows_after, log_after = versions(plain), log_position(plain)
        yield Line(what="unchanged re-collect", ours=ours, against=against, reference=theirs, goal=Goal(3))
        written = len(rows_before.items() ^ rows_after.items())
        yield Line(what="rows of settings written by all rounds", ours=(written,), unit="rows", goal=Goal(0))
        yield Line(what="log of a round: a run, an outcome", ours=((log_after - log_before) / rounds,), unit="bytes")
        for what, part in (
            ("of it: looking", look),
            ("of it: recording", lambda: keep(found)),
            ("the same by a process that looks for the first time", first),
        ):
            ours, theirs = interleaved(rounds, part, read)
            yield Line(what=what, ours=ours, against=against, reference=theirs)


def versions(connection: Connection) -> dict[int, int]:
    """The transaction that wrote each setting: writing one again would change it."""
    return {
        row["id"]: row["xmin"]
        for row in rows(connection, "SELECT id, xmin::text::bigint FROM postgresql_configuration")
    }


def log_position(connection: Connection) -> int:
    """Bytes of write-ahead log that were ever written."""
    return int(rows(connection, "SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes")[0]["bytes"])


figure = Figure(measure)
