"""Network interfaces as each source describes them, and what kind each one is."""

import re
from dataclasses import dataclass, field

from aya.collect.addresses import Address, read_address
from aya.collect.json_values import dig, integer, items, parsed, words
from aya.collect.linux._lshw import logical_names, nodes_in_lshw

UP, LOOPBACK, POINT_TO_POINT = 0x1, 0x8, 0x10
IFCONFIG_HEAD = re.compile(r"(\S+?):? +(?:flags=(\d+)<([^>]*)>.*?mtu (\d+)|Link encap:(\S+).*?(?:HWaddr (\S+))?\s*$)")
"""The first line of an interface as the new and the old `ifconfig` print it."""

TYPES_BY_KIND = {
    "wlan": "wifi",
    "wwan": "cellular",
    "bridge": "bridge",
    "bond": "bond",
    "team": "bond",
    "vlan": "vlan",
    "veth": "veth",
    "dummy": "dummy",
    "ipoib": "infiniband",
    "netkit": "veth",
    "openvswitch": "bridge",
    "dsa": "ethernet",
    **dict.fromkeys(("macvlan", "macvtap", "ipvlan"), "macvlan"),
    **dict.fromkeys(("wireguard", "ovpn", "ppp", "xfrm", "vti", "vti6"), "vpn"),
    **dict.fromkeys(("sit", "gre", "gretap", "ip6gre", "ip6gretap", "ipip", "ip6tnl", "vxlan", "geneve"), "tunnel"),
    **dict.fromkeys(("ifb", "vrf", "nlmon"), "virtual"),
}
"""By the kind that the kernel gives an interface: DEVTYPE in its uevent, or `ip -d link`."""

TYPES_BY_NAME = (
    (r"lo\d*", "loopback"),
    (r"(tailscale|wg|tun|utun|ppp|zt|nebula|ipsec|vti|xfrm|nordlynx|proton|mullvad|cscotun|gpd|outline)[-\w]*", "vpn"),
    (r"veth.*|cali.*|lxc[0-9a-f]+|vnet\d+|tap.*", "veth"),
    (
        r"docker\d+|br-[0-9a-f]{12}|virbr\d+(-nic)?|br\d+|lxcbr\d*|lxdbr\d+|incusbr\d+|cni\d+|podman\d+|vmbr\d+",
        "bridge",
    ),
    (r"bond\d+|team\d+", "bond"),
    (r".+\.\d+|vlan\d+", "vlan"),
    (r"dummy\d+", "dummy"),
    (r"sit\d+|gre\w*|ip6tnl\d+|tunl\d+|ip6_vti\d+|ip_vti\d+|erspan\d+|flannel[.\d]+|vxlan.*|geneve.*|teredo", "tunnel"),
    (r"macvlan.*|macvtap.*|ipvl.*", "macvlan"),
    (r"wl.*|ath\d+|ra\d+", "wifi"),
    (r"ww.*", "cellular"),
    (r"ib\d+.*", "infiniband"),
    (r"ifb\d+|nlmon\d+|eql|teql\d+|vrf.*|vmnet\d+|vboxnet\d+", "virtual"),
    (r"e(th|n|m).*|p\d+p\d+|usb\d+", "ethernet"),
)
"""The last resort: what people and programs call such interfaces."""

TYPES_BY_HARDWARE = {
    1: "ethernet",
    32: "infiniband",
    512: "vpn",
    772: "loopback",
    768: "tunnel",
    776: "tunnel",
    778: "tunnel",
}
"""The ARPHRD numbers in /sys/class/net/*/type; 512 is PPP."""


@dataclass(slots=True, kw_only=True)
class Link:
    """What one source says of one interface."""

    name: str
    hardware: int | None = None
    kind: str | None = None
    address: str | None = None
    operstate: str | None = None
    flags: int | None = None
    mtu: int | None = None
    speed: int | None = None
    duplex: str | None = None
    master: str | None = None
    parent: str | None = None
    vlan: int | None = None
    addresses: list[Address] = field(default_factory=list)

    @property
    def active(self) -> bool | None:
        """Up, or switched on where the kernel cannot tell more; None where the source says neither."""
        if self.operstate in (None, "unknown"):
            return None if self.flags is None else bool(self.flags & UP)
        return self.operstate == "up"


