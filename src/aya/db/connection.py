"""Connections to AYA's own database, and the one border where driver errors become AYA's errors."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import conninfo, sql
from psycopg.rows import DictRow, dict_row, tuple_row

from aya.errors import (
    ConfigurationError,
    DatabaseError,
    DatabaseUnreachable,
    DatabaseUnsuitable,
    PayloadRefused,
    Pruned,
    UsageError,
)

Connection = psycopg.Connection[DictRow]

logging.getLogger("psycopg").setLevel(logging.ERROR)  # what it warns of, it raises as well

CONNECT_TIMEOUT_S = 10
SESSION = {"datestyle": "ISO", "timezone": "UTC", "jit": "off"}
DATA_DOES_NOT_FIT = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)
PRUNED = "AYP01"
"""What `aya.history_reaches` raises."""
NOT_MIGRATED = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
    psycopg.errors.InvalidSchemaName,
)


def connect(
    url: str, *, role: str | None = None, autocommit: bool = True, settings: Mapping[str, str] = MappingProxyType({})
) -> Connection:
    """Open a connection that gives rows as dicts; each statement is a transaction of its own unless a block says
    otherwise.

    `role`: act as this role from the start, for logins that are members of it. `settings`: of the session.
    Raises ConfigurationError for a URL that cannot be understood, DatabaseUnreachable when there is no server or it
    refuses, DatabaseUnsuitable when there is no such role or the login may not act as it.
    """
    _refuse_misspelt(url)
    with translated(doing=f"connecting to {without_password(url)}"):
        connection = psycopg.connect(
            url,
            autocommit=True,
            **keywords(settings),
            row_factory=dict_row,
        )
        try:
            if role is not None:
                act_as(connection, role)
            connection.autocommit = autocommit
        except BaseException:
            connection.close()
            raise
        return connection


def keywords(settings: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """What every connection of AYA is opened with."""
    return {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": "aya",
        "options": options(SESSION | dict(settings)),
    }


def options(settings: Mapping[str, str]) -> str:
    """Settings of a session as libpq takes them: a blank or backslash in a value is escaped."""
    return " ".join("-c " + re.sub(r"([\\\s])", r"\\\1", f"{name}={value}") for name, value in settings.items())


def _refuse_misspelt(url: str) -> None:
    try:
        conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        # libpq quotes what it did not understand, which may be the password.
        said = re.sub(r'".*"', '"…"', str(error).strip(), flags=re.S)
        raise ConfigurationError(
            f"The URL of the database cannot be understood: {said}.",
            remedy="Write AYA_DATABASE_URL (or AYA_SQL_URL) as postgresql://user:password@host:port/database, "
            "special characters as %XX.",
        ) from None


def act_as(connection: Connection, role: str) -> None:
    """Go on as that role. Raises DatabaseUnsuitable when there is none or the login may not."""
    try:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    except psycopg.errors.InvalidParameterValue as error:
        raise DatabaseUnsuitable(
            f"The server has no role {role}: it was not prepared for AYA.", remedy="Run `aya db migrate`, or `aya up`."
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseUnsuitable(
            f"The login {connection.info.user} may not act as {role}, which AYA does.",
            remedy=f"Let an administrator run `GRANT aya_reader, aya_writer TO {connection.info.user}`.",
        ) from error


@contextmanager
def translated(*, doing: str) -> Iterator[None]:
    """Turn the driver's errors into AYA's; the message says what was being done and what PostgreSQL said."""
    try:
        yield
    except DATA_DOES_NOT_FIT as error:
        raise PayloadRefused(f"PostgreSQL refused the data while {doing}: {_said(error)}") from error
    except psycopg.errors.DiskFull as error:
        raise DatabaseError(
            f"The disk is full: PostgreSQL stopped while {doing}. Nothing that was recorded before is lost.",
            remedy="Free some space on the disk of the data folder (`aya doctor` names it) and do it again.",
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseUnsuitable(
            f"The login may not do what AYA needs, while {doing}: {_said(error)}",
            remedy="Use a login that owns the database, or ask its administrator for that right.",
        ) from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise DatabaseUnsuitable(
            f"The database can only be read, while {doing}: {_said(error)}",
            remedy="If it is a standby, point AYA_DATABASE_URL to its primary.",
        ) from error
    except psycopg.errors.LockNotAvailable as error:
        raise DatabaseError(f"Another session holds a lock that is needed while {doing}: {_said(error)}") from error
    except NOT_MIGRATED as error:
        raise DatabaseUnsuitable(
            f"The database is not what this version of AYA needs, while {doing}: {_said(error)}",
            remedy="Run `aya db migrate`, or `aya up`.",
        ) from error
    except psycopg.OperationalError as error:
        said = _said(error)
        raise DatabaseUnreachable(
            f"PostgreSQL is not to be had while {doing}: {said}",
            remedy="`aya db migrate` makes AYA's database in the embedded server; in another one, create it there first."
            if "does not exist" in said
            else "`aya doctor` looks into it; `aya db start` starts the embedded server.",
        ) from error
    except psycopg.Error as error:
        if error.sqlstate == PRUNED:
            said = error.diag.message_primary or ""
            raise Pruned(f"{said[:1].upper()}{said[1:]}.", remedy=error.diag.message_hint or "") from error
        raise DatabaseError(f"PostgreSQL failed while {doing}: {_said(error)}") from error
    except UnicodeError as error:
        raise UsageError(f"A text that is not UTF-8 cannot be used while {doing}: {error}.") from error
    except ValueError as error:
        raise DatabaseUnreachable(f"Cannot go on while {doing}: {error}") from error


def _said(error: psycopg.Error) -> str:
    diagnosis = error.diag
    parts = [diagnosis.message_primary, diagnosis.message_detail, diagnosis.context]
    whole = str(error).removeprefix("connection failed: ")
    text = " ".join(" ".join(part.split()) for part in parts if part) or " ".join(whole.split())
    # libpq repeats the connection string when it cannot read it.
    return re.sub(r"(password\s*=\s*)\S+|(://[^:/@\s]*:)[^@\s]*(?=@)", r"\1\2***", text)[:600]


def without_password(url: str) -> str:
    """A URL or connection string fit to be shown."""
    if "://" in url:
        try:
            parts = urlsplit(url)
        except ValueError:
            return "the database URL"
        if parts.password is not None:
            user_and_host = f"{parts.username or ''}:***@{parts.netloc.rsplit('@', 1)[1]}"
            url = urlunsplit(parts._replace(netloc=user_and_host))
        return re.sub(r"((?:ssl)?password=)[^&]*", r"\1***", url)
    try:
        fields = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        return "the database URL"
    return " ".join(f"{name}={'***' if 'password' in name else value}" for name, value in sorted(fields.items()))


def parted_from_password(url: str) -> tuple[str, str | None]:
    """A connection string without its password, and the password."""
    fields = conninfo.conninfo_to_dict(url)
    password = fields.pop("password", None)
    return conninfo.make_conninfo("", **fields), str(password) if password else None


def as_user(url: str, user: str, password: str | None = None) -> str:
    """A URL for another user, with that password, else with the one that is in it. Raises ConfigurationError for one that
    cannot be understood.
    """
    _refuse_misspelt(url)
    fields = {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items()}
    fields.pop("user", None)
    password = password or fields.get("password")
    fields.pop("password", None)
    login = ":".join(quote(part, safe="") for part in (user, password) if part)
    database = quote(fields.pop("dbname", ""), safe="")
    place = ""
    if re.fullmatch(
        r"[\w.-]+:\d*", f"{fields.get('host', '')}:{fields.get('port', '')}"
    ):  # neither a folder of sockets, nor several, nor IPv6
        place = ":".join(filter(None, (fields.pop("host"), fields.pop("port", ""))))
    more = urlencode(fields, quote_via=quote, safe="/")
    return f"postgresql://{login}@{place}/{database}" + (f"?{more}" if more else "")


def rows(connection: Connection, text: str, parameters: dict[str, Any] | None = None) -> list[DictRow]:
    """Run one of AYA's own queries and fetch everything."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text, parameters or {}).fetchall()


