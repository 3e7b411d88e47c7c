"""AYA's own database, wherever it is: in the embedded server, or in an existing PostgreSQL 18."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from aya.db.configuration import DATABASE, SQL_ROLE, SUPERUSER
from aya.db.connection import Connection, as_user, connect, without_password
from aya.db.pool import Pool
from aya.db.server import EmbeddedServer
from aya.errors import ConfigurationError, DatabaseUnreachable
from aya.settings import Settings


class Login(StrEnum):
    """As whom to connect: `reader` may only read, `writer` records, `admin` may do anything the login may; `sql` is who runs
    the SQL of people and agents, behind a wall of its own.
    """

    READER = "reader"
    WRITER = "writer"
    ADMIN = "admin"
    SQL = "sql"


ROLES = {Login.READER: "aya_reader", Login.WRITER: "aya_writer", Login.SQL: SQL_ROLE}


@dataclass(frozen=True)
class Database:
    """Where AYA's database is and how to get in."""

    settings: Settings
    pool: Pool | None = None
    """Kept connections of the reader; None: each is opened anew."""

    @property
    def is_embedded(self) -> bool:
        """Whether AYA runs the server itself."""
        return self.settings.database_url is None

    @cached_property
    def server(self) -> EmbeddedServer:
        """The embedded server, running or not."""
        return EmbeddedServer(self.settings.home, tcp_port=self.settings.tcp_port)

    def start(self) -> bool:
        """Start the embedded server if it does not run; True if it was started by this call."""
        return self.server.start() if self.is_embedded else False

    def url(self, login: Login = Login.WRITER, *, database: str = DATABASE) -> str:
        """A connection URL. An existing server is entered by the login its URL names; only SQL has its own, never a
        stronger one.
        """
        if login is Login.SQL and self.settings.sql_url is not None:
            return as_user(self.settings.sql_url.get_secret_value(), SQL_ROLE)
        if self.settings.database_url is not None:
            given = self.settings.database_url.get_secret_value()
            return as_user(given, SQL_ROLE, self.server.password(SQL_ROLE)) if login is Login.SQL else given
        return self.server.url(ROLES.get(login, SUPERUSER), database)

    def tcp_url(self, login: Login) -> str:
        """A connection URL over loopback TCP with the role's generated password.

        Raises ConfigurationError when the embedded server has no TCP port, or is not AYA's.
        """
        if login is Login.SQL and not self.is_embedded:
            return self.url(login)
        port = self.server.status().tcp_port if self.is_embedded else None
        if port is None or login not in ROLES:
            raise ConfigurationError(
                "There is no TCP login to give out: the server listens on its Unix socket only, or is not AYA's own.",
                remedy="Set AYA_TCP_PORT and run `aya db start`; then ask for the reader or the writer.",
            )
        return f"postgresql://{ROLES[login]}:{self.server.password(ROLES[login])}@127.0.0.1:{port}/{DATABASE}"

    def connect(self, login: Login = Login.WRITER, *, autocommit: bool = True) -> Connection:
        """Open a connection as that login. Starts nothing; raises DatabaseUnreachable when there is no server."""
        self.refuse_if_stopped()
        if self.pool is not None and login is Login.READER and autocommit:
            return self.pool.take()
        return connect(self.url(login), role=self.role(login), autocommit=autocommit, settings=self._said())

    def refuse_if_stopped(self) -> None:
        """Raise DatabaseUnreachable when the embedded server does not run: nobody need wait for it."""
        if self.is_embedded and not self.server.status().running:
            raise DatabaseUnreachable(
                f"The embedded PostgreSQL in {self.settings.home} does not run.",
                remedy="Start it with `aya db start`, or make everything with `aya up`.",
            )

    def new_pool(self) -> Pool:
        """Connections of the reader to be kept."""
        return Pool(self.url(Login.READER), role=self.role(Login.READER), settings=self._said())

    def role(self, login: Login) -> str | None:
        """As which role to act, where the URL does not say it."""
        return None if self.is_embedded or login is Login.SQL else ROLES.get(login)

    def _said(self) -> dict[str, str]:
        return {"aya.actor": self.settings.actor, "aya.reason": self.settings.reason or ""}

    def __str__(self) -> str:
        if self.is_embedded:
            return f"the embedded PostgreSQL in {self.settings.home}"
        return without_password(self.url())
