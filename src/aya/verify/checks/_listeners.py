"""Where to ask for what a service listens on: on this machine, or on another one through the network."""

from ipaddress import ip_address
from typing import Any

from aya.host.port import loopback_of_wildcard
from aya.verify.check import Finding, Subject, failed, skipped

RECORDED = (
    "SELECT service_name, service_type, process_id, started_at, coalesce(metadata ->> 'program', '') AS program, "
    "coalesce(metadata -> 'listeners', '[]') AS listeners FROM services "
    "WHERE node_id = %(node)s AND is_present AND status = 'running' ORDER BY 1"
)
ADDRESSES = (
    "SELECT host(unnest(ARRAY[ipv4_address, ipv6_address])) AS address, is_primary FROM network_interfaces "
    "WHERE node_id = %(node)s AND is_present AND is_active ORDER BY is_primary DESC, 1"
)


def tcp_listeners(service: dict[str, Any]) -> list[dict[str, Any]]:
    """The TCP ports of a recorded service."""
    return [item for item in service["listeners"] if str(item.get("protocol", "")).startswith("tcp")]


def place_to_ask(subject: Subject, target: str, address: str) -> str | Finding:
    """The address to connect to; or why there is none."""
    try:
        here = loopback_of_wildcard(address)
        listening = ip_address(address.split("%")[0])
    except ValueError:
        return failed(target, f"{address!r} is not an address")
    if subject.is_here:
        return here
    if listening.is_loopback:
        return skipped(target, f"it listens on {subject.node_name}'s own loopback only")
    if not listening.is_unspecified:
        return address
    for row in subject.recorded(ADDRESSES):
        if row["address"] and not (known := ip_address(row["address"])).is_loopback and not known.is_link_local:
            return str(known)
    return skipped(target, f"no address of {subject.node_name} is recorded")
