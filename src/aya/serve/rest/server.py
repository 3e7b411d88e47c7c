"""REST and MCP over HTTP, as a program or beside one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from starlette.types import ASGIApp

from aya.operations.context import Context
from aya.serve import listening
from aya.serve.guard.guard import Guard
from aya.serve.guard.port import guarded, needs_of
from aya.serve.rest.app import create_app

Around = Callable[[ASGIApp], ASGIApp]


def application(context: Context, around: Around = lambda app: app) -> Guard:
    """Everything AYA answers over HTTP, behind its guard. `around`: what a benchmark puts between the two."""
    context = replace(context, pool=context.database.new_pool())
    edge = create_app(context)
    return guarded(around(edge), context, needs_of(edge.routing.resolve, context.settings))


def serve(context: Context, host: str, port: int, announce: Callable[[int], None] = lambda _: None) -> None:
    """Serve until the program is told to end, see `listening.serve`."""
    listening.serve(application, context, host, port, announce)


def serving(context: Context, host: str, port: int) -> AbstractContextManager[int]:
    """Meanwhile serve from a thread; the port, which is chosen freely for 0."""
    return listening.serving(application, context, host, port)
