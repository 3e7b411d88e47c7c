"""Network interfaces as the `ifconfig` of a Mac prints them."""

import ipaddress
import re
from dataclasses import dataclass, field
from itertools import pairwise

from aya.collect.addresses import Address, read_address
from aya.collect.media import speed_of_medium

HEAD = re.compile(r"(?P<name>[^\s:]+): flags=[0-9a-f]+<(?P<flags>[^>]*)>(?:.*?\bmtu (?P<mtu>\d{1,7}))?")


@dataclass(slots=True, kw_only=True)
class Link:
    """What `ifconfig` says of one interface."""

    name: str
    flags: frozenset[str] = frozenset()
    mtu: int | None = None
    address: str | None = None
    status: str | None = None
    selected: str | None = None
    """The medium that was chosen: `autoselect`, or one set by hand."""
    medium: str | None = None
    """The medium in use: `1000baseT <full-duplex,flow-control>`; None where none is."""
    options: frozenset[str] = frozenset()
    """Options of the medium: `full-duplex`."""
    supported: list[str] = field(default_factory=list)
    """Media it can use (`ifconfig -m`)."""
    members: list[str] = field(default_factory=list)
    parent: str | None = None
    vlan: int | None = None
    addresses: list[Address] = field(default_factory=list)

    @property
    def active(self) -> bool:
        """Whether it is connected, or running where it has no cable that could be pulled."""
        if "UP" not in self.flags:
            return False
        return self.status == "active" if self.status is not None else "RUNNING" in self.flags

    @property
    def duplex(self) -> str | None:
        """`full` or `half`."""
        return next((word for word in ("full", "half") if f"{word}-duplex" in self.options), None)


def links_in_ifconfig(text: str) -> dict[str, Link]:
    """The interfaces by name; none where it is something else. Lines that are not known say nothing."""
    links: dict[str, Link] = {}
    link: Link | None = None
    supported = False
    for line in text.removeprefix("\ufeff").splitlines():
        if head := HEAD.match(line):
            flags = frozenset(head["flags"].split(","))
            link = Link(name=head["name"], flags=flags, mtu=int(head["mtu"]) if head["mtu"] else None)
            links[link.name], supported = link, False
        elif link is not None:
            words = line.split()
            if words[:2] == ["supported", "media:"]:
                supported = True
            elif supported and words[:1] == ["media"]:
                link.supported.append(" ".join(words[1:]))
            elif words:
                supported = False
                _understand(link, words)
    return links


def _understand(link: Link, words: list[str]) -> None:
    """What one line below the head of an interface says."""
    rest = " ".join(words[1:])
    match words[0]:
        case "ether" | "lladdr" if len(words) > 1:
            link.address = words[1]
        case "mtu" if rest.isdecimal() and len(rest) < 8:
            link.mtu = int(rest)  # a long head was broken by whoever kept the text
        case "inet" | "inet6":
            if (address := _address(words)) is not None and address.address != "0.0.0.0":
                link.addresses.append(address)
        case "media:":
            _medium(link, rest)
        case "status:":
            link.status = rest
        case "member:" if len(words) > 1:
            link.members.append(words[1])
        case "bond" if words[1:2] == ["interfaces:"]:
            link.members += words[2:]
        case "vlan:" if len(words) > 1 and words[1].isdecimal() and len(words[1]) < 5:
            link.vlan = int(words[1])
            parent = re.search(r"parent interface: (\S+)", rest)
            link.parent = parent[1] if parent and parent[1] != "<none>" else None


def _medium(link: Link, text: str) -> None:
    """`autoselect (1000baseT <full-duplex>)`, `2500Base-T <full-duplex>`, `autoselect`, `none`."""
    chosen, _, in_use = text.partition(" (")
    selected = chosen.partition(" <")[0].strip()
    link.selected = selected if re.fullmatch(r"[\w.+-]+", selected) and selected != "none" else None
    named = in_use.rstrip(")") if in_use else text
    options = re.search(r"<([^>]*)>\s*$", named)
    link.options = frozenset(options[1].split(",")) if options and options[1] != "unknown type" else frozenset()
    plain = named.partition(" <")[0].strip()
    link.medium = plain if speed_of_medium(plain) is not None else None


def _address(words: list[str]) -> Address | None:
    details = dict(pairwise(words))
    prefix: int | None = None
    if "prefixlen" in details and details["prefixlen"].isdecimal():
        prefix = int(details["prefixlen"][:4])
    elif "netmask" in details:
        prefix = _prefix(details["netmask"])
    return read_address(
        words[1] if len(words) > 1 else "",
        prefix,
        dynamic=True if {"autoconf", "dynamic"} & set(words) else None,
        temporary="temporary" in words,
    )


def _prefix(mask: str) -> int | None:
    """The length of `0xffffff00` or `255.255.255.0`; None for anything else."""
    try:
        plain = int(mask, 16) if mask.startswith("0x") else mask
        return ipaddress.ip_network(f"0.0.0.0/{ipaddress.IPv4Address(plain)}").prefixlen
    except ValueError:
        return None
