"""Addresses of interfaces, as the kernel and the C library list them."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from aya.collect.json_values import dig, items, parsed, words
from aya.model import Json

TEMPORARY, PERMANENT = 0x01, 0x80

SCOPES = ("global", "site", "link", "host")
SCOPE_NUMBERS = {0x00: "global", 0x10: "host", 0x20: "link", 0x40: "site"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address of one interface."""

    address: str
    prefix: int | None
    scope: str | None
    dynamic: bool | None = None
    temporary: bool = False

    @property
    def family(self) -> str:
        """`ipv4` or `ipv6`."""
        return "ipv6" if ":" in self.address else "ipv4"

    def as_json(self) -> dict[str, Json]:
        """The entry in `metadata.addresses`."""
        return {
            "address": self.address,
            "prefix": self.prefix,
            "family": self.family,
            "scope": self.scope,
            "dynamic": self.dynamic,
        }


def read_address(text: str, prefix: int | str | None, **details: str | bool | None) -> Address | None:
    """An address if it is one; the zone (`%eth0`) is dropped, the prefix may be a netmask."""
    try:
        plain = ipaddress.ip_interface(f"{text.partition('%')[0]}/{prefix}" if prefix else text.partition("%")[0])
    except ValueError:
        return None
    scope = details.get("scope")
    return Address(
        address=str(plain.ip),
        prefix=plain.network.prefixlen if prefix else None,
        scope=scope if scope in SCOPES else _scope(plain.ip),
        dynamic=details["dynamic"] if isinstance(details.get("dynamic"), bool) else None,  # type: ignore[arg-type]
        temporary=bool(details.get("temporary")),
    )


def _scope(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if address.is_loopback:
        return "host"
    return "link" if address.is_link_local else "global"


def first_address(addresses: Iterable[Address], family: str) -> Address | None:
    """The address that stands for the interface: the first of the widest scope, as the kernel orders them."""
    of_family = [address for address in addresses if address.family == family and not address.temporary]
    return min(of_family, key=lambda address: SCOPES.index(address.scope or "global"), default=None)


def netmask_of(address: Address | None) -> str | None:
    """The netmask of an IPv4 address, `255.255.255.0`."""
    if address is None or address.prefix is None:
        return None
    return str(ipaddress.ip_network(f"0.0.0.0/{address.prefix}").netmask)


def addresses_from_getifaddrs(text: str | None) -> dict[str, list[Address]]:
    """What the C library lists, by interface."""
    found: dict[str, list[Address]] = {}
    answer = parsed(text)
    for name, entries in answer.items() if isinstance(answer, dict) else ():
        found[name] = []
        for entry in items(entries):
            mask = words(dig(entry, "netmask"))
            if mask is not None and ":" in mask:
                try:
                    mask = str(int(ipaddress.IPv6Address(mask)).bit_count())
                except ValueError:
                    mask = None
            address = read_address(words(dig(entry, "address")) or "", mask)
            if address is not None:
                found[name].append(address)
    return found


def addresses_from_if_inet6(text: str) -> dict[str, list[Address]]:
    """/proc/net/if_inet6: address, index, prefix, scope, flags (all hexadecimal), interface."""
    found: dict[str, list[Address]] = {}
    for line in text.splitlines():
        columns = line.split()
        try:
            address, _, prefix, scope, flags, name = columns
            numbers = [int(number, 16) for number in (prefix, scope, flags)]
            plain = str(ipaddress.IPv6Address(int(address, 16)))
        except ValueError:
            continue
        found.setdefault(name, []).append(
            Address(
                address=plain,
                prefix=numbers[0],
                scope=SCOPE_NUMBERS.get(numbers[1] & 0xF0, "global"),
                dynamic=not numbers[2] & PERMANENT,
                temporary=bool(numbers[2] & TEMPORARY and not numbers[2] & PERMANENT),
            )
        )
    return found


def merged_addresses(*sources: list[Address]) -> list[Address]:
    """Each address once, in the order of the first source; what a later source knows in addition is added."""
    merged: dict[str, Address] = {}
    for address in (address for source in sources for address in source):
        known = merged.setdefault(address.address, address)
        merged[address.address] = replace(
            known,
            prefix=address.prefix if known.prefix is None else known.prefix,
            dynamic=address.dynamic if known.dynamic is None else known.dynamic,
            temporary=known.temporary or address.temporary,
        )
    return list(merged.values())


def mac_address(text: str | None) -> str | None:
    """A MAC address of six bytes in lower case; None for anything else, and for one of only zeros."""
    if text is None or not re.fullmatch(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", text) or set(text) <= set("0:"):
        return None
    return text.lower()
