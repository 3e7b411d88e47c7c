"""Routes as the kernel and its tools list them."""

import ipaddress
import re
from itertools import pairwise
from typing import Literal

from aya.collect.addresses import read_address
from aya.collect.json_values import integer, items, parsed
from aya.collect.linux._links import devices_in_nmcli
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
            via = str(ipaddress.IPv6Address(gateway)) if gateway else None
            name = columns[9]
        except (ValueError, IndexError):
            continue
        unwanted = flags & (ROUTE_REJECTS | ROUTE_CACHED | ROUTE_LOCAL) or network.is_multicast
        if flags & ROUTE_UP and not unwanted and (network.is_link_local is False or gateway):
            routes.append(Route(interface=name, destination=str(network), gateway=via, metric=metric))
    return routes


def routes_in_ip(text: str, default: str = "0.0.0.0/0") -> list[Route]:
    """The routes in `ip route`, as text or JSON; `default` is where its default route leads: IPv4, or `::/0`."""
    if text.lstrip().startswith("["):
        rows = [
            {key: str(value) for key, value in row.items() if not isinstance(value, (dict, list))}
            for row in items(parsed(text))
            if isinstance(row, dict)
        ]
        said = [{**row, "via": row["gateway"]} if "gateway" in row else row for row in rows]
    else:
        lines = [columns for line in text.splitlines() if (columns := line.split()) and "dev" in columns[:-1]]
        said = [{"dst": columns[0], **dict(pairwise(columns))} for columns in lines]
    routes = []
    for row in said:
        network = _network(default if row.get("dst") == "default" else row.get("dst", ""))
        gateway, metric = row.get("via"), integer(row.get("metric")) or 0
        if network is None or "dev" not in row or not (gateway is None or read_address(gateway, None)):
            continue
        if gateway is None and network.startswith(("fe80:", "ff00:")):
            continue
        routes.append(Route(interface=row["dev"], destination=network, gateway=gateway, metric=metric))
    return routes


def routes_in_nmcli(text: str) -> list[Route]:
    """The routes in `nmcli device show`: `dst = 0.0.0.0/0, nh = 192.168.71.2, mt = 100`."""
    routes = []
    for said in devices_in_nmcli(text):
        for key, value in said.items():
            parts = re.match(r"dst = (\S+), nh = (\S+), mt = (\d+)(?!.*table=255)", value)
            if not re.fullmatch(r"IP[46]\.ROUTE\[\d+\]", key) or parts is None:
                continue
            network, gateway = _network(parts[1]), parts[2] if parts[2] not in ("0.0.0.0", "::") else None
            if network and said.get("GENERAL.DEVICE") and (gateway or not network.startswith(("fe80:", "ff00:"))):
                routes.append(
                    Route(
                        interface=said["GENERAL.DEVICE"], destination=network, gateway=gateway, metric=int(parts[3][:9])
                    )
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
