"""Serving an application over HTTP, as a program or beside one."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from aya.errors import ConfigurationError
from aya.operations.context import Context
from aya.operations.tokens import list_tokens
from aya.serve.guard.bind import is_loopback_only, refuse_unsafe_bind
from aya.serve.guard.port import server_config

BACKLOG = 512
START_S = 30.0

Application = Callable[[Context], ASGIApp]
"""What is served: made for a context that knows where."""


def serve(
    application: Application, context: Context, host: str, port: int, announce: Callable[[int], None] = lambda _: None
) -> None:
    """Serve until the program is told to end; `announce` is told the port.

    Raises ConfigurationError when the address cannot be used, UnsafeToServe when anybody could enter there.
    """
    listening, context = _listen(context, host, port)
    try:
        announce(context.settings.port)
        _server(application, context).run(sockets=[listening])
    finally:
        listening.close()


@contextmanager
def serving(application: Application, context: Context, host: str, port: int) -> Iterator[int]:
    """Meanwhile serve from a thread; the port, which is chosen freely for 0."""
    listening, context = _listen(context, host, port)
    server = _server(application, context)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="aya-serve", daemon=True)
    thread.start()
    try:
        yield context.settings.port
    finally:
        server.should_exit = True
        thread.join(START_S)
        listening.close()


def _server(application: Application, context: Context) -> uvicorn.Server:
    return uvicorn.Server(server_config(application(context), context))


def _listen(context: Context, host: str, port: int) -> tuple[socket.socket, Context]:
    """A socket that listens, and the context of those who are served there: hosts are told by the port that it really is."""
    settings = context.settings.model_copy(update={"host": host})
    refuse_unsafe_bind(settings, () if is_loopback_only(host) else list_tokens(context))
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise ConfigurationError(
            f"{host} is no address.", remedy="Name one of this machine: 127.0.0.1, ::1, or 0.0.0.0 for all."
        ) from None
    listening = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((str(address), port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"Port {port} of {host} cannot be used: {error.strerror}.",
            remedy="Perhaps AYA serves there already. Choose another with --port, AYA_PORT or AYA_EMBEDDING_PORT.",
        ) from error
    served = settings.model_copy(update={"port": listening.getsockname()[1]})
    return listening, replace(context, settings=served)
