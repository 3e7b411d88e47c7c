"""Who called what: each call that writes or runs SQL is logged before it does, and how it ended after it.

A call that cannot be logged is not done. One whose end cannot be logged was done: it stands there without an end.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from aya.access.caller import Caller
from aya.collect.runner import storable
from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import AyaError, UsageError
from aya.redaction import Redactor, map_texts

EXCERPT_CHARACTERS = 2000
DONE = "done"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, and how it ended; `outcome` None: it was cut off, or still goes on."""

    id: int
    request_id: str
    called_at: datetime
    caller: str
    called_from: str | None
    operation: str
    arguments: str
    arguments_sha256: str
    outcome: str | None
    duration_ms: int | None
    rows: int | None
    bytes: int | None


@dataclass(slots=True)
class Tally:
    """What a call answered or took in, filled in by who does it. None: not counted."""

    rows: int | None = None
    bytes: int | None = None


@contextmanager
def logged(
    connect: Callable[[], AbstractContextManager[Connection]],
    redactor: Redactor,
    caller: Caller,
    request_id: str,
    operation: str,
    arguments: Mapping[str, Any],
    tally: Tally,
) -> Iterator[None]:
    """Log a call around doing it; `tally` is read when it is done.

    Raises DatabaseError, and nothing is done, when it cannot be logged.
    """
    whole = said(redactor, arguments)
    given = {
        "request_id": request_id,
        "caller": caller.name,
        "called_from": caller.address,
        "operation": operation,
        "arguments": whole[:EXCERPT_CHARACTERS],
        "arguments_sha256": sha256(whole.encode()).digest(),
    }
    with connect() as connection, translated(doing=f"logging the call of {operation}"):
        call = rows(connection, query("begin_call"), given)[0]["id"]
    outcome, started = DONE, time.monotonic()
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        end = {"call": call, "outcome": outcome, "duration_ms": round((time.monotonic() - started) * 1000)}
        try:
            with connect() as connection, translated(doing=f"logging how {operation} ended"):
                connection.execute(query("end_call"), end | {"rows": tally.rows, "bytes": tally.bytes})
        except AyaError as error:
            logger.error("call %s of %s ended (%s), which could not be logged: %s", call, operation, outcome, error)


def said(redactor: Redactor, arguments: Mapping[str, Any]) -> str:
    """Arguments as JSON without secrets: both its name and its shape tell one."""
    redacted = {name: _redacted(redactor, name, value) for name, value in arguments.items() if value is not None}
    return orjson.dumps(redacted, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


def _redacted(redactor: Redactor, name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": len(value), "sha256": sha256(value).hexdigest()}
    if isinstance(value, str):
        return redactor.text(f"{name}={storable(value)}").removeprefix(f"{name}=")
    return map_texts(value, lambda text: redactor.text(storable(text)))


def calls(
    connection: Connection,
    *,
    caller: str | None = None,
    operation: str | None = None,
    request_id: str | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Call]:
    """The newest `limit` calls that fit, newest first; `before`: only those of a lower number."""
    if not 1 <= limit <= 1000:
        raise UsageError(f"{limit} calls cannot be shown.", remedy="Ask for 1 to 1000.")
    given = {
        "caller": caller,
        "operation": operation,
        "request_id": request_id,
        "since": since,
        "before": before,
        "limit": limit,
    }
    with translated(doing="reading the calls"):
        return [Call(**row) for row in rows(connection, query("list_calls"), given)]
