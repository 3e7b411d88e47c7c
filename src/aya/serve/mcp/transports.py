"""How messages travel: on standard input and output for a client on this machine, or by HTTP."""

import os
import signal
import sys
from dataclasses import replace
from types import FrameType
from uuid import uuid4

import anyio
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from aya.access.calls import Tally
from aya.operations.context import Context
from aya.operations.operation import Scope
from aya.serve.mcp.server import Asking, Who, create_server

PATH = "/mcp"
BODY_LIMIT_BYTES = 1_000_000
"""Arguments are names, times and SQL."""
WITHOUT_ASKING = frozenset({Scope.READ, Scope.SQL})
"""What an agent on this machine may unless more is allowed."""


def serve_stdio(context: Context, allowed: frozenset[Scope]) -> None:
    """Speak on standard input and output until input ends; SIGTERM and Ctrl-C end it at once.

    Nothing else is written to standard output: what anything prints goes to standard error meanwhile.
    """
    if sys.stdin.isatty():
        print("This speaks MCP to an agent's client, see the README. Ctrl-C ends it.", file=sys.stderr)
    # Input is read by a thread that nothing can wake, so leaving in an orderly way could wait for the next message. What
    # is not committed is rolled back by the server.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    # Each call is logged by itself; several may run at once.
    anyio.run(_speak, lambda _: Asking(replace(context, request_id=uuid4().hex, tally=Tally()), allowed))


def http_app(who: Who) -> Starlette:
    """The application that answers at `/mcp`, for those whom `who` tells apart by their request.

    Whoever mounts it into another application runs its lifespan: `async with app.router.lifespan_context(app)`. It belongs
    behind a guard, which checks Host and Origin as on every port.
    """
    application = create_server(who).streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=BODY_LIMIT_BYTES,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    application.add_middleware(Posts)
    return application


class Posts:
    """Lets nothing but messages through: a stream for messages of the server's own would stay silent for ever.

    Takes the blanks from around the values of headers: HTTP says that they are none of the value, the server's parser leaves
    them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer, as ASGI says."""
        if scope["type"] == "http":
            if scope["method"] != "POST":
                await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
                return
            scope = {**scope, "headers": [(name, value.strip(b" \t")) for name, value in scope["headers"]]}
        await self.app(scope, receive, send)


async def _speak(who: Who) -> None:
    server = create_server(who)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def _leave(number: int, _: FrameType | None) -> None:
    os._exit(0 if number == signal.SIGTERM else 128 + number)
