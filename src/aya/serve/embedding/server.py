"""The embedding service over HTTP, as a program or beside one."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from aya.access.scope import Scope
from aya.operations.context import Context
from aya.serve import listening
from aya.serve.embedding.app import create_app
from aya.serve.guard.guard import Guard, Need
from aya.serve.guard.port import OPEN, guarded


def application(context: Context) -> Guard:
    """The embedding service behind the guard of every port."""
    limit_bytes = context.settings.embedding_body_limit_bytes

    def needs(_: str, path: str) -> Need:
        return Need(None if path in OPEN else Scope.READ, limit_bytes)

    return guarded(create_app(context), context, needs, foreign_keys_ignored=True)


def serve(context: Context, host: str, port: int, announce: Callable[[int], None] = lambda _: None) -> None:
    """Serve until the program is told to end, see `listening.serve`."""
    listening.serve(application, context, host, port, announce)


def serving(context: Context, host: str, port: int) -> AbstractContextManager[int]:
    """Meanwhile serve from a thread; the port, which is chosen freely for 0."""
    return listening.serving(application, context, host, port)
