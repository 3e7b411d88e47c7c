"""One statement in a session of its own: READ ONLY, within its limits, rolled back, and the connection dropped."""

import time
from contextlib import closing
from typing import Any

import orjson
import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import tuple_row

from aya.db.adhoc.question import Question
from aya.db.adhoc.refusal import explained, refuse_with_gaps, unreachable
from aya.db.adhoc.value import Values, prepare
from aya.db.connection import options
from aya.errors import StatementRefused
from aya.host.worker import limit_memory

BACKEND_MEMORY_BYTES = 512 * 1024 * 1024
LOOK_AGAIN_S = 60.0
CHUNK_ROWS = 100
COPYING = (ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH)
TYPES = "SELECT oid, format_type(oid, NULL) FROM pg_type WHERE oid >= 16384"


class Surroundings:
    """What is looked at only once a minute: whether the wall stands, and the names of types."""

    def __init__(self) -> None:
        self._looked_at_s: dict[str, float] = {}
        self._types: dict[str, dict[int, str]] = {}

    def look(self, connection: psycopg.Connection[Any], url: str) -> dict[int, str]:
        """The names of types that are not PostgreSQL's own. Raises DatabaseUnsuitable when the wall has gaps."""
        if time.monotonic() - self._looked_at_s.get(url, -LOOK_AGAIN_S) >= LOOK_AGAIN_S:
            refuse_with_gaps(connection)
            self._types[url] = dict(connection.execute(TYPES).fetchall())
            self._looked_at_s[url] = time.monotonic()
        return self._types[url]


def run(question: Question, url: str, name: str, surroundings: Surroundings, *, own_server: bool) -> bytes:
    """The answer as JSON, see Answer, and whether the memory of the session was limited (`memory_limited`).

    Raises StatementRefused, DatabaseUnreachable, DatabaseUnsuitable.

    `name`: how the session is called in the server. `own_server`: it is AYA's own, on this machine, so that the memory of
    the session can be limited.
    """
    try:
        connection = psycopg.connect(
            url, autocommit=True, connect_timeout=max(2, int(question.timeout_s) - 1), options=options(_settings(question)),
            application_name=name, row_factory=tuple_row,
        )  # fmt: skip
        with closing(connection):
            # Without that right (a container may lack it) only PostgreSQL's own limits hold, and `aya doctor` says so.
            memory_limited = own_server and limit_memory(BACKEND_MEMORY_BYTES, connection.info.backend_pid)
            prepare(connection)
            connection.execute("BEGIN READ ONLY")
            types = surroundings.look(connection, url)
            return orjson.dumps({**_ask(connection, question, types), "memory_limited": memory_limited})
    except psycopg.OperationalError as error:
        raise unreachable(url, error) from error


def _settings(question: Question) -> dict[str, str]:
    timeout_ms = int(question.timeout_s * 1000)
    return {
        "search_path": "public" if question.as_of is None else "past,public",
        "aya.as_of": question.as_of or "",
        "default_transaction_read_only": "on",
        "statement_timeout": f"{timeout_ms}",
        "transaction_timeout": f"{timeout_ms + 500}",
        "idle_in_transaction_session_timeout": f"{timeout_ms}",
        "lock_timeout": f"{min(timeout_ms, 2000)}",
        # When we have enough, or die, the server is to notice while it still computes.
        "client_connection_check_interval": "200",
        "work_mem": "16MB",
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
        "client_encoding": "UTF8",
        "client_min_messages": "error",
        "datestyle": "ISO",
        "intervalstyle": "postgres",
        "timezone": "UTC",
        "bytea_output": "hex",
        "extra_float_digits": "1",
    }


def _ask(connection: psycopg.Connection[Any], question: Question, types: dict[int, str]) -> dict[str, Any]:
    started = time.monotonic()
    server = connection.pgconn
    # The extended protocol: PostgreSQL itself takes one statement and no more.
    server.send_query_params(question.sql.encode(), None)
    server.set_chunked_rows_mode(CHUNK_ROWS)
    values: Values | None = None
    columns: list[dict[str, str]] = []
    rows: list[orjson.Fragment] = []
    length_bytes, missing = 0, ""
    while not missing and (result := server.get_result()) is not None:
        _refuse_unless_rows(connection, question, result)
        if values is None:
            values = Values(connection, result, question.value_bytes)
            columns = [_column(connection, result, n, types) for n in range(result.nfields)]
        for number in range(result.ntuples):
            row = orjson.dumps(values.row(result, number))
            if len(rows) == question.rows:
                missing = f"There are more than {question.rows} rows; the first {question.rows} are given."
                break
            if length_bytes + len(row) > question.bytes:
                missing = f"The rows are longer than {question.bytes} bytes; the first {len(rows)} are given."
                break
            rows.append(orjson.Fragment(row))
            length_bytes += len(row) + 1
    duration_ms = (time.monotonic() - started) * 1000
    # Not to be cancelled and drained: that can take longer than the statement.
    if not missing:
        if server.transaction_status != TransactionStatus.INTRANS:
            raise StatementRefused("The statement ended its transaction: it is not one that reads.")
        server.exec_(b"ROLLBACK")
    if values is not None and values.cut:
        cut = f"{values.cut} values are longer than {question.value_bytes} bytes and end there with …."
        missing = f"{missing} {cut}".strip()
    return {
        "columns": columns, "rows": rows, "row_count": len(rows), "bytes": length_bytes,
        "duration_ms": round(duration_ms, 3), "truncated": bool(missing), "truncation": missing,
    }  # fmt: skip


def _refuse_unless_rows(connection: psycopg.Connection[Any], question: Question, result: PGresult) -> None:
    status = ExecStatus(result.status)
    if status in (ExecStatus.TUPLES_OK, ExecStatus.TUPLES_CHUNK, ExecStatus.SINGLE_TUPLE):
        return
    if status in COPYING:
        raise StatementRefused("COPY is not run.", remedy="Ask for the rows with SELECT or TABLE.")
    if status == ExecStatus.EMPTY_QUERY:
        raise StatementRefused("The text holds no statement.")
    if status == ExecStatus.COMMAND_OK:
        raise StatementRefused("The statement gives no rows: it is not one that reads.")
    raise explained(connection, question, psycopg.errors.error_from_result(result))


def _column(
    connection: psycopg.Connection[Any], result: PGresult, number: int, types: dict[int, str]
) -> dict[str, str]:
    oid = result.ftype(number)
    known = connection.adapters.types.get(oid)
    name = types.get(oid, f"type {oid}") if known is None else known.regtype + "[]" * (oid == known.array_oid)
    return {"name": (result.fname(number) or b"").decode("utf-8", errors="replace"), "type": name}
