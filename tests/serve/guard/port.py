"""A port that really listens, with a small application behind AYA's guard, and those who call it."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Asgi
from uvicorn import Server

from aya.access.scope import Scope
from aya.operations.context import Context
from aya.serve.guard.connection import LimitedConnection
from aya.serve.guard.guard import Guard, Need, context_of
from aya.serve.guard.port import guarded, server_config


def needs(context: Context) -> Callable[[str, str], Need]:
    """What the paths of `Door` take."""

    def needed(method: str, path: str) -> Need:
        settings = context.settings
        match path:
            case "/open":
                return Need(scope=None)
            case "/sql" | "/verify" | "/admin":
                return Need(scope=Scope(path[1:]), body_limit_bytes=settings.body_limit_bytes, heavy=path == "/sql")
            case "/collect":
                return Need(scope=Scope.COLLECT, body_limit_bytes=settings.delivery_limit_bytes)
        return Need(body_limit_bytes=settings.body_limit_bytes)

    return needed


@dataclass
class Door:
    """Says who came in and with what; counts them."""

    entered: int = 0
    wait: threading.Event = field(default_factory=threading.Event)
    """Until it is set, callers of /slow wait inside."""

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        self.entered += 1
        if scope["query_string"] == b"slow":
            import asyncio

            while not self.wait.is_set():
                await asyncio.sleep(0.01)
        size, more = 0, scope["method"] == "POST"
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        body = json.dumps({"caller": context_of(scope).caller.name, "bytes": size}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@dataclass(frozen=True)
class Port:
    """A served port, and how to call it."""

    number: int
    guard: Guard
    address: str = "127.0.0.1"

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[HTTPResponse, Any]:
        """One request; the answer and its JSON."""
        connection = HTTPConnection(self.address, self.number, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            content = response.read()
            return response, json.loads(content) if content else None
        finally:
            connection.close()

    def get(self, path: str = "/", token: str | None = None, **headers: str) -> tuple[int, Any]:
        """A GET; status and JSON."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        response, document = self.request("GET", path, headers=given | bearer(token))
        return response.status, document

    def raw(self, data: bytes = b"", timeout_s: float = 30) -> socket.socket:
        """A connection on which that was sent."""
        connection = socket.create_connection((self.address, self.number), timeout=timeout_s)
        connection.sendall(data)
        return connection

    def said(self, data: bytes) -> bytes:
        """Everything that is answered to these bytes until the other side has had enough."""
        with self.raw(data) as connection:
            return everything(connection)


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def everything(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@contextmanager
def served(
    context: Context, app: ASGIApp, needed: Callable[[str, str], Need] | None = None, *, believed_s: float = 0.0
) -> Iterator[Port]:
    """The application behind its guard, served by uvicorn on a free port of 127.0.0.1 as AYA serves it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        number = listening.getsockname()[1]
        context = Context(context.settings.model_copy(update={"port": number}))
        guard = guarded(app, context, needed or needs(context))
        guard.authentication.believed_s = believed_s
        server = Server(server_config(guard, context))
        server.config.http = LimitedConnection
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield Port(number, guard)
        finally:
            server.should_exit = True
            server.force_exit = True
            thread.join(20)
            assert not thread.is_alive()
