"""The workers that run the SQL of others: a few, started when needed or beforehand, replaced when they die."""

import atexit
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from typing import Any

import orjson

from aya.db.adhoc.question import Answer, Question, ResultColumn
from aya.db.adhoc.refusal import too_large, too_slow
from aya.db.connection import rows, translated
from aya.db.database import Database, Login
from aya.errors import (
    AyaError,
    DatabaseUnreachable,
    DatabaseUnsuitable,
    HostError,
    StatementRefused,
    TooManyRequests,
)
from aya.host.worker import Ended, Worker

MODULE = "aya.db.adhoc.worker"
TEXT_LIMIT_BYTES = 1024 * 1024
GRACE_S = 0.7
"""A statement that the server itself should have stopped is waited for so much longer. The rest of a second is for ending it, and
for noting how the call ended.
"""
WAIT_S = 0.5
START_S = 60.0
ENVELOPE_BYTES = 512 * 1024
"""What an answer has beside its rows: the names of its columns, at most 1,664 of them."""
STOP = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'aya_sql' AND application_name = %(name)s"
)

ERRORS = {kind.__name__: kind for kind in (StatementRefused, DatabaseUnreachable, DatabaseUnsuitable)}

_log = logging.getLogger(__name__)


class Workers:
    """At most `limit` statements at once; each worker runs one after the other."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = threading.Semaphore(limit)
        self._idle: list[Worker] = []
        """The last is taken first; those that may still be starting stand before the others."""
        self._times_closed = 0
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[tuple[Worker, float]]:
        """A worker for one question, and for how many seconds its turn and its start were waited for. Raises
        TooManyRequests when all are busy, and HostError when none can be started.
        """
        since = time.monotonic()
        if not self._free.acquire(timeout=WAIT_S):
            raise TooManyRequests(
                f"{self._limit} statements of SQL run already; no more are run at once.",
                remedy="Ask again in a moment; AYA_SQL_CONCURRENCY sets how many.",
            )
        try:
            worker = self._ready()
            yield worker, time.monotonic() - since
            with self._lock:
                if worker.alive:
                    self._idle.append(worker)
                else:  # the next one is started at once, so that who comes next does not wait for all of its start
                    self._idle.insert(0, _new())
        finally:
            self._free.release()

    def get_ready(self) -> None:
        """Start as many as may be needed at once, one after the other, so that who asks does not wait for a start."""
        times_closed = self._times_closed
        while len(self._idle) < self._limit:
            worker = _new()
            if worker.wait(START_S).ended is not Ended.ANSWERED:
                return  # who asks is told why
            with self._lock:
                if wanted := self._times_closed == times_closed and len(self._idle) < self._limit:
                    self._idle.append(worker)
            if not wanted:
                worker.kill()
                return

    def _ready(self) -> Worker:
        with self._lock:
            worker = self._idle.pop() if self._idle else _new()
        if not worker.alive:
            worker.kill()
            worker = _new()
        reply = worker.wait(START_S)
        if reply.ended is not Ended.ANSWERED:
            raise HostError(
                f"The worker that runs SQL did not start: it {reply.ended.value}.",
                remedy=f"`python -m {MODULE}` shows why.",
            )
        return worker

    def close(self) -> None:
        """End those that wait for questions."""
        with self._lock:
            self._times_closed += 1
            while self._idle:
                self._idle.pop().kill()


def _new() -> Worker:
    # Only what Python and libpq go by: the worker need not know what else AYA was told.
    return Worker(MODULE, {name: value for name, value in os.environ.items() if name.startswith(("PYTHON", "PG"))})


@cache
def workers(limit: int) -> Workers:
    """The workers of this program."""
    made = Workers(limit)
    atexit.register(made.close)
    return made


def ask(database: Database, question: Question, *, checked: bool = True) -> Answer:
    """Run a statement as the role of read-only SQL and give its rows.

    `checked`: parse it first, for clear messages. Raises StatementRefused, which says why there is no answer,
    TooManyRequests, DatabaseUnreachable, and DatabaseUnsuitable when the role is not there or may do more than read.
    """
    said = _asked(database, question, checked=checked)
    del said["memory_limited"]
    return Answer(**said | {"columns": [ResultColumn(**column) for column in said["columns"]]})


def memory_is_limited(database: Database) -> bool:
    """Whether the memory of the sessions that run the SQL of others is limited, found out in one. Raises as `ask` does."""
    question = Question(sql="SELECT 1", as_of=None, timeout_s=10, rows=1, bytes=100, value_bytes=100)
    return bool(_asked(database, question, checked=False)["memory_limited"])


def _asked(database: Database, question: Question, *, checked: bool) -> dict[str, Any]:
    if "\0" in question.sql:
        raise StatementRefused("The text holds a NUL character.", remedy="Leave it out.")
    if len(question.sql) > TEXT_LIMIT_BYTES or len(question.sql.encode(errors="replace")) > TEXT_LIMIT_BYTES:
        raise StatementRefused(f"The text is longer than {TEXT_LIMIT_BYTES} bytes.", remedy="Ask for less at once.")
    database.refuse_if_stopped()
    url = database.url(Login.SQL)
    name = f"aya sql {secrets.token_hex(8)}"
    try:
        message = orjson.dumps(
            {
                "question": asdict(question), "url": url, "name": name, "checked": checked,
                # A number of a process elsewhere is that of somebody else here.
                "own_server": database.is_embedded and database.settings.sql_url is None,
            }
        )  # fmt: skip
    except TypeError as error:
        raise StatementRefused(f"The text is not valid Unicode: {error}.", remedy="Write it as UTF-8.") from error
    with workers(database.settings.sql_concurrency).one() as (worker, waited_s):
        # Whoever waited still has all of the time for the statement, and has to be answered in time all the same.
        left_s = question.timeout_s + max(0.0, GRACE_S - waited_s)
        reply = worker.ask(message, timeout_s=left_s, limit_bytes=question.bytes + ENVELOPE_BYTES)
    if reply.ended is Ended.ANSWERED:
        return _unless_refused(orjson.loads(reply.message))
    _stop(database, name)
    raise too_slow(question) if reply.ended is Ended.SLOW else too_large()


def _unless_refused(said: dict[str, Any]) -> dict[str, Any]:
    if "error" in said:
        raise ERRORS[said["error"]](said["message"], remedy=said["remedy"])
    return said


def _stop(database: Database, name: str) -> None:
    """End the session of a worker that was killed, should it not have noticed."""
    try:
        with database.connect(Login.ADMIN) as connection, translated(doing="stopping a statement"):
            rows(connection, STOP, {"name": name})
    except AyaError as error:  # it ends at its transaction_timeout all the same
        _log.warning("a statement could not be stopped at once: %s", error)
