"""MCP over HTTP: any request may be the first, in both revisions, from this machine only, as whoever it is."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from aya.db.connection import Connection
from aya.operations.context import Context
from aya.operations.operation import Scope
from aya.record.recorder import record
from aya.serve.mcp.server import Asking, Who
from aya.serve.mcp.transports import BODY_LIMIT_BYTES, WITHOUT_ASKING, http_app
from tests.record.states import whole
from tests.serve.mcp.asking import asked, text

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


@contextmanager
def served(who: Who) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(http_app(who), log_level="error", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def url(context: Context, writer: Connection) -> Iterator[str]:
    record(writer, [whole()])
    with served(lambda _: Asking(context, WITHOUT_ASKING)) as address:
        yield address


def posted(url: str, message: Any, **headers: str) -> httpx2.Response:
    return httpx2.post(url, json=message, headers=HEADERS | headers)


@pytest.mark.parametrize(("mode", "revision"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_both_revisions_are_spoken(url: str, mode: str, revision: str) -> None:
    async def ask(client: Client) -> tuple[str, CallToolResult]:
        return client.protocol_version, await client.call_tool("query_system_state", {"node": "ALPHA"})

    spoken, state = asked(url, ask, mode=mode)
    assert spoken == revision
    assert state.structured_content["data"]["rows"][0]["node_name"] == "ALPHA"


def test_no_session_is_kept_and_answers_are_plain_json(url: str) -> None:
    done = posted(url, PING)
    assert (done.status_code, done.headers["content-type"].split(";")[0]) == (200, "application/json")
    assert done.json()["result"] is not None
    assert "mcp-session-id" not in done.headers
    called = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list_nodes", "arguments": {}}}
    assert posted(url, called).json()["result"]["structuredContent"]["data"][0]["node_name"] == "ALPHA"


def test_what_is_no_request_is_refused_and_never_a_defect(url: str) -> None:
    bodies: list[bytes] = [
        b"", b"nonsense", b"[]", b"{}", b"\xff\xfe", b'{"jsonrpc": "2.0", "id": 1}', b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":7}', b'{"jsonrpc":"2.0","id":1,"method":"nonsense"}',
    ]  # fmt: skip
    for revision in ("2025-11-25", "2026-07-28", "1999-01-01"):
        given = HEADERS | {"Content-Type": "application/json", "MCP-Protocol-Version": revision}
        for body in bodies:
            done = httpx2.post(url, content=body, headers=given)
            assert done.status_code < 500, (revision, body[:80])
            assert done.status_code >= 400 or "error" in done.json(), (revision, body[:80])
    assert httpx2.post(url, content=b"x" * (BODY_LIMIT_BYTES + 1), headers=given).status_code == 413
    for method in ("GET", "PUT", "DELETE"):
        done = httpx2.request(method, url, headers=HEADERS)
        assert (done.status_code, done.headers["allow"]) == (405, "POST")


def test_each_request_is_answered_as_whoever_sent_it(context: Context, writer: Connection) -> None:
    record(writer, [whole()])
    holders = {"Bearer reader": frozenset({Scope.READ}), "Bearer checker": frozenset({Scope.READ, Scope.VERIFY})}

    def who(request: Any) -> Asking:
        return Asking(context, holders[request.headers["authorization"]])

    async def ask(client: Client) -> set[str]:
        return {tool.name for tool in (await client.list_tools()).tools}

    with served(who) as url:
        for said, scopes in holders.items():
            transport = streamable_http_client(url, http_client=httpx2.AsyncClient(headers={"Authorization": said}))
            names = asked(transport, ask)
            assert ("verify" in names) is (Scope.VERIFY in scopes)


def test_a_database_that_is_away_is_an_answer_and_comes_back(url: str, context: Context) -> None:
    context.database.server.stop()
    try:
        meanwhile = asked(url, lambda client: client.call_tool("list_nodes"))
    finally:
        context.database.start()
    assert meanwhile.is_error
    assert "aya db start" in text(meanwhile)
    assert not asked(url, lambda client: client.call_tool("list_nodes")).is_error
