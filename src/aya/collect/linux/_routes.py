"""Routes as the kernel and its tools list them."""

import ipaddress
from itertools import pairwise
from typing import Literal

from aya.collect.addresses import read_address
from aya.collect.json_values import integer
from aya.collect.route import Route

ROUTE_UP, ROUTE_REJECTS, ROUTE_CACHED, ROUTE_LOCAL = 0x1, 0x200, 0x01000000, 0x80000000


def _hexadecimal(columns: list[str], *places: int) -> list[int]:
    return [int(columns[place], 16) for place in places]


def routes_in_proc(text: str, byte_order: Literal["little", "big"]) -> list[Route]:
    """/proc/net/route: numbers in hexadecimal, addresses in the byte order of the machine."""
    routes = []
    for line in text.splitlines()[1:]:
        columns = line.split()
        try:
            destination, gateway, flags, mask = _hexadecimal(columns, 1, 2, 3, 7)
            metric = int(columns[6])
            swapped = [ipaddress.IPv4Address(number.to_bytes(4, byte_order)) for number in (destination, gateway, mask)]
            network = ipaddress.ip_network(f"{swapped[0]}/{swapped[2]}", strict=False)
        except (ValueError, IndexError, OverflowError):
            continue
        if flags & ROUTE_UP and not flags & ROUTE_REJECTS:
            via = str(swapped[1]) if gateway else None
            routes.append(Route(interface=columns[0], destination=str(network), gateway=via, metric=metric))
    return routes


def routes6_in_proc(text: str) -> list[Route]:
    """/proc/net/ipv6_route, without what is local, multicast, cached or refused."""
    routes = []
    for line in text.splitlines():
        columns = line.split()
        try:
            destination, prefix, gateway, metric, flags = _hexadecimal(columns, 0, 1, 4, 5, 8)
            network = ipaddress.IPv6Network((destination, prefix), strict=False)
            name = columns[9]
        except (ValueError, IndexError):
            continue
        unwanted = flags & (ROUTE_REJECTS | ROUTE_CACHED | ROUTE_LOCAL) or network.is_multicast
        if flags & ROUTE_UP and not unwanted and (network.is_link_local is False or gateway):
            via = str(ipaddress.IPv6Address(gateway)) if gateway else None
            routes.append(Route(interface=name, destination=str(network), gateway=via, metric=metric))
    return routes


def routes_in_ip(text: str) -> list[Route]:
    """The IPv4 routes in `ip route`."""
    routes = []
    for line in text.splitlines():
        columns = line.split()
        if not columns or "dev" not in columns[:-1]:
            continue
        details = dict(pairwise(columns))
        destination = "0.0.0.0/0" if columns[0] == "default" else columns[0]
        gateway, metric = details.get("via"), integer(details.get("metric")) or 0
        if (gateway is None or read_address(gateway, None)) and _network(destination):
            routes.append(
                Route(interface=details["dev"], destination=_network(destination) or "", gateway=gateway, metric=metric)
            )
    return routes


def routes_in_table(text: str) -> list[Route]:
    """`route -n` and `netstat -rn`; a gateway that was given as a name is not known."""
    routes = []
    for line in text.splitlines():
        columns = line.split()
        if len(columns) < 8 or "U" not in columns[3]:
            continue
        network = _network(f"{columns[0].replace('default', '0.0.0.0')}/{columns[2]}")
        gateway = columns[1] if read_address(columns[1], None) and columns[1] != "0.0.0.0" else None
        if network:
            routes.append(
                Route(interface=columns[7], destination=network, gateway=gateway, metric=integer(columns[4]) or 0)
            )
    return routes


def _network(text: str) -> str | None:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return None
