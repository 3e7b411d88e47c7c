"""Serving over HTTP, as a program or beside one."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import uvicorn

from aya.errors import ConfigurationError
from aya.operations.context import Context
from aya.serve.rest.app import create_app

GRACE_S = 5
BACKLOG = 512
START_S = 30.0


def serve(context: Context, host: str, port: int, announce: Callable[[int], None] = lambda _: None) -> None:
    """Serve until the program is told to end; `announce` is told the port. Raises ConfigurationError when the
    address cannot be used.
    """
    listening = _listen(host, port)
    try:
        announce(listening.getsockname()[1])
        _server(context).run(sockets=[listening])
    finally:
        listening.close()


@contextmanager
def serving(context: Context, host: str, port: int) -> Iterator[int]:
    """Meanwhile serve from a thread; the port, which is chosen freely for 0."""
    listening = _listen(host, port)
    server = _server(context)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="aya-serve", daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(START_S)
        listening.close()


def _server(context: Context) -> uvicorn.Server:
    config = uvicorn.Config(
        create_app(context),
        log_level=context.settings.log_level,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        ws="none",
    )
    return uvicorn.Server(config)


def _listen(host: str, port: int) -> socket.socket:
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise ConfigurationError(
            f"{host} is no address.", remedy="Name one of this machine: 127.0.0.1 or ::1."
        ) from None
    if not address.is_loopback:
        raise ConfigurationError(
            f"{host} can be reached from other machines, and nobody is asked who they are.",
            remedy="Serve on 127.0.0.1 or ::1.",
        )
    listening = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((str(address), port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"Port {port} of {host} cannot be used: {error.strerror}.",
            remedy="Perhaps AYA serves there already. Choose another with --port or AYA_PORT.",
        ) from error
    return listening
