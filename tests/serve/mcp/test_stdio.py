"""`aya mcp`: a program that speaks to one client, says nothing else, and outlives its database."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult

from aya.db.connection import Connection
from aya.operations.calls import list_calls
from aya.operations.context import Context
from aya.record.recorder import record
from tests.record.states import whole
from tests.serve.command import Command
from tests.serve.mcp.asking import asked, text

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture
def aya(context: Context, writer: Connection) -> Command:
    record(writer, [whole()])
    return Command.at(context.settings.home, AYA_NODE="ALPHA")


def client_of(command: Command, *arguments: str) -> StdioServerParameters:
    program, *first = command.program
    return StdioServerParameters(command=program, args=[*first, "mcp", *arguments], env=dict(command.variables))


@contextmanager
def speaking(command: Command, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The program with pipes, for those who speak to it by hand."""
    with subprocess.Popen(
        [*command.program, "mcp", *arguments],
        env=dict(command.variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: "subprocess.Popen[str]", message: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


@pytest.mark.parametrize(("mode", "revision"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_both_revisions_are_spoken(aya: Command, mode: str, revision: str) -> None:
    async def ask(client: Client) -> tuple[str, set[str], CallToolResult]:
        names = {tool.name for tool in (await client.list_tools()).tools}
        return client.protocol_version, names, await client.call_tool("query_system_state", {"node": "ALPHA"})

    spoken, names, state = asked(client_of(aya), ask, mode=mode)
    assert spoken == revision
    assert state.structured_content["data"]["rows"][0]["node_name"] == "ALPHA"
    assert "verify" not in names


def test_checks_run_where_that_is_allowed_and_say_how_far_they_are(aya: Command) -> None:
    told: list[str] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async def ask(client: Client) -> CallToolResult:
        return await client.call_tool("verify", {"only": ["vector_distance"]}, progress_callback=listen)

    done = asked(client_of(aya, "--allow", "verify"), ask)
    # What is recorded came from another machine: the check ran, and says so.
    assert [(one["outcome"], one["reason"]) for one in done.structured_content["data"]["results"]] == [
        ("skipped", "it can only be tested on ALPHA itself")
    ]
    assert any("vector_distance" in line for line in told)


def test_each_call_of_sql_is_logged_by_itself(aya: Command, context: Context) -> None:
    async def ask(client: Client) -> None:
        await client.call_tool("query", {"sql": "SELECT generate_series(1, 3)"})
        await client.call_tool("query", {"sql": "SELECT FROM nowhere"})

    asked(client_of(aya), ask)
    failed, done = list_calls(context, operation="query")
    assert (done.outcome, done.rows, failed.outcome, failed.rows) == ("done", 3, "StatementRefused", None)
    assert done.request_id != failed.request_id


def test_nothing_but_the_protocol_is_written_and_the_end_of_input_ends_it(aya: Command) -> None:
    with speaking(aya) as process:
        hello = said(process, HELLO)
        assert hello["result"]["protocolVersion"] == "2025-11-25"
        assert "data" in hello["result"]["instructions"]
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")


def test_what_is_no_message_is_refused_and_the_next_one_is_answered(aya: Command) -> None:
    with speaking(aya) as process:
        said(process, HELLO)
        assert process.stdin is not None
        process.stdin.write('{"jsonrpc": "2.0", "id": NaN}\nnonsense\n[]\n\n')
        ping = said(process, {"jsonrpc": "2.0", "id": 2, "method": "ping"})
        while ping.get("id") != 2:
            assert "error" in ping
            assert process.stdout is not None
            ping = json.loads(process.stdout.readline())
        assert ping["result"] is not None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_at_once_though_input_is_open(aya: Command, number: signal.Signals, code: int) -> None:
    with speaking(aya) as process:
        said(process, HELLO)
        process.send_signal(number)
        assert process.wait(timeout=10) == code
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_database_that_is_away_is_an_answer_and_comes_back_without_a_new_start(
    aya: Command, context: Context
) -> None:
    async def ask(client: Client) -> tuple[CallToolResult, ...]:
        before = await client.call_tool("list_nodes")
        context.database.server.stop()
        try:
            meanwhile = await client.call_tool("list_nodes")
        finally:
            context.database.start()
        return before, meanwhile, await client.call_tool("list_nodes")

    before, meanwhile, after = asked(client_of(aya), ask)
    assert before.structured_content == after.structured_content
    assert meanwhile.is_error
    assert "aya db start" in text(meanwhile)


def test_a_scope_that_is_none_is_refused_with_those_there_are(aya: Command) -> None:
    done = aya("mcp", "--allow", "everything")
    assert (done.code, done.out) == (2, "")
    assert "verify" in done.err
