"""Asking an MCP server with the official client."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult

from aya.operations.context import Context
from aya.operations.operation import Scope
from aya.serve.mcp.server import Asking, create_server

T = TypeVar("T")
EVERY = frozenset(Scope)


def asked(target: Any, question: Callable[[Client], Awaitable[T]], *, mode: str = "auto") -> T:
    """What a client that is connected to a server, an address or a command gets told."""

    async def ask() -> T:
        async with Client(target, mode=mode) as client:
            try:
                told.append(await question(client))
            except MCPError as error:
                refused.append(error)  # raised outside of the client's own tasks, whose error it would become a part of
        await anyio.sleep(0.02)  # what the client closes is closed by the event loop a moment later
        if refused:
            raise refused[0]
        return told[0]

    told: list[T] = []
    refused: list[MCPError] = []
    return anyio.run(ask)


def called(context: Context, tool: str, *, scopes: frozenset[Scope] = EVERY, **arguments: Any) -> CallToolResult:
    """What a tool answers, in memory."""
    server = create_server(lambda _: Asking(context, scopes))
    return asked(server, lambda client: client.call_tool(tool, arguments))


def data(context: Context, tool: str, **arguments: Any) -> Any:
    """The data of an answer that is no error."""
    done = called(context, tool, **arguments)
    assert not done.is_error, done.content
    return done.structured_content["data"]


def text(done: CallToolResult) -> str:
    """What a model reads of an answer."""
    return "\n".join(block.text for block in done.content if block.type == "text")
