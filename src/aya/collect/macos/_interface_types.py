"""What kind of interface each is, by its name, by the port it belongs to, and by the medium it uses."""

import re

from aya.collect.macos._hardware_ports import Port
from aya.collect.macos._ifconfig import Link
from aya.collect.media import speed_of_medium

TYPES_BY_NAME = (
    (r"lo\d+", "loopback"),
    (r"(awdl|llw|ap|anpi|p2p|XHC|VHC|pktap|feth|vmnet|vnic|vmenet|bnep)\d+", "virtual"),
    (r"bridge\d+", "bridge"),
    (r"bond\d+", "bond"),
    (r"vlan\d+", "vlan"),
    (r"(gif|stf)\d+", "tunnel"),
    (r"(ppp|ipsec|tun|tap|wg)\d+", "vpn"),
    (r"pdp_ip\d+", "cellular"),
    (r"fw\d+", "firewire"),
)
TYPES_BY_PORT = (
    (r"wi-?fi|airport|wlan", "wifi"),
    (r"thunderbolt bridge", "bridge"),
    (r"thunderbolt( \d+)?", "thunderbolt"),
    (r"bluetooth.*", "bluetooth"),
    (r"firewire", "firewire"),
    (r".*iphone.*|.*ipad.*", "cellular"),
    (r".*modem", "modem"),
    (r"(parallels|vmware|virtualbox).*", "virtual"),
    (r".*(ethernet|lan\b|gigabit|10/100).*", "ethernet"),
)


def interface_type(link: Link, port: Port | None, bridged: set[str]) -> str | None:
    """`ethernet`, `wifi`, `vpn`, ...; None where nothing tells. `bridged` are the interfaces that take part in a bridge."""
    by_name = next((kind for pattern, kind in TYPES_BY_NAME if re.fullmatch(pattern, link.name)), None)
    if link.vlan is not None:
        return "vlan"
    if by_name is not None:
        return by_name
    if link.name.startswith("utun"):
        wide = [one for one in link.addresses if one.scope != "link"]
        return "vpn" if wide else "tunnel"
    for told in (port.name, port.service, port.kind) if port else ():
        for pattern, kind in TYPES_BY_PORT:
            if told is not None and re.fullmatch(pattern, told, re.IGNORECASE):
                return kind
    if speed_of_medium(link.medium) is not None:
        return "ethernet"
    # Without a name for its port, an `en` that takes part in a bridge and listens to everything is a Thunderbolt port.
    return "thunderbolt" if link.name in bridged and "PROMISC" in link.flags else None
