"""Network interfaces: one for each list under a name like `Primary Ethernet (en0)`, or for each point with such a name."""

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface
from itertools import groupby

from aya.claims.outline import Item
from aya.claims.quantity import BITS_PER_S, Quantity, quantity
from aya.claims.statement import Page, Place, Reader, Stated
from aya.model import Json

_NAME = (
    r"(?:(?:en|eth|ens|enp|eno|wl|wlan|wlp|utun|tun|tap|lo|br|bond|wg|tailscale|bridge|awdl|ib|vmbr|docker)"
    r"\d[\w]*(?:s\d\w*)?|lo)"
)
_NAMED = re.compile(rf"\b{_NAME}\b")
_RANGE = re.compile(r"(?P<stem>[a-z]+)(?P<first>\d+)\s*[-–]\s*(?P=stem)(?P<last>\d+)")
_PLACE = re.compile(r"(?i)network|interface|\bnics?\b|ethernet|wi-?fi|vpn|tailscale|wireguard|loopback")
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?\b")
_KINDS = (
    ("loopback", r"loopback|\blo0?\b"),
    ("vpn", r"vpn|tailscale|wireguard|utun|\btun"),
    ("wifi", r"wi-?fi|wlan|802\.11"),
    ("bridge", r"\bbridge|\bbr\d"),
    ("ethernet", r"ethernet|\blan\b|\ben\d|\beth\d"),
)
HOST = "host"
"""In the place of an interface where an address is stated of the machine alone."""
MOST = 64
"""More interfaces than a range may name."""


def _read(page: Page) -> Iterator[Stated]:
    for node in page.nodes:
        for item in page.items(node):
            if not _PLACE.search(item.near) and re.fullmatch(
                r"(?i)(?:ip|ipv4)(?: address)?|(?:subnet |net)mask|(?:default )?gateway", item.key
            ):
                for column, value, said in _attribute(item):  # of no interface that is named
                    yield Stated(item=item, node=node, subject=f"{HOST} {column}", value=value, said=said)
        items = [item for item in page.items(node) if _PLACE.search(item.near)]
        for _, group in groupby(items, key=lambda item: item.group):
            yield from _list(node, list(group))


def _list(node: str, items: list[Item]) -> Iterator[Stated]:
    own = [item for item in items if _is_name(item.key)]
    for item in own:
        for one in _names(item.key):
            yield from _interface(node, one, item, item.value)
    rest = [item for item in items if item not in own and item.key and not item.is_label]
    if not rest:
        return
    title = f"{rest[0].label} / {' / '.join(rest[0].parents)}"
    given = next((item for item in rest if re.fullmatch(r"(?i)interface(?: name)?|name|device", item.key)), None)
    named = _NAMED.search(given.value if given else title)
    found = named[0] if named else "tailscale" if re.search("(?i)tailscale", title) else None
    addresses = [item for item in rest if _attribute(item)]
    if found is None or not addresses:
        return
    name = found
    kind = _kind(f"{title} {name}")
    if kind:
        yield _stated(rest[0], node, name, "interface_type", kind)
    if re.search(r"(?i)primary|main|default", title):
        yield _stated(rest[0], node, name, "is_primary", True)
    for item in rest:
        for column, value, said in _attribute(item):
            yield _stated(item, node, name, column, value, said)


def _interface(node: str, name: str, item: Item, said: str) -> Iterator[Stated]:
    """An interface that is described in one line."""
    yield _stated(item, node, name, "interface_type", _kind(f"{name} {said}") or "other")
    if re.search(r"(?i)inactive|\bdown\b|no media|disconnected", said):
        yield _stated(item, node, name, "is_active", False)
    address = _ADDRESS.search(said)
    if address and _valid(address[0]):
        yield _stated(item, node, name, "ipv4_address", address[0].partition("/")[0])


def _attribute(item: Item) -> list[tuple[str, Json, Quantity | None]]:
    """What a line says of its interface."""
    key, value = item.key.lower(), item.value
    address = next((one for one in _ADDRESS.findall(value) if _valid(one)), None)
    if re.search(r"mask|^subnet$", key) and address:
        return [("ipv4_netmask", address, None)]
    if re.search(r"gateway|router", key) and address:
        return [("ipv4_gateway", address, None)]
    if (
        re.fullmatch(r"(?:tailscale |vpn |ipv4 |static )?(?:ip|ipv4|address|ip address|ipv4 address)(?: address)?", key)
        and address
    ):
        return [("ipv4_address", address.partition("/")[0], None)]
    if re.search(r"ipv6", key) and "prefix" not in key:
        found = re.search(r"[0-9a-fA-F:]{3,}(?:/\d+)?", value)
        return [("ipv6_address", found[0].partition("/")[0], None)] if found and _valid(found[0]) else []
    if re.search(r"\bmac\b|hardware address", key):
        mac = re.search(r"(?i)[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}", value)
        return [("mac_address", mac[0].lower().replace("-", ":"), None)] if mac else []
    if re.search(r"speed|link", key):
        said = quantity(value, BITS_PER_S)
        medium = re.search(r"(?i)\b\d+G?base-?\w+", value)
        found_speed: list[tuple[str, Json, Quantity | None]] = (
            [("connection_speed_mbps", int(said.value / 10**6), said)] if said and said.value >= 10**6 else []
        )
        return [*found_speed, *([("connection_type", medium[0], None)] if medium else [])]
    if key == "status":
        return [("is_active", not re.search(r"(?i)inactive|down|disabled", value), None)]
    return []


def _is_name(key: str) -> bool:
    return bool(_RANGE.fullmatch(key) or re.fullmatch(_NAME, key))


def _names(key: str) -> list[str]:
    """`en8-en12` are five."""
    many = _RANGE.fullmatch(key)
    if not many:
        return [key]
    first, last = int(many["first"]), int(many["last"])
    return [f"{many['stem']}{number}" for number in range(first, min(last, first + MOST) + 1)]


def _kind(text: str) -> str | None:
    return next((kind for kind, pattern in _KINDS if re.search(rf"(?i){pattern}", text)), None)


def _valid(text: str) -> bool:
    try:
        (ip_interface if "/" in text else ip_address)(text)
    except ValueError:
        return False
    return True


def _stated(item: Item, node: str, name: str, column: str, value: Json, said: Quantity | None = None) -> Stated:
    place = Place("interfaces", (("interface_name", name),), column)
    return Stated(item=item, node=node, subject=f"{name} {column}", value=value, said=said, place=place)


reader = Reader(_read)
