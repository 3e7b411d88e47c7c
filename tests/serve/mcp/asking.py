"""Asking an MCP server with the official client."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult

from aya.operations.context import Context
from aya.operations.operation import Scope
from aya.serve.mcp.server import Asking, create_server

T = TypeVar("T")
EVERY = frozenset(Scope)


def asked(target: Any, question: Callable[[Client], Awaitable[T]], *, mode: str = "auto", **headers: str) -> T:
    """What a client that is connected to a server, an address or a command gets told."""

    async def ask() -> T:
        async with AsyncExitStack() as around, Client(await reached(target, around, headers), mode=mode) as client:
            try:
                told.append(await question(client))
            except MCPError as error:
                refused.append(error)  # raised outside of the client's own tasks, whose error it would become a part of
        if refused:
            raise refused[0]
        return told[0]

    told: list[T] = []
    refused: list[MCPError] = []
    return anyio.run(ask)


async def reached(target: Any, around: AsyncExitStack, headers: dict[str, str]) -> Any:
    """The same, or for an address a way there whose connections are closed in the end: the client leaves its own open."""
    if not isinstance(target, str):
        return target
    http = await around.enter_async_context(httpx2.AsyncClient(headers=headers))
    return streamable_http_client(target, http_client=http)


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
