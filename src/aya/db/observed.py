"""A short, read-only look at a PostgreSQL server that AYA describes (not the one AYA keeps its own data in).

What is reported must be the server's, not this session's, so the session asks for nothing at its start: no options, no
application name, no encoding. Limits and a plain search path are set within the transaction of each question, and not
at all for a question asked `bare`, because its answer would show them.
"""

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, LiteralString

from aya.errors import DatabaseError
from aya.model import Outcome

if TYPE_CHECKING:
    import psycopg

CONNECT_LIMIT_S = 5
STATEMENT_LIMIT_S = 60
LOCK_LIMIT_S = 2
LIFETIME_S = 300
"""A connection is cut after this time, whatever the server does: a stopped server honours no timeout of its own."""

# Only pg_catalog is searched: in any other schema somebody may have put a function that is called like one of ours.
BEGIN: LiteralString = (
    "BEGIN TRANSACTION READ ONLY; SET LOCAL search_path = pg_catalog; "
    f"SET LOCAL statement_timeout = '{STATEMENT_LIMIT_S}s'; SET LOCAL lock_timeout = '{LOCK_LIMIT_S}s'; "
    "SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC'; "
    "SET LOCAL extra_float_digits = 1; SET LOCAL quote_all_identifiers = off; SET LOCAL jit = off"
)
UTF8: LiteralString = "; SET LOCAL client_encoding = 'UTF8'"

Row = dict[str, Any]


class NotObserved(DatabaseError):
    """A server, or one question to it, was not answered; `outcome` says in which way."""

    def __init__(self, outcome: Outcome, reason: str, *, lost: bool = False) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.lost = lost
        """Whether the connection is gone, so that asking further is useless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to reach a server: a host and port as whom, or a URL."""

    host: str = ""
    """A folder that holds the Unix socket, or an address."""
    port: int = 5432
    user: str | None = None
    """The role to log in as; None leaves it to libpq, which takes the name of the operating system user."""
    effective_uid: int | None = None
    """The operating system user to be while connecting, which is what `peer` authentication looks at."""
    url: str = field(default="", repr=False)
    """A connection URL or string that says everything; may hold a password."""

    @property
    def label(self) -> str:
        """What to call it in messages: never holds a password."""
        if not self.url:
            return f"{self.host}:{self.port}"
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict

        try:
            parts = conninfo_to_dict(self.url)
        except ProgrammingError:
            return "a URL that cannot be understood"
        return f"{parts.get('host') or parts.get('hostaddr') or 'localhost'}:{parts.get('port') or 5432}"


@contextmanager
def effective_user(uid: int | None) -> Iterator[None]:
    """Be another operating system user for a moment. Needs root, unless it is the same user.

    Only for connecting: the server asks the kernel who connected to its Unix socket. The whole process changes, not
    only this thread, so no other thread may be reading files meanwhile: it would be refused what root may see.
    """
    own = os.geteuid()
    if uid is None or uid == own:
        yield
        return
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(own)