def stream(
    connection: Connection, text: str, parameters: dict[str, Any], *, at_once: int = 5000
) -> Iterator[tuple[Any, ...]]:
    """Run one of AYA's own queries and fetch it bit by bit, however long it is. Needs a transaction around it."""
    with connection.cursor(name="aya_stream", row_factory=tuple_row) as cursor:
        cursor.itersize = at_once
        yield from cursor.execute(text, parameters)


def stream_read_only(connection: Connection, statement: str, *, settings: Mapping[str, str]) -> Iterator[DictRow]:
    """Run one statement that is not AYA's own, and fetch it row by row, however long it is.

    `settings` are those of its transaction, which can only read and is rolled back. The extended protocol lets
    PostgreSQL itself refuse two statements in one. Raises DatabaseError with what PostgreSQL says of it.
    """
    try:
        connection.execute("BEGIN TRANSACTION READ ONLY")
        try:
            for name, value in settings.items():
                connection.execute("SELECT set_config(%s, %s, true)", (name, value))
            with connection.cursor(row_factory=dict_row) as cursor:
                yield from cursor.stream(statement.encode())
        finally:
            if not connection.closed:
                connection.execute("ROLLBACK")
    except psycopg.Error as error:
        raise DatabaseError(f"PostgreSQL refused it: {_said(error)}") from error