def links_in_ip_json(text: str | None) -> dict[str, Link]:
    """The interfaces in `ip -j -d addr`, by name; none where it is no JSON."""
    links = {}
    for node in items(parsed(text)):
        if (name := words(dig(node, "ifname"))) is None:
            continue
        flags = items(dig(node, "flags"))
        address = words(dig(node, "address"))
        addresses = [
            read_address(
                words(dig(entry, "local")) or "",
                integer(dig(entry, "prefixlen")),
                scope=words(dig(entry, "scope")),
                dynamic=dig(entry, "dynamic") is True,
                temporary=dig(entry, "temporary") is True,
            )
            for entry in items(dig(node, "addr_info"))
        ]
        links[name] = Link(
            name=name,
            hardware=772 if dig(node, "link_type") == "loopback" else 1 if dig(node, "link_type") == "ether" else None,
            kind=words(dig(node, "linkinfo", "info_kind")),
            address=address,
            operstate=(words(dig(node, "operstate")) or "").lower() or None,
            flags=(UP if "UP" in flags else 0) | (LOOPBACK if "LOOPBACK" in flags else 0),
            mtu=integer(dig(node, "mtu")),
            master=words(dig(node, "master")),
            parent=words(dig(node, "link")),
            vlan=integer(dig(node, "linkinfo", "info_data", "id"))
            if dig(node, "linkinfo", "info_kind") == "vlan"
            else None,
            addresses=[address for address in addresses if address],
        )
    return links


def links_in_ip_text(text: str) -> dict[str, Link]:
    """The interfaces in `ip addr`, by name."""
    links: dict[str, Link] = {}
    link = None
    for line in text.splitlines():
        if head := re.match(r"\d+: ([^\s:@]+)(?:@(\S+))?: <([^>]*)>(.*)", line):
            details = dict(re.findall(r"(mtu|state|master) (\S+)", head[4]))
            flags = head[3].split(",")
            link = links[head[1]] = Link(
                name=head[1],
                operstate=details.get("state", "").lower() or None,
                flags=(UP if "UP" in flags else 0) | (LOOPBACK if "LOOPBACK" in flags else 0),
                mtu=integer(details.get("mtu")),
                master=details.get("master"),
                parent=None if head[2] in (None, "NONE") else head[2],
            )
        elif link is None:
            continue
        elif hardware := re.match(r"\s+link/(\S+)(?: (\S+))?", line):
            link.address = hardware[2]
            link.hardware = {"loopback": 772, "ether": 1, "infiniband": 32, "ppp": 512, "sit": 776}.get(hardware[1])
        elif inet := re.match(r"\s+inet6? (\S+?)(?:/(\d+))?(?: peer \S+)? (.*)", line):
            words_after = inet[3].split()
            address = read_address(
                inet[1],
                inet[2] or (128 if ":" in inet[1] else 32),
                scope=words_after[words_after.index("scope") + 1] if "scope" in words_after[:-1] else None,
                dynamic="dynamic" in words_after,
                temporary="temporary" in words_after,
            )
            if address:
                link.addresses.append(address)
    return links


