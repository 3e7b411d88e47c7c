"""Name servers, and connections of the system's own VPN list, as `scutil` prints them."""

import re
from dataclasses import dataclass, field

from aya.collect.addresses import read_address
from aya.collect.macos._hardware_ports import Port
from aya.collect.resolv_conf import name_servers
from aya.model import Json

NC = re.compile(
    r"(?P<enabled>\*)?\s*\((?P<status>[\w ]+)\)\s+(?P<id>[0-9A-F-]{36})\s+(?P<kind>\w+)(?P<detail>.*?)"
    r'"(?P<name>.*)"\s*\[(?P<type>[^\]]*)\]\s*'
)
LONGEST_LINE = 2048


@dataclass(slots=True, kw_only=True)
class Resolver:
    """One block of `scutil --dns`."""

    servers: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    domain: str | None = None
    interface: str | None = None
    supplemental: bool = False
    multicast: bool = False
    flagged: bool = False
    """Whether it has a line of flags, which all newer systems print."""


def resolvers_in_scutil(text: str) -> list[Resolver]:
    """The resolvers in their order, without those that count for one interface only."""
    resolvers: list[Resolver] = []
    for line in text.partition("DNS configuration (for scoped queries)")[0].splitlines():
        key, _, value = (part.strip() for part in line.partition(" : "))
        key = key.partition("[")[0].strip()
        if line.startswith("resolver #"):
            resolvers.append(Resolver())
        elif not resolvers or not value:
            continue
        elif key == "nameserver" and (address := read_address(value, None)):
            resolvers[-1].servers.append(address.address)
        elif key == "search domain":
            resolvers[-1].search.append(value)
        elif key == "domain":
            resolvers[-1].domain = value
        elif key == "if_index" and (name := re.search(r"\((\S+)\)", value)):
            resolvers[-1].interface = name[1]
        elif key == "flags":
            resolvers[-1].flagged = True
            resolvers[-1].supplemental = "Supplemental" in value
        elif key == "options":
            resolvers[-1].multicast = "mdns" in value
    return resolvers


def dns_of(scutil: str, resolv_conf: str, port: Port | None) -> dict[str, Json]:
    """The name servers that are asked for every name, and those for some names only.

    By `scutil --dns`; without it by what macOS writes for old programs, or what the service of the primary port has.
    """
    resolvers = [one for one in resolvers_in_scutil(scutil) if one.servers and not one.multicast]
    general = [one for one in resolvers if not one.supplemental and one.domain is None]
    if not general and resolvers and not resolvers[0].flagged:
        general = resolvers[:1]  # Mac OS X up to 10.6 calls the domain of the first what later is a search domain
    servers = [server for one in general for server in one.servers]
    search = [domain for one in resolvers for domain in one.search]
    search = [one.domain for one in general if one.domain] + search
    if not resolvers:
        servers, search = name_servers(resolv_conf)
    if not servers and port is not None:
        servers, search = port.servers, search or port.search
    return {
        "servers": list(dict.fromkeys(servers)),
        "search": list(dict.fromkeys(search)),
        "supplemental": [
            {
                "domains": [one.domain] if one.domain else one.search,
                "servers": one.servers,
                "interface": one.interface,
            }
            for one in resolvers
            if one not in general
        ],
    }


def primary_in_scutil(text: str) -> str | None:
    """The interface that `scutil --nwi` names first for IPv4, else for IPv6."""
    for family in ("IPv4", "IPv6"):
        block = re.search(rf"^{family} network interface information\s*\n\s*(\S+) : flags", text, re.MULTILINE)
        if block:
            return block[1]
    return None


def connections_in_scutil(text: str) -> list[dict[str, Json]]:
    """The connections in `scutil --nc list`: what each is called, who provides it, and whether it is connected."""
    connections: list[dict[str, Json]] = []
    for line in text.splitlines():
        match = NC.fullmatch(line) if len(line) < LONGEST_LINE else None
        if match is None:
            continue
        provider = re.search(r"\(([\w.-]+)\)", match["detail"])
        connections.append(
            {
                "name": match["name"],
                "kind": match["kind"],
                "provider": provider[1] if provider else None,
                "status": match["status"].lower(),
                "enabled": match["enabled"] is not None,
            }
        )
    return sorted(connections, key=lambda connection: (connection["name"], connection["kind"]))
