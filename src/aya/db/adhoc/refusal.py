"""Why a statement has no answer: what PostgreSQL said, where in the text, and what may have been meant."""

import difflib
from typing import Any

import psycopg

from aya.db.adhoc.question import Question
from aya.db.connection import without_password
from aya.db.wall import GAPS
from aya.errors import AyaError, DatabaseUnreachable, DatabaseUnsuitable, StatementRefused

WIDTH = 100
NAMES = """
    SELECT c.relname FROM pg_class c
    WHERE pg_table_is_visible(c.oid) AND c.relkind IN ('r', 'p', 'v') AND c.relnamespace <> 'pg_catalog'::regnamespace
    UNION
    SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE pg_table_is_visible(c.oid) AND c.relkind IN ('r', 'p', 'v') AND c.relnamespace <> 'pg_catalog'::regnamespace
        AND a.attnum > 0"""
STOPPED = (psycopg.errors.QueryCanceled, psycopg.errors.TransactionTimeout)
UNKNOWN_NAMES = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
FORBIDDEN = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)


def too_slow(question: Question) -> StatementRefused:
    """It took longer than it may."""
    return StatementRefused(
        f"The statement took longer than {question.timeout_s:g} s and was stopped.",
        remedy="Ask for less at once, or set AYA_SQL_TIMEOUT_S.",
    )


def too_large() -> StatementRefused:
    """It, or its answer, took more memory than it may."""
    return StatementRefused(
        "The statement cannot be run: it is nested too deeply, or it or a row of its answer is too large.",
        remedy="Write it more simply, or ask for parts, as left(column, 1000).",
    )


def unreachable(url: str, error: psycopg.OperationalError) -> DatabaseUnreachable:
    """The role of read-only SQL gets no connection."""
    said = " ".join(str(error).split()).removeprefix("connection failed: ")
    return DatabaseUnreachable(
        f"Read-only SQL cannot enter {without_password(url)}: {said[:400]}",
        remedy="`aya db migrate` makes its role and password. A server that is not AYA's own must let aya_sql in (pg_hba.conf); "
        "AYA_SQL_URL names another way.",
    )


def refuse_with_gaps(connection: psycopg.Connection[Any]) -> None:
    """Raise DatabaseUnsuitable unless the wall stands."""
    try:
        gaps = [gap for gap, _ in connection.execute(GAPS)]
    except psycopg.ProgrammingError as error:
        raise DatabaseUnsuitable(
            f"Read-only SQL is not prepared in this database: {_primary(error)}.",
            remedy="Run `aya db migrate`, or `aya up`.",
        ) from error
    if gaps:
        raise DatabaseUnsuitable(
            f"Nothing is run: the role of read-only SQL, aya_sql, may do more than read ({len(gaps)} things): "
            f"{'; '.join(gaps[:3])}{'; …' if gaps[3:] else ''}.",
            remedy="Run `aya db migrate` as a superuser (for an existing server: once with an AYA_DATABASE_URL that names one); "
            "`SELECT * FROM aya.sql_gaps` shows what is left.",
        )


def explained(connection: psycopg.Connection[Any], question: Question, error: psycopg.Error) -> AyaError:
    """What PostgreSQL's refusal means for who asked."""
    if isinstance(error, STOPPED):
        return too_slow(question)
    if isinstance(error, psycopg.errors.OutOfMemory):
        return too_large()
    if error.sqlstate is None:  # it comes from the client's side of the connection
        if "memory" in str(error):
            return too_large()
        return DatabaseUnreachable(f"The connection was lost: {_primary(error)}.", remedy="Ask again.")
    if isinstance(error, psycopg.errors.ProtocolViolation):
        return StatementRefused("The statement has parameters, as $1.", remedy="Write the values themselves.")
    hints = [error.diag.message_hint]
    if isinstance(error, UNKNOWN_NAMES):
        hints.append(_nearest(connection, _primary(error)))
    if isinstance(error, FORBIDDEN):
        hints.append("Read-only SQL reads the tables and views of the schemas public and past, and computes.")
    detail = f" {error.diag.message_detail[:300]}" if error.diag.message_detail else ""
    position = int(error.diag.statement_position or 0)
    where = _where(question.sql, position) if position else ""
    return StatementRefused(
        f"PostgreSQL refused it: {_primary(error)}.{detail}{where}", remedy=" ".join(filter(None, hints))
    )


def _where(sql: str, position: int) -> str:
    """The line of a place in the text, counted from 1, with a mark below it."""
    before = sql[: position - 1]
    start = before.rfind("\n") + 1
    line, column = sql[start:].split("\n", 1)[0], len(before) - start
    first = max(0, column - WIDTH // 2)
    shown = "".join(c if c.isprintable() else " " for c in line[first : first + WIDTH])
    number = before.count("\n") + 1
    return f"\nLine {number}, column {column + 1}:\n  {shown}\n  {' ' * (column - first)}^"


def _nearest(connection: psycopg.Connection[Any], said: str) -> str:
    """Names that exist and look like the one that does not."""
    asked = (said.split('"')[1] if '"' in said else said.split()[1]).rsplit(".", 1)[-1]
    while connection.pgconn.get_result() is not None:
        pass  # after an error there is nothing but the end
    connection.execute("ROLLBACK")
    found = [name for (name,) in connection.execute(NAMES)]
    near = difflib.get_close_matches(asked, found, n=3, cutoff=0.5)
    return f"There is {', '.join(near)}." if near else "docs/tables.md lists the tables, views and columns."


def _primary(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())[:500].rstrip(".")
