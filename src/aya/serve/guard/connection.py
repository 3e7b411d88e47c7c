"""The HTTP connection below the guard: uvicorn's own, with a limit to headers and to the time that they take.

uvicorn's quick parser knows neither: a caller could send headers for ever, or one byte of them a minute.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_LIMIT_BYTES = 64 * 1024
HEADERS_TIME_S = 15.0


class LimitedConnection(HttpToolsProtocol):
    """A connection that is closed when a request's head is too large or too slow."""

    headers_limit_bytes = HEADERS_LIMIT_BYTES
    headers_time_s = HEADERS_TIME_S

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._in_head = False
        self._head_bytes = 0
        self._too_slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes while a head is not whole."""
        was_in_head = self._in_head
        super().data_received(data)
        # A head that began within these bytes is counted from the next: one read of a socket is never much.
        self._head_bytes = self._head_bytes + len(data) if was_in_head and self._in_head else 0
        if self._head_bytes > self.headers_limit_bytes:
            self._close()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        if self._too_slow is None:
            self._wait_for_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._wait_no_more()
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        self._too_slow = self.loop.call_later(self.headers_time_s, self._close)

    def _wait_no_more(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None

    def _close(self) -> None:
        self._wait_no_more()
        self.transport.close()
