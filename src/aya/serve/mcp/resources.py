"""What is recorded as resources, to be read beside a conversation: nodes, their sections, the tables, the words.

aya://nodes                     the nodes
aya://nodes/ALPHA               the overview of one
aya://nodes/ALPHA/settings      one of its sections
aya://schema                    the tables and views
aya://schema/services           one of them with its columns
aya://glossary                  what words and keys mean
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import mcp.types as types

from aya.errors import NotFound
from aya.operations.context import Context
from aya.operations.documentation import get_documentation_file
from aya.operations.glossary import glossary
from aya.operations.nodes import list_nodes
from aya.operations.operation import LARGEST
from aya.operations.schema import describe_schema
from aya.operations.system_state import query_system_state
from aya.serve.mcp.answer import MOST_BUDGET_BYTES
from aya.serve.mcp.budget import Budget, json_of
from aya.serve.mcp.marking import NOTICE

JSON, MARKDOWN = "application/json", "text/markdown"
AT_ONCE = 100
"""Nodes in one page of the list of resources."""
ALL = 10_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource."""

    template: str
    title: str
    description: str
    mime_type: str
    read: Callable[..., Any]
    """Takes the context and the variables of the template."""

    @property
    def variables(self) -> list[str]:
        """The names of the template's variables."""
        return re.findall(r"\{(\w+)\}", self.template)

    def match(self, uri: str) -> dict[str, str] | None:
        """The variables of an address of this kind; None for another address."""
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/?#]+)", re.escape(self.template))
        found = re.fullmatch(pattern, uri)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


def _overview(context: Context, node: str) -> Any:
    return query_system_state(context, node=node)


def _section(context: Context, node: str, section: str) -> Any:
    return query_system_state(context, node=node, section=section, limit=ALL)


def _tables(context: Context) -> Any:
    return describe_schema(context, tables=[one.name for one in describe_schema(context)])


def _document(context: Context, number: str) -> Any:
    if not number.isascii() or not number.isdigit() or int(number) not in range(1, LARGEST):
        raise NotFound(
            f"There is no document {number}.", remedy="search_docs finds documents, and tells their numbers."
        )
    return get_documentation_file(context, int(number))


KINDS = (
    Kind("aya://nodes", "Nodes", "The nodes that are recorded.", JSON, lambda context: list_nodes(context, limit=ALL)),
    Kind("aya://nodes/{node}", "Node", "The overview of a node: its row, and what each section holds.", JSON, _overview),
    Kind("aya://nodes/{node}/{section}", "Section of a node", "The rows of one section of a node.", JSON, _section),
    Kind("aya://schema", "Tables", "Every table and view, with the meaning of each column.", JSON, _tables),
    Kind(
        "aya://schema/{table}", "Table", "One table or view with its columns.", JSON,
        lambda context, table: describe_schema(context, tables=[table]),
    ),
    Kind("aya://documents/{number}", "Document", "A document with its whole text.", JSON, _document),
    Kind("aya://glossary", "Glossary", "What the words of AYA and the keys of metadata mean.", MARKDOWN, glossary),
)  # fmt: skip


def read(context: Context, uri: str) -> types.TextResourceContents:
    """What stands at an address. Raises NotFound, naming what exists, and what reading raises: AyaError."""
    for kind in KINDS:
        if (given := kind.match(uri)) is not None:
            return types.TextResourceContents(uri=uri, mime_type=kind.mime_type, text=_text(kind, context, given))
    raise NotFound(f"There is no resource {uri}.", remedy=f"There are: {', '.join(kind.template for kind in KINDS)}.")


def listed(context: Context, after: str | None) -> tuple[list[types.Resource], str | None]:
    """A page of the resources, and the cursor of the next; what has one address comes first, then the nodes by name."""
    first = [
        types.Resource(
            uri=kind.template,
            name=kind.title.lower(),
            title=kind.title,
            description=kind.description,
            mime_type=kind.mime_type,
            size=None if kind.template == "aya://nodes" else len(_text(kind, context, {}).encode()),
        )
        for kind in KINDS
        if not kind.variables and after is None
    ]
    names = [one.node_name for one in list_nodes(context, limit=ALL) if after is None or one.node_name > after]
    page = names[:AT_ONCE]
    nodes = [
        types.Resource(
            uri=f"aya://nodes/{quote(name, safe='')}",
            name=name,
            title=name,
            description="The overview of this node.",
            mime_type=JSON,
        )
        for name in page
    ]
    return first + nodes, page[-1] if len(names) > len(page) else None


def templates() -> list[types.ResourceTemplate]:
    """The kinds of resources that have many addresses."""
    return [
        types.ResourceTemplate(
            uri_template=kind.template,
            name=kind.title.lower(),
            title=kind.title,
            description=kind.description,
            mime_type=kind.mime_type,
        )
        for kind in KINDS
        if kind.variables
    ]


def _text(kind: Kind, context: Context, given: dict[str, str]) -> str:
    found = kind.read(context, **given)
    if kind.mime_type == MARKDOWN:
        return str(found)
    budget = Budget()
    data = budget.fit(found, MOST_BUDGET_BYTES)
    told = budget.told()
    return json_of({"notice": NOTICE, "data": data, "truncated": bool(told), "left_out": told})
