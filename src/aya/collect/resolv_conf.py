"""The name servers in a `resolv.conf`."""

import re

from aya.collect.addresses import read_address


def name_servers(text: str) -> tuple[list[str], list[str]]:
    """Name servers in their order, and the search list."""
    servers: list[str] = []
    search: list[str] = []
    for line in text.splitlines():
        words = re.split(r"[#;]", line)[0].split()
        if len(words) > 1 and words[0] == "nameserver" and (address := read_address(words[1], None)):
            servers.append(address.address)
        elif len(words) > 1 and words[0] in ("search", "domain"):
            search = words[1:]
    return servers, search
