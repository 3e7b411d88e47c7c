"""The PostgreSQL server of a node that a document describes: it states no system identifier, so its name says `claimed`."""

import re

from aya.claims.statement import Page

CLAIMED = "claimed"
_ABOUT = re.compile(r"(?i)postgres|database server")
_PORT = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}:(\d{2,5})\b")


def instance_of(page: Page, node: str) -> str:
    """`claimed:5432`, with the port where it is stated."""
    port = port_of(page, node)
    return f"{CLAIMED}:{port}" if port else CLAIMED


def port_of(page: Page, node: str) -> int | None:
    """The port of its PostgreSQL, where the document states it: by itself, or in the address that a replica connects to."""
    for item in page.items(node):
        if re.fullmatch(r"(?i)`?port`?", item.key) and _ABOUT.search(item.place):
            found = re.match(r"\d{2,5}", item.value)
            if found:
                return int(found[0])
    for item in page.outline.items:
        found = _PORT.search(item.value)
        if (
            found
            and re.search(rf"\b{re.escape(node)}\b", item.value)
            and re.search(r"(?i)primary|master|server|host", item.key)
        ):
            return int(found[1]) if int(found[1]) < 65536 else None
    return None
