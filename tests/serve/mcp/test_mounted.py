"""What `aya serve` serves at one port: REST, and the same operations as tools."""

from typing import Any

import httpx2

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


def called(client: httpx2.Client, tool: str, **arguments: Any) -> Any:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    return client.post("/mcp", json=message, headers=HEADERS).json()["result"]


def test_a_tool_answers_what_rest_answers(client: httpx2.Client) -> None:
    by_rest = client.get("/api/v1/system/query", params={"node": "ALPHA", "section": "settings"}).json()
    by_tool = called(client, "query_system_state", node="ALPHA", section="settings")["structuredContent"]
    assert by_tool["data"] == by_rest
    assert by_rest["rows"]
    nodes = called(client, "list_nodes")["structuredContent"]["data"]
    assert nodes == client.get("/api/v1/system/nodes").json()


def test_an_error_is_the_same_as_well(client: httpx2.Client) -> None:
    problem = client.get("/api/v1/system/query", params={"node": "NOBODY"})
    refused = called(client, "query_system_state", node="NOBODY")
    assert problem.status_code == 404
    assert refused["isError"] is True
    assert problem.json()["detail"] in refused["content"][0]["text"]


def test_only_names_of_this_machine_are_answered(client: httpx2.Client) -> None:
    port = client.base_url.port
    own = [f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"]
    strange = [
        "evil.example",
        f"evil.example:{port}",
        f"127.0.0.1.evil.example:{port}",
        f"localhost.evil.example:{port}",
        "",
    ]
    origins = ["http://evil.example", f"http://evil.example:{port}", "null", f"https://127.0.0.1.evil.example:{port}"]

    def statuses(name: str, values: list[str]) -> set[int]:
        return {client.post("/mcp", json=PING, headers=HEADERS | {name: value}).status_code for value in values}

    assert statuses("Host", own) == {200}
    assert statuses("Origin", [f"http://{host}" for host in own]) == {200}
    assert statuses("Host", strange) == {421}
    assert statuses("Origin", origins) == {403}


def test_only_messages_are_taken(client: httpx2.Client) -> None:
    assert client.get("/mcp").status_code == 405
