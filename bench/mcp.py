"""An agent's tool call by HTTP, against the REST call of the same operation with the same arguments.

One server serves both, to one client over kept connections.

MCP sends what REST sends twice, for models and for programs, with a frame around it, which is part of what is measured.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2

from aya.db.database import Login
from aya.serve.rest.server import serving
from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory
from bench.overview import fill

OVERVIEW: dict[str, Any] = {"node": "NODE1"}
ROWS: dict[str, Any] = {"node": "NODE1", "section": "software", "match": "package1", "limit": 60}
REVISION = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
TOOL = "query_system_state"


def measure(lab: Laboratory) -> Iterator[Line]:
    rounds = 40 if lab.quick else 400
    with lab.context.database.connect(Login.ADMIN) as admin:
        fill(admin, 10)
    with serving(lab.context, "127.0.0.1", 0) as port, httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        _wait(client)
        for what, arguments in (("overview of a node", OVERVIEW), ("60 rows of a section", ROWS)):
            mcp, rest = _tool(client, arguments), _rest(client, arguments)
            size_bytes = len(rest().content)
            mcp()
            tool, call = interleaved(rounds, mcp, rest)
            yield Line(what=f"{what}, {size_bytes:,} bytes", ours=tool, against="REST", reference=call, goal=Goal(1.5))
    lab.empty()


def _rest(client: httpx2.Client, arguments: dict[str, Any]) -> Callable[[], httpx2.Response]:
    def ask() -> httpx2.Response:
        answer = client.get("/api/v1/system/query", params=arguments)
        assert answer.status_code == 200, answer.text
        return answer

    return ask


def _tool(client: httpx2.Client, arguments: dict[str, Any]) -> Callable[[], httpx2.Response]:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": TOOL, "arguments": arguments, "_meta": ENVELOPE},
    }
    headers = {
        "Accept": "application/json",
        "MCP-Protocol-Version": REVISION,
        "Mcp-Method": "tools/call",
        "Mcp-Name": TOOL,
    }

    def ask() -> httpx2.Response:
        answer = client.post("/mcp", json=message, headers=headers)
        assert answer.status_code == 200, answer.text
        assert b'"isError":true' not in answer.content, answer.text
        return answer

    return ask


def _wait(client: httpx2.Client) -> None:
    for _ in range(600):
        try:
            client.get("/health")
            return
        except httpx2.ConnectError:
            time.sleep(0.05)


figure = Figure(measure)
