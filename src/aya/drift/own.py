"""What is a node's own: its names, addresses, folders and numbers. Where a value differs only by these, it does not differ.

`archive_command` with `/backup/ALPHA/%f` on ALPHA and `/backup/BETA/%f` on BETA says the same: `/backup/{node}/%f`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from aya.drift.thing import NodeDocument

SHORTEST = 3
"""A shorter name stands in too many words."""


@dataclass(frozen=True, slots=True)
class Own:
    """The own texts of a node, and what stands for each of them."""

    pattern: re.Pattern[str] | None
    meaning: dict[str, str]

    @classmethod
    def of(cls, node_name: str, state: NodeDocument) -> "Own":
        """What is that node's own."""
        meaning: dict[str, str] = {}
        for what, said in _texts(node_name, state):
            if said and len(str(said)) >= SHORTEST:
                meaning.setdefault(str(said).lower(), f"{{{what}}}")
        if not meaning:
            return cls(None, {})
        longest_first = sorted(meaning, key=len, reverse=True)
        # A name is a whole word: ALPHA is not in ALPHABET.
        pattern = rf"(?<![\w.]){'(?:' + '|'.join(map(re.escape, longest_first)) + ')'}(?![\w]|\.\w)"
        return cls(re.compile(pattern, re.IGNORECASE), meaning)

    def replaced(self, text: str) -> str:
        """The text with what stands for the node's own in the place of it."""
        if self.pattern is None or len(text) < SHORTEST or text.isdigit():
            return text
        return self.pattern.sub(lambda found: self.meaning[found[0].lower()], text)


def _texts(node_name: str, state: NodeDocument) -> Iterator[tuple[str, Any]]:
    """Every own text with its meaning; of texts that are the same the first counts."""
    node = state["node"]
    metadata = node.get("metadata", {})
    for instance in state.get("instances", {}).values():
        yield "data_directory", instance.get("data_directory")
        yield "socket_directories", instance.get("socket_directories")
        yield "system_identifier", instance.get("system_identifier")
    identity = metadata.get("identity") or {}
    yield "node", identity.get("fully_qualified_name")
    for name in (node_name, identity.get("hostname"), (metadata.get("network") or {}).get("hostname")):
        yield "node", name
        yield "node", str(name).split(".")[0] if name else None
    for number in (node.get("hardware_uuid"), node.get("serial_number"), identity.get("machine_id")):
        yield "identity", number
    for interface in state.get("interfaces", {}).values():
        listed = [one.get("address") for one in interface.get("metadata", {}).get("addresses") or ()]
        for address in (interface.get("ipv4_address"), interface.get("ipv6_address"), *listed):
            if address and not ip_address(str(address).split("/")[0]).is_loopback:
                yield "address", str(address).split("/")[0]
        yield "address", interface.get("mac_address")
