"""Connections that are kept open for the next caller, for programs that answer many questions."""

from collections.abc import Mapping
from types import TracebackType

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from aya.db.connection import Connection, act_as, keywords, without_password
from aya.errors import DatabaseUnreachable

SIZE = 4
"""On two cores more connections answer no more questions, and each holds memory of the server."""
WAIT_S = 5.0
RETRY_S = 1.0
"""How long the pool tries by itself to replace a connection; after that the next caller makes it try again."""


class KeptConnection(psycopg.Connection[DictRow]):
    """One that leaving a `with` block gives back to its pool."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the transaction, and give it back."""
        super().__exit__(kind, error, trace)
        self.close()


class Pool:
    """A few connections of one role. One that broke is replaced before a caller gets it."""

    def __init__(self, url: str, *, role: str | None, settings: Mapping[str, str]) -> None:
        self._shown = without_password(url)
        self._pool: ConnectionPool[KeptConnection] = ConnectionPool(
            url,
            connection_class=KeptConnection,
            kwargs={**keywords(settings), "autocommit": True, "row_factory": dict_row, "prepare_threshold": None},
            configure=(lambda connection: act_as(connection, role)) if role is not None else None,
            check=ConnectionPool.check_connection,
            min_size=0,
            max_size=SIZE,
            timeout=WAIT_S,
            reconnect_timeout=RETRY_S,
            close_returns=True,
            name="aya",
            open=False,
        )

    def take(self) -> Connection:
        """A connection; closing it gives it back. Raises DatabaseUnreachable when none can be had within seconds."""
        self._pool.open()
        try:
            return self._pool.getconn()
        except PoolTimeout as error:
            raise DatabaseUnreachable(
                f"No connection to {self._shown} could be had within {WAIT_S:g} s.",
                remedy="`aya doctor` looks into it; `aya db start` starts the embedded server.",
            ) from error

    def close(self) -> None:
        """Close them all."""
        self._pool.close()
