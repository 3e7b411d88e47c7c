"""The PostgreSQL server of a node that a document describes: it states no system identifier, so its name says `claimed`."""

import re
from collections.abc import Mapping

from aya.claims.outline import Outline
from aya.claims.scope import mentioned
from aya.claims.statement import Described, Page

CLAIMED = "claimed"
_ABOUT = re.compile(r"(?i)postgres|database server")
_OTHER_END = re.compile(r"(?i)primary|master|server|host")
_PORT = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}:(\d{2,5})\b")


def instance_of(page: Page, node: str) -> str:
    """`claimed:5432`, with the port where it is stated."""
    port = page.ports.get(node)
    return f"{CLAIMED}:{port}" if port else CLAIMED


def stated_ports(outline: Outline, nodes: Mapping[str, Described], node_of: Mapping[int, str]) -> dict[str, int]:
    """The port of each node's PostgreSQL, as it is stated: by itself, or else in the address that a replica connects to."""
    own: dict[str, int] = {}
    told: dict[str, int] = {}
    for item in outline.items:
        node = node_of.get(item.number)
        if node and item.key.strip("`").lower() == "port" and _ABOUT.search(item.place):
            found = re.match(r"\d{2,5}", item.value)
            if found and int(found[0]) < 65536:
                own.setdefault(node, int(found[0]))
        address = _PORT.search(item.value)
        if address and int(address[1]) < 65536 and _OTHER_END.search(item.key):
            for name in mentioned(item.value, nodes):
                told.setdefault(name, int(address[1]))
    return told | own
