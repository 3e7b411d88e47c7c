"""Which of a Mac's interfaces leads into its Tailscale network."""

from collections.abc import Mapping
from ipaddress import IPv6Network, ip_address

from aya.collect.macos._ifconfig import Link
from aya.model import Json

PREFIX = IPv6Network("fd7a:115c:a1e0::/48")
"""Tailscale's own. Its IPv4 range, 100.64.0.0/10, is that of other VPNs too."""


def tailnet(
    told: Json, links: Mapping[str, Link], connections: list[dict[str, Json]]
) -> tuple[dict[str, Json] | None, str | None]:
    """This machine in its Tailscale network, and the interface that leads there; None where there is none.

    `told` is what Tailscale says itself, None where it could not be asked. Then its prefix tells, or that it is the only
    connection in the system's list that is up.
    """
    addresses = set(told["addresses"]) if told else set()
    connected = [one for one in connections if one["status"] == "connected" and one["kind"] in ("VPN", "IPSec")]
    alone = len(connected) == 1 and "tailscale" in f"{connected[0]['provider']}{connected[0]['name']}".lower()
    for link in links.values():
        own = [one.address for one in link.addresses if one.scope != "link"]
        if not link.name.startswith(("utun", "tun")) or not own:
            continue
        prefixed = any(":" in one and ip_address(one) in PREFIX for one in own)
        if prefixed or addresses & set(own) or (alone and told is None):
            unknown = dict.fromkeys(("version", "state", "dns_name", "tailnet", "exit_node"))
            return told or unknown | {"addresses": own}, link.name
    return told, None