class Observed:
    """A connection to one database of a server. Use as a context manager; it ends itself after `LIFETIME_S`."""

    def __init__(self, connection: "psycopg.Connection[Any]", route: Route, lifetime_s: float) -> None:
        self.route = route
        self._connection = connection
        self._lifetime_s = lifetime_s
        # A SQL_ASCII database says of no byte what it means: nothing can be converted, and psycopg gives bytes.
        self._raw = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
        self._expired = False
        self._end = threading.Timer(lifetime_s, self._cut)
        self._end.daemon = True
        self._end.start()

    @classmethod
    def open(cls, route: Route, database: str | None = None, *, lifetime_s: float = LIFETIME_S) -> "Observed":
        """Connect; `database` None means `postgres`, or the one that the URL names. Raises NotObserved."""
        import psycopg

        parts: dict[str, Any] = {"connect_timeout": CONNECT_LIMIT_S}
        # Empty values keep libpq from filling them from PGOPTIONS and its like, which are not meant for this server.
        if route.url:
            defaults = {"application_name": "", "options": "", "client_encoding": ""}
            try:
                parts = defaults | parts | psycopg.conninfo.conninfo_to_dict(route.url)
            except psycopg.ProgrammingError:
                raise NotObserved(Outcome.UNREADABLE, "the URL of a PostgreSQL server cannot be understood") from None
            parts["dbname"] = database or parts.get("dbname") or "postgres"
        else:
            parts |= {"host": route.host, "hostaddr": "", "port": route.port, "dbname": database or "postgres"}
            parts |= {"application_name": "", "options": "", "client_encoding": "", "target_session_attrs": "any"}
            # Whoever listens there must prove that it knows the password before it learns anything about it.
            parts |= {"user": route.user, "gssencmode": "disable", "require_auth": "none,scram-sha-256"}
        try:
            with effective_user(route.effective_uid):
                connection = psycopg.connect(**parts, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise _refused(error, f"{route.label}: ") from None
        except (OSError, UnicodeError, ValueError) as error:
            raise NotObserved(Outcome.FAILED, f"{route.label}: {error}") from None
        return cls(connection, route, lifetime_s)

    def elsewhere(self, database: str) -> "Observed":
        """A further connection by the same route to another database. Raises NotObserved."""
        return Observed.open(self.route, database, lifetime_s=self._lifetime_s)

    def rows(self, sql: str, *, bare: bool = False) -> list[Row]:
        """Ask one question; each row as a dict. `bare` asks without any limit or setting of AYA's own.

        Bytes that are not text in the encoding they claim to be in stay visible as `\\xNN`. Raises NotObserved.
        """
        import psycopg

        try:
            if bare:
                return self._fetch(sql)
            self._connection.execute(BEGIN if self._raw else BEGIN + UTF8)
            try:
                return self._fetch(sql)
            finally:
                if not self._connection.closed:
                    self._connection.execute("ROLLBACK")
        except psycopg.Error as error:
            if self._expired:
                reason = f"the server did not answer within {self._lifetime_s:g} s"
                raise NotObserved(Outcome.FAILED, reason, lost=True) from None
            raise _unanswered(error, lost=bool(self._connection.closed)) from None

    def close(self) -> None:
        """End the connection; closing twice does nothing."""
        self._end.cancel()
        self._connection.close()

    def __enter__(self) -> "Observed":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fetch(self, sql: str) -> list[Row]:
        from psycopg.rows import dict_row

        with self._connection.cursor(row_factory=dict_row) as cursor:
            if not self._raw:
                try:
                    return cursor.execute(sql.encode()).fetchall()
                except UnicodeDecodeError:
                    pass  # a name out of a database of another encoding: ask again and keep its bytes visible
            for type_name in ("text", "varchar", "bpchar", "name", '"char"'):
                cursor.adapters.register_loader(type_name, _visible_text())
            return cursor.execute(sql.encode()).fetchall()

    def _cut(self) -> None:
        self._expired = True
        try:
            with socket.socket(fileno=os.dup(self._connection.fileno())) as wire:
                wire.shutdown(socket.SHUT_RDWR)
        except Exception:  # noqa: BLE001 - it is gone already, which is what was wanted
            return


def _visible_text() -> Any:
    from psycopg.abc import Buffer
    from psycopg.adapt import Loader

    class VisibleText(Loader):
        def load(self, data: Buffer) -> str:
            return bytes(data).decode("utf-8", errors="backslashreplace")

    return VisibleText


BUSY = ("the database system is", "too many clients", "remaining connection slots", "not accepting connections")


def _refused(error: "psycopg.Error", where: str) -> NotObserved:
    """What a failed attempt to connect means. libpq gives only text then, in the language of the server."""
    said = " ".join(str(error).split("\n", 1)[0].split(": ", 1)[-1].split()) or type(error).__name__
    # "FATAL:  ..." with two blanks is how libpq shows what a server said; anything else came from this side.
    server_spoke = re.search(r"\S:  \S", str(error)) is not None and not any(word in str(error) for word in BUSY)
    needs_password = getattr(error.pgconn, "needs_password", False) or "authentication method requirement" in said
    denied = server_spoke or needs_password or "Permission denied" in said
    return NotObserved(Outcome.DENIED if denied else Outcome.FAILED, where + said, lost=True)


UNSUPPORTED_STATES = ("0A", "42883", "42P01", "42703", "42704")
UNREADABLE_STATES = ("22021", "22P05")


def _unanswered(error: "psycopg.Error", *, lost: bool) -> NotObserved:
    state = error.sqlstate or ""
    said = (error.diag.message_primary or str(error).split("\n", 1)[0]).strip()
    if state == "42501":
        outcome = Outcome.DENIED
    elif state.startswith(UNSUPPORTED_STATES):
        outcome = Outcome.UNSUPPORTED
    elif state in UNREADABLE_STATES:
        outcome = Outcome.UNREADABLE
    else:
        outcome = Outcome.FAILED
    return NotObserved(outcome, said, lost=lost)
