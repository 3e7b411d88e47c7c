"""Routes as `netstat` and `route` of a Mac print them."""

import ipaddress
import re
from dataclasses import dataclass

from aya.collect.addresses import read_address

NOT_ROUTES = set("LWmbBR")
"""Flags of entries that are no routes: neighbours, what was cloned for one of them, multicast, broadcast, refusals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MacRoute:
    """One route. `scoped` ones count only for what is bound to their interface."""

    destination: str
    gateway: str | None
    interface: str
    scoped: bool

    @property
    def default(self) -> bool:
        """Whether it leads everywhere."""
        return self.destination in ("0.0.0.0/0", "::/0")


def routes_in_netstat(text: str) -> list[MacRoute]:
    """The routes in `netstat -rn`, in their order; the columns are found by the names over them."""
    routes: list[MacRoute] = []
    columns: list[str] = []
    family, widths = 4, dict[str, int]()
    for line in text.splitlines():
        words = line.split()
        if words[:1] in (["Internet:"], ["Internet6:"]):
            family = 6 if words[0] == "Internet6:" else 4
        elif words[:2] == ["Destination", "Gateway"]:
            columns = words
            ends = [line.index(name) for name in ("Gateway", "Flags") if name in line]
            widths = {name: end - line.index(name) - 1 for name, end in zip(words, ends, strict=False)}
        elif columns and len(words) >= 4:
            row = dict(zip(columns, words, strict=False))
            if any(
                len(row[name]) == width and ":" in row[name] and "%" not in row[name] for name, width in widths.items()
            ):
                continue  # as wide as its column: older systems cut long addresses there, and what is left looks whole
            destination = _network(row["Destination"], family)
            flags = row.get("Flags", "")
            if destination is None or "U" not in flags or NOT_ROUTES & set(flags) or "Netif" not in row:
                continue
            network = ipaddress.ip_network(destination)
            if row["Netif"].startswith("lo") or network.is_link_local or destination == "255.255.255.255/32":
                continue
            gateway = read_address(row["Gateway"], None)
            unspecified = gateway is None or ipaddress.ip_address(gateway.address).is_unspecified
            # `fe80::%utun0` is the interface itself.
            itself = gateway is not None and gateway.address == "fe80::"
            routes.append(
                MacRoute(
                    destination=destination,
                    gateway=None if gateway is None or unspecified or itself else gateway.address,
                    interface=row["Netif"],
                    scoped="I" in flags,
                )
            )
    return routes


def _network(text: str, family: int) -> str | None:
    """`default`, `10.1/16`, `127` (the bytes that are not written are the hosts), `fe80::%en0/64`."""
    if text == "default":
        return "::/0" if family == 6 else "0.0.0.0/0"
    address, _, prefix = text.partition("/")
    address = address.partition("%")[0]
    if family == 4:
        parts = address.split(".")
        prefix = prefix or str(8 * len(parts))
        address = ".".join([*parts, "0", "0", "0"][:4])
    try:
        return str(ipaddress.ip_network(f"{address}/{prefix}" if prefix else address, strict=False))
    except ValueError:
        return None


def default_in_route(text: str) -> MacRoute | None:
    """The default route in `route -n get default`."""
    told = dict(re.findall(r"^\s*(gateway|interface): (\S+)", text, re.MULTILINE))
    if "interface" not in told:
        return None
    gateway = read_address(told.get("gateway", ""), None)
    return MacRoute(
        destination="0.0.0.0/0",
        gateway=gateway.address if gateway else None,
        interface=told["interface"],
        scoped=False,
    )


def default_of(routes: list[MacRoute], family: int, interface: str | None = None) -> MacRoute | None:
    """The default route of the machine or of one interface; one that is not scoped comes first."""
    wanted = [
        route
        for route in routes
        if route.default and (":" in route.destination) is (family == 6) and interface in (None, route.interface)
    ]
    if interface is None:
        wanted = [route for route in wanted if not route.scoped]
    return min(wanted, key=lambda route: route.scoped, default=None)


def counters_in_netstat(text: str) -> dict[str, dict[str, int]]:
    """What each interface has carried, in `netstat -ibn`: the row of its link, under the names of the columns."""
    lines = text.splitlines()
    names = {"Ibytes": "rx_bytes", "Obytes": "tx_bytes", "Ierrs": "rx_errors", "Oerrs": "tx_errors"}
    columns = lines[0].split() if lines else []
    counters: dict[str, dict[str, int]] = {}
    for line in lines[1:]:
        words = line.split()
        if len(words) < 4 or not words[2].startswith("<Link#"):
            continue
        # A link without an address leaves its column out: the numbers are counted from the end.
        row = dict(zip(reversed(columns), reversed(words), strict=False))
        counters[words[0].rstrip("*")] = {
            plain: int(row[name])
            for name, plain in names.items()
            if row.get(name, "").isdecimal() and len(row[name]) < 25
        }
    return counters
