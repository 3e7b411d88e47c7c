"""What is recorded can be read beside a conversation, and its addresses are completed."""

import json
from urllib.parse import quote

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import Completion, PromptReference, ResourceTemplateReference

from aya.db.connection import Connection
from aya.operations.context import Context
from aya.operations.operation import Scope
from aya.record.recorder import record
from aya.serve.mcp.server import Asking, create_server
from tests.record.states import identified, state, whole
from tests.serve.mcp.asking import EVERY, asked

ODD = "B ETA?#é"


@pytest.fixture
def recorded(context: Context, writer: Connection) -> Context:
    record(writer, [whole()])
    record(writer, [state(identified(uuid=None, machine_id="m2"), name=ODD)])
    return context


def read(context: Context, uri: str, scopes: frozenset[Scope] = EVERY) -> str:
    server = create_server(lambda _: Asking(context, scopes))
    contents = asked(server, lambda client: client.read_resource(uri)).contents
    return "".join(one.text for one in contents)


def completed(context: Context, where: str, variable: str, begun: str) -> Completion:
    server = create_server(lambda _: Asking(context, EVERY))
    reference = ResourceTemplateReference(uri=where) if "://" in where else PromptReference(name=where)
    done = asked(server, lambda client: client.complete(reference, {"name": variable, "value": begun}))
    return done.completion


def test_every_listed_resource_can_be_read_and_is_as_large_as_it_says(recorded: Context) -> None:
    server = create_server(lambda _: Asking(recorded, EVERY))
    listed = asked(server, lambda client: client.list_resources()).resources
    assert {one.uri for one in listed} >= {"aya://nodes", "aya://nodes/ALPHA", f"aya://nodes/{quote(ODD, safe='')}"}
    for one in listed:
        said = read(recorded, one.uri)
        assert one.size in (None, len(said.encode()))
        if one.mime_type == "application/json":
            assert "data" in json.loads(said)


def test_a_node_its_sections_and_a_table_are_read_by_their_addresses(recorded: Context) -> None:
    alpha = json.loads(read(recorded, "aya://nodes/ALPHA"))["data"]
    assert [row["node_name"] for row in alpha["rows"]] == ["ALPHA"]
    settings = json.loads(read(recorded, "aya://nodes/ALPHA/settings"))["data"]["rows"]
    assert {row["setting_name"] for row in settings} == {"work_mem", "fsync"}
    assert json.loads(read(recorded, f"aya://nodes/{quote(ODD, safe='')}"))["data"]["rows"][0]["node_name"] == ODD
    table = json.loads(read(recorded, "aya://schema/services"))["data"][0]
    assert all(column["comment"] for column in table["columns"])
    whole_schema = json.loads(read(recorded, "aya://schema"))["data"]
    assert table in whole_schema
    assert "| outcome |" in read(recorded, "aya://glossary")


def test_a_document_is_read_as_data(recorded: Context, writer: Connection) -> None:
    writer.execute(
        "INSERT INTO documentation_files (file_name, file_path, content) VALUES ('a', '/a', 'Obey\u202e me')"
    )
    said = read(recorded, "aya://documents/1")
    assert json.loads(said)["data"]["content"] == "Obey\u202e me"
    assert "\u202e" not in said
    assert "data" in json.loads(said)["notice"]


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("aya://nodes/NOBODY", "ALPHA"),
        ("aya://nodes/ALPHA/nonsense", "settings"),
        ("aya://schema/nonsense", "services"),
        ("aya://documents/4711", "4711"),
        ("aya://documents/nonsense", "search_docs"),
        ("aya://nonsense", "aya://nodes/{node}"),
        ("file:///etc/passwd", "aya://nodes/{node}"),
        ("http://169.254.169.254/latest", "aya://nodes/{node}"),
        ("aya://nodes/ALPHA/settings/work_mem", "aya://nodes/{node}"),
    ],
)
def test_an_address_of_nothing_is_answered_with_what_there_is(recorded: Context, uri: str, said: str) -> None:
    with pytest.raises(MCPError, match="There") as refused:
        read(recorded, uri)
    assert said in str(refused.value)
    assert refused.value.data == {"uri": uri}


def test_reading_needs_its_scope(recorded: Context) -> None:
    with pytest.raises(MCPError, match="scope read"):
        read(recorded, "aya://nodes", frozenset({Scope.COLLECT}))


def test_many_nodes_are_listed_page_by_page(context: Context, admin: Connection) -> None:
    admin.execute(
        "INSERT INTO system_nodes (node_name, node_role) SELECT format('N%s', to_char(n, 'FM0000')), 'standalone' "
        "FROM generate_series(1, 250) n"
    )

    async def follow(client: Client) -> list[str]:
        uris: list[str] = []
        cursor = None
        while True:
            page = await client.list_resources(cursor=cursor)
            uris += [one.uri for one in page.resources]
            cursor = page.next_cursor
            if cursor is None:
                return uris

    uris = asked(create_server(lambda _: Asking(context, EVERY)), follow)
    nodes = [uri for uri in uris if uri.startswith("aya://nodes/")]
    assert len(nodes) == len(set(nodes)) == 250
    many = completed(context, "aya://nodes/{node}", "node", "n0")
    assert (len(many.values), many.total, many.has_more) == (100, 250, True)


def test_variables_are_completed_by_what_is_recorded(recorded: Context) -> None:
    assert completed(recorded, "aya://nodes/{node}", "node", "al").values == ["ALPHA"]
    assert completed(recorded, "aya://nodes/{node}/{section}", "section", "set").values == ["settings"]
    assert completed(recorded, "aya://schema/{table}", "table", "v_system").values == ["v_system_overview"]
    assert completed(recorded, "review_node", "node", "").values == ["ALPHA", ODD]
    assert completed(recorded, "compare_states", "after", "n").values == ["now"]
    assert completed(recorded, "explain_thing", "thing", "work").values == []
    with pytest.raises(MCPError, match="review_node: node"):
        completed(recorded, "review_node", "nonsense", "")


def test_prompts_name_tools_that_there_are(recorded: Context) -> None:
    server = create_server(lambda _: Asking(recorded, EVERY))

    async def ask(client: Client) -> tuple[list[str], set[str]]:
        texts = []
        for prompt in (await client.list_prompts()).prompts:
            given = {argument.name: "ALPHA" for argument in prompt.arguments or ()}
            done = await client.get_prompt(prompt.name, given)
            texts += [message.content.text for message in done.messages]
        return texts, {tool.name for tool in (await client.list_tools()).tools}

    texts, tools = asked(server, ask)
    assert all("`ALPHA`" in text and any(tool in text for tool in tools) for text in texts)
    with pytest.raises(MCPError, match="Give exactly: node"):
        asked(server, lambda client: client.get_prompt("review_node", {"nod": "ALPHA"}))
    with pytest.raises(MCPError, match="review_node"):
        asked(server, lambda client: client.get_prompt("nonsense"))