def links_in_ifconfig(text: str) -> dict[str, Link]:
    """The interfaces in what the new and the old `ifconfig` print, by name."""
    links: dict[str, Link] = {}
    link = None
    for line in text.splitlines():
        if head := IFCONFIG_HEAD.match(line):
            # `eth0:1` is no interface, it is a name for more addresses of one.
            if (of := links.get(head[1].partition(":")[0])) and ":" in head[1]:
                link = of
                continue
            link = links[head[1]] = Link(
                name=head[1],
                flags=int(head[2]) & 0xFFFF if head[2] and len(head[2]) < 10 else None,
                # Running: the card has a link.
                operstate=None if head[3] is None else "up" if "RUNNING" in head[3] else "down",
                mtu=integer(head[4]),
                address=head[6],
                hardware={"Ethernet": 1, "Local": 772}.get(head[5] or ""),
            )
        elif link is None:
            continue
        elif ether := re.match(r"\s+ether (\S+)", line):
            link.address, link.hardware = ether[1], 1
        elif re.match(r"\s+loop\b", line):
            link.hardware = 772
        elif inet := re.match(r"\s+inet (?:addr:)?([\d.]+).*?(?:netmask |Mask:)([\d.]+)", line):
            link.addresses += [address] if (address := read_address(inet[1], inet[2])) else []
        elif inet := re.match(r"\s+inet6 (?:addr: )?([0-9a-fA-F:]+)(?:%\S+)?(?:/(\d+)| +prefixlen (\d+))", line):
            link.addresses += [address] if (address := read_address(inet[1], inet[2] or inet[3])) else []
        elif state := re.match(r"\s+(UP\b.*?) +MTU:(\d+)", line):
            link.flags, link.mtu = UP, integer(state[2])
            link.operstate = "up" if "RUNNING" in state[1] else "down"
    return links


def vlans_in(text: str) -> dict[str, tuple[int, str]]:
    """/proc/net/vlan/config: `eth0.100 | 100 | eth0`."""
    rows = re.findall(r"^(\S+)\s*\|\s*(\d{1,4})\s*\|\s*(\S+)\s*$", text, re.MULTILINE)
    return {name: (int(number), parent) for name, number, parent in rows}


NMCLI_STATES = {"100": "up", "20": "down", "30": "down", "120": "down"}
"""Connected, unavailable, disconnected, failed. What NetworkManager does not manage (10), it says nothing of."""


def links_in_nmcli(text: str) -> dict[str, Link]:
    """The interfaces in `nmcli device show`, by name. The words behind its numbers are in the user's language."""
    links: dict[str, Link] = {}
    for said in devices_in_nmcli(text):
        name, kind = said.get("GENERAL.DEVICE", ""), said.get("GENERAL.TYPE", "")
        if not name:
            continue
        addresses = [
            read_address(*value.partition("/")[::2])
            for key, value in said.items()
            if re.fullmatch(r"IP[46]\.ADDRESS\[\d+\]", key)
        ]
        links[name] = Link(
            name=name,
            hardware={"ethernet": 1, "loopback": 772, "infiniband": 32}.get(kind),
            kind={"wifi": "wlan", "ethernet": None, "loopback": None, "infiniband": None}.get(kind, kind or None),
            address=said.get("GENERAL.HWADDR"),
            operstate=NMCLI_STATES.get(said.get("GENERAL.STATE", "").partition(" ")[0]),
            mtu=integer(said.get("GENERAL.MTU")),
            addresses=[address for address in addresses if address],
        )
    return links


def devices_in_nmcli(text: str) -> list[dict[str, str]]:
    """The blocks of `nmcli device show`, without what is `--`: nothing."""
    devices = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        lines = (line.partition(":") for line in block.splitlines())
        devices.append({key.strip(): value.strip() for key, colon, value in lines if colon and value.strip() != "--"})
    return devices


def links_in_lshw(text: str) -> dict[str, Link]:
    """The network cards in `lshw -json`, by name."""
    links = {}
    for node in nodes_in_lshw(text, "network"):
        for name in logical_names(node)[:1]:
            wireless = words(dig(node, "configuration", "wireless")) is not None
            links[name] = Link(
                name=name,
                hardware=None if wireless else 1,
                kind="wlan" if wireless else None,
                address=words(node.get("serial")),
                operstate={"yes": "up", "no": "down"}.get(words(dig(node, "configuration", "link")) or ""),
            )
    return links


COUNTERS_IN_DEV = {"rx_bytes": 0, "rx_errors": 2, "tx_bytes": 8, "tx_errors": 10}
"""The columns of /proc/net/dev."""


def counters_in_dev(text: str) -> dict[str, dict[str, int]]:
    """The counters of /proc/net/dev, by interface."""
    counters: dict[str, dict[str, int]] = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        numbers = [integer(column) for column in rest.split()]
        if colon and len(numbers) == 16 and None not in numbers:
            counters[name.strip()] = {key: numbers[place] or 0 for key, place in COUNTERS_IN_DEV.items()}
    return counters
