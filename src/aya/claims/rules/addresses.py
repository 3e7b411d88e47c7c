"""Addresses fit: a gateway lies in the network of its interface, Tailscale's in their range, and each is of one node."""

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from aya.claims.outline import Item
from aya.claims.rule import Case, Opinion, Rule
from aya.claims.scope import mentioned
from aya.claims.statement import Stated

_TAILSCALE = ip_network("100.64.0.0/10")
_SHARED = re.compile(
    r"(?i)^(?:docker|br|virbr|veth|lxc|cni|flannel|vmnet|vboxnet)\w*\d|bridge|virtual ip|\bvip\b|floating|shared|anycast|nat\b"
)
_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")


def _judge(case: Case) -> Iterator[Opinion]:
    owners: dict[str, list[Stated]] = {}
    for one in case.stated:
        if one.node and one.subject.endswith(" ipv4_address"):
            owners.setdefault(str(one.value), []).append(one)
    for node in case.page.nodes:
        names = {
            one.subject.split()[0] for one in case.stated if one.node == node and one.subject.endswith(" ipv4_address")
        }
        for name in sorted(names):
            yield from _gateway(case, node, name)
            yield from _tailscale(case, node, name)
    for address, all_those in owners.items():
        those = [one for one in all_those if not _SHARED.search(f"{one.subject} {one.item.near} {one.item.text}")]
        nodes = {one.node for one in those}
        if len(nodes) > 1 and not ip_address(address).is_loopback and not ip_address(address).is_link_local:
            for one in those:
                other = next(two for two in those if two.node != one.node)
                yield Opinion(one.item, False, f"{other.node} has {address} too, on line {other.item.line}.")
    for item in case.page.outline.items:
        yield from _peer(case, item, owners)


def _gateway(case: Case, node: str, name: str) -> Iterator[Opinion]:
    address, mask, gateway = (case.first(node, f"{name} ipv4_{what}") for what in ("address", "netmask", "gateway"))
    if not (address and mask and gateway) or len({one.value for one in case.of(node, f"{name} ipv4_address")}) > 1:
        return
    try:
        network = ip_network(f"{address.value}/{mask.value}", strict=False)
    except ValueError:
        yield Opinion(mask.item, False, f"{mask.value} is no mask of a network.")
        return
    if network.prefixlen >= 31:  # such networks have their gateway outside
        return
    inside = ip_address(str(gateway.value)) in network
    yield Opinion(
        gateway.item,
        inside,
        f"{gateway.value} {'lies' if inside else 'does not lie'} in {network}, the network of line {address.item.line}.",
    )


def _tailscale(case: Case, node: str, name: str) -> Iterator[Opinion]:
    for one in case.of(node, f"{name} ipv4_address"):
        if re.search(r"(?i)tailscale", f"{one.item.key} {one.item.label}"):
            inside = ip_address(str(one.value)) in _TAILSCALE
            yield Opinion(
                one.item,
                inside,
                f"Tailscale gives addresses of {_TAILSCALE}; {one.value} is {'one' if inside else 'none'}.",
            )


def _peer(case: Case, item: Item, owners: dict[str, list[Stated]]) -> Iterator[Opinion]:
    """`Primary Server: ALPHA (100.106.113.76:5432)`."""
    own = case.page.node_of.get(item.number)
    named = [name for name in mentioned(item.value, case.page.nodes) if name != own]
    address = _ADDRESS.search(item.value)
    if len(named) != 1 or address is None:
        return
    holders = {one.node: one for one in owners.get(address[0], ())}
    if named[0] in holders:
        one = holders[named[0]]
        yield Opinion(item, True, f"{named[0]} has {address[0]}, by line {one.item.line}.")
    elif holders:
        other = next(iter(holders.values()))
        yield Opinion(item, False, f"{address[0]} is of {other.node}, by line {other.item.line}.")


rule = Rule(_judge)
