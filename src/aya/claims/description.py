"""A document put together: its statements, and the nodes as it describes them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from uuid import UUID

from aya.claims.facts import measurements
from aya.claims.facts.node import CODE_NAME
from aya.claims.instance import servers_of_items, stated_ports
from aya.claims.moment import moment_in
from aya.claims.outline import Outline, outline
from aya.claims.reading import Written
from aya.claims.scope import described_nodes, mentioned, nodes_of_items
from aya.claims.statement import Page, Reader, ServerSetting, Stated
from aya.model import FACT_TYPES, Fact, Facts, Json, Measurement, Node
from aya.record.claimed import CLAIMED, ClaimedNode
from aya.record.columns import RANGES, columns
from aya.registry import discover

HYPOTHETICAL = re.compile(
    r"(?i)(?<![\w.-])(?:recommend\w*|propos\w+|target|plan|planned|migration|roadmap|to-?do|next steps"
    r"|future|examples?|template|before|after|previous(?:ly)?|historical|optimal|ideal)(?![\w-]|\.\w)"
)
"""Under such words stands what could be or was, not what is."""


_DATED = re.compile(
    r"(?i)(?:(?:assessment|report|document|inventory|audit|snapshot|capture|collection|survey)\s+)?(?:date|time|timestamp)"
    r"|(?:as of|created|generated|collected|captured|assessed|(?:last )?updated)(?: (?:on|at))?|date of (?:the )?\w+"
    r"|stand|datum|date du rapport|état au"
)


@cache
def readers() -> Mapping[str, Reader]:
    """Everything that understands a topic, by its name."""
    return discover("aya.claims.facts", Reader, "reader")


def read_page(name: str, document: Written, settings: Mapping[str, ServerSetting]) -> Page:
    """The statements of a document and whom they are about."""
    said = outline(document.text)
    nodes = described_nodes(said)
    node_of = nodes_of_items(said, nodes)
    ports = stated_ports(said, nodes, node_of)
    return Page(
        name=name,
        text=document.text,
        size_bytes=document.file.size_bytes or 0,
        outline=said,
        nodes=nodes,
        node_of=node_of,
        ports=ports,
        servers=servers_of_items(said, node_of, ports),
        dated=_dated(said),
        settings=settings,
    )


def read_statements(page: Page) -> list[Stated]:
    """Everything that is understood of a document, in its order."""
    found = [
        stated
        for reader in readers().values()
        for stated in reader.read(page)
        if not HYPOTHETICAL.search(f"{stated.item.near} / {stated.item.key}")
    ]
    return sorted(found, key=lambda stated: stated.item.number)


def _dated(said: Outline) -> datetime | None:
    """The moment of the document: the first `Date:`, or what the like is called."""
    for item in said.items:
        if _DATED.fullmatch(item.key):
            at = moment_in(item.value)
            if at is not None:
                return at
    return None


@dataclass
class _Row:
    values: dict[str, Json] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


def claimed_nodes(page: Page, stated: Sequence[Stated]) -> list[ClaimedNode]:
    """The nodes as the document describes them, each fact with its line; of several statements of one fact the first counts."""
    return [_node(page, name, _of(name, stated)) for name in page.nodes]


def _of(name: str, stated: Sequence[Stated]) -> list[Stated]:
    """What is stated of a node, then what is stated of the chip that it has."""
    own = [one for one in stated if one.node == name]
    chip = next((str(one.value).casefold() for one in own if one.subject == "cpu_model"), None)
    short = (chip or "\0").removeprefix("apple ")
    return own + [
        one
        for one in stated
        if one.node is None and one.place is not None and one.place.section == "node"
        and any(short in heading.text.casefold() for heading in one.item.headings)
    ]  # fmt: skip


def _node(page: Page, name: str, stated: Sequence[Stated]) -> ClaimedNode:
    rows: dict[tuple[str, tuple[tuple[str, str], ...]], _Row] = {}
    for one in stated:
        if one.place is not None:
            row = rows.setdefault((one.place.section, one.place.key), _Row())
            if one.place.column not in row.values:
                row.values[one.place.column] = one.value
                row.lines[one.place.column] = one.item.line
    described = page.nodes[name]
    node_row = rows.pop(("node", ()), _Row())
    node = {
        column: value for column, given in node_row.values.items() if (value := _typed(Node, column, given)) is not None
    }
    claimed = {
        CLAIMED: {
            "document": page.name,
            "line": described.line,
            "columns": {column: node_row.lines[column] for column in node},
            "details": _details(page, name, stated),
        }
    }
    sections: dict[str, Any] = {
        fact_type.SECTION: tuple(
            _fact(page, fact_type, key, row) for (section, key), row in rows.items() if section == fact_type.SECTION
        )
        for fact_type in FACT_TYPES
    }
    facts = Facts(node=Node(**node), metadata=claimed, measurements=tuple(_measurements(page, stated)), **sections)
    return ClaimedNode(name, described.role, described.status, facts, page.dated)


def _fact(page: Page, fact_type: type[Fact], key: Iterable[tuple[str, str]], row: _Row) -> Fact:
    given: dict[str, Any] = dict(key)
    metadata: dict[str, Json] = {}
    for column, value in row.values.items():
        if column.startswith("metadata."):
            metadata[column.removeprefix("metadata.")] = value
        elif (typed := _typed(fact_type, column, value)) is not None:
            given[column] = typed
    if "replay_lag_ms" in given and page.dated is not None:
        given["last_check"] = page.dated
    if fact_type.SECTION == "settings":
        given |= _meaning(page, str(given["setting_name"]), given)
    if "kind" in given:
        metadata["kind"] = given["kind"]
    lines = {column.removeprefix("metadata."): line for column, line in row.lines.items()}
    metadata[CLAIMED] = {"document": page.name, "line": min(lines.values()), "lines": lines}
    return fact_type(**given | {"metadata": metadata})


def _meaning(page: Page, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Unit, category and context of a setting: no document states them, PostgreSQL itself does."""
    known = page.settings.get(name)
    if known is None:
        return {"requires_restart": "pending_value" in given or given.get("requires_restart", False)}
    return {
        "setting_unit": known.unit,
        "setting_category": known.category,
        "setting_short_desc": known.short_desc,
        "context": known.context,
        "requires_restart": "pending_value" in given or given.get("requires_restart", False),
    }


