"""The PostgreSQL server of a node that a document describes: it states no system identifier, so its name says `claimed`."""

import re
from collections.abc import Mapping

from aya.claims.outline import Item, Outline
from aya.claims.scope import mentioned
from aya.claims.statement import Described, Page

CLAIMED = "claimed"
_ABOUT = re.compile(r"(?i)postgres|database server")
_OTHER_END = re.compile(r"(?i)primary|master|server|host")
_PORT = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}:(\d{2,5})\b")


def instance_of(page: Page, node: str, item: Item | None = None) -> str:
    """`claimed:5432`, with the port where it is stated; of several servers of the node the one that a statement is about."""
    port = page.servers.get(item.number) if item is not None else None
    port = port or page.ports.get(node)
    return f"{CLAIMED}:{port}" if port else CLAIMED


def another(page: Page, node: str, item: Item) -> str:
    """What tells the subject of a statement about a second server of a node from that about the first: `` or ` of :5433`."""
    port = page.servers.get(item.number)
    return f" of :{port}" if port and port != page.ports.get(node) else ""


def servers_of_items(outline: Outline, node_of: Mapping[int, str], ports: Mapping[str, int]) -> dict[int, int]:
    """The port of the server that a statement is about, by its number, for nodes of which several servers are described."""
    groups: dict[tuple[str, object], list[Item]] = {}
    for item in outline.items:
        node = node_of.get(item.number)
        if node and _ABOUT.search(item.place):
            groups.setdefault((node, item.group), []).append(item)
    told: dict[tuple[str, object], int] = {}
    for (node, group), items in groups.items():
        found = next((port for item in items if (port := _port(item))), None)
        said = found or _named_port(f"{items[0].label} {items[0].near}")
        if said:
            told[node, group] = said
    several = {node for node in ports if len({port for (of, _), port in told.items() if of == node}) > 1}
    return {
        item.number: port for (node, group), port in told.items() if node in several for item in groups[node, group]
    }


def _port(item: Item) -> int | None:
    found = re.match(r"\d{2,5}", item.value) if item.key.strip("`").lower() == "port" else None
    return int(found[0]) if found and int(found[0]) < 65536 else None


def _named_port(text: str) -> int | None:
    found = re.search(r"(?i)\bport\s*:?\s*(\d{2,5})\b|:(\d{4,5})\b", text)
    return int(found[1] or found[2]) if found else None


def stated_ports(outline: Outline, nodes: Mapping[str, Described], node_of: Mapping[int, str]) -> dict[str, int]:
    """The port of each node's PostgreSQL, as it is stated: by itself, or else in the address that a replica connects to."""
    own: dict[str, int] = {}
    told: dict[str, int] = {}
    for item in outline.items:
        node = node_of.get(item.number)
        if node and _ABOUT.search(item.place) and (port := _port(item) or _named_port(f"{item.label} {item.near}")):
            own.setdefault(node, port)
        address = _PORT.search(item.value)
        if address and int(address[1]) < 65536 and _OTHER_END.search(item.key):
            for name in mentioned(item.value, nodes):
                told.setdefault(name, int(address[1]))
    return told | own