def _typed(row_type: type, column: str, value: Json) -> Any:
    """A stated value as its column holds it; None where it cannot."""
    kind = columns(row_type)[column]
    try:
        if kind == "numeric":
            number = Decimal(str(value))
            return number if number.is_finite() and number > 0 else None
        if kind in RANGES:
            whole = int(value)
            return whole if 0 <= whole <= RANGES[kind][1] and (whole or row_type is not Node) else None
        if kind == "uuid":
            return UUID(str(value))
        return datetime.fromisoformat(str(value)) if kind == "timestamptz" else value
    except (ValueError, InvalidOperation):
        return None


def _details(page: Page, name: str, stated: Sequence[Stated]) -> dict[str, dict[str, Json]]:
    """What is stated of a node and has no column of its own, under its heading and label."""
    placed = {
        one.item.number for one in stated if one.place is not None or one.subject.startswith(measurements.SUBJECT)
    }
    details: dict[str, dict[str, Json]] = {}
    for item in page.items(name):
        if item.number in placed or item.is_label or not item.text or not mentioned(item.place, page.nodes):
            continue
        where = " / ".join(filter(None, [item.headings[-1].text if item.headings else "", item.label, *item.parents]))
        under = details.setdefault(where or "document", {})
        if item.key and item.value:
            under.setdefault(item.key, item.value)
        else:
            points = under.setdefault("points", [])
            points.append(item.text)
    for one in stated:
        if one.subject == CODE_NAME:
            details.setdefault("operating system", {}).setdefault("codename", one.value)
    return details


def _measurements(page: Page, stated: Sequence[Stated]) -> Iterable[Measurement]:
    for one in stated:
        if not one.subject.startswith(measurements.SUBJECT) or one.said is None:
            continue
        unit, value = measurements.unit_and_value(one.said)
        conditions: dict[str, Json] = {"document": page.name, "line": one.item.line, "stated": one.item.value}
        if one.item.label:
            conditions["under"] = one.item.label
        if bound := measurements.bound(one.said):
            conditions["bound"] = bound
        size = _size(one.item.key)
        yield Measurement(
            category=measurements.category(one.item),
            name=measurements.name(one.item),
            value=value,
            unit=unit,
            conditions=conditions | ({"size": size} if size else {}),
        )


def _size(key: str) -> str | None:
    found = [
        word
        for word in key.replace("(", " ").replace(")", " ").split()
        if "x" in word and word.replace("x", "").isdigit()
    ]
    return found[0] if found else None


def count_stated(nodes: Iterable[ClaimedNode]) -> int:
    """How many facts the nodes have: filled columns, keys of metadata, and measurements; provenance counts for nothing."""
    total = 0
    for node in nodes:
        total += (
            2
            + sum(getattr(node.facts.node, one.name) is not None for one in fields(Node))
            + len(node.facts.measurements)
        )
        details: dict[str, dict[str, Json]] = node.facts.metadata[CLAIMED]["details"]
        total += sum(
            len(value) if isinstance(value, list) else 1 for under in details.values() for value in under.values()
        )
        for fact_type in FACT_TYPES:
            total += sum(len(fact.metadata[CLAIMED]["lines"]) for fact in getattr(node.facts, fact_type.SECTION))
    return total
