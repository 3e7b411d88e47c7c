"""Network interfaces of a Mac, the ports they belong to, routes, name servers, Tailscale and other VPNs.

Interfaces are those of `ifconfig`. Where only the report of `system_profiler` is there, they are the services in it.
The speed is that of the medium in use (`1000baseT`), as long as it is connected; Wi-Fi negotiates anew all the time and
has none here. What a port supports is asked of `networksetup`. The primary interface carries the default route.

Apple's own interfaces are told from those of people: `awdl0`, `llw0`, `ap1` and `anpi0` are `virtual`, and a `utun` that
has no address but a link-local one is a `tunnel` of the system, not a `vpn`. Tailscale shares its range 100.64.0.0/10
with other VPNs: it is named only where its own IPv6 prefix, its service or the system's list of connections says so.
"""

import re
from collections.abc import Iterable
from decimal import Decimal

from aya.collect.addresses import first_address, mac_address, merged_addresses, netmask_of
from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.macos._hardware_ports import (
    Card,
    Port,
    cards_in_profile,
    merged_ports,
    plain_address,
    ports_in_networksetup,
    ports_in_profile,
    services_in_networksetup,
)
from aya.collect.macos._ifconfig import Link, links_in_ifconfig
from aya.collect.macos._interface_types import interface_type
from aya.collect.macos._resolvers import (
    connections_in_scutil,
    dns_of,
    primary_in_scutil,
)
from aya.collect.macos._routing import MacRoute, counters_in_netstat, default_in_route, default_of, routes_in_netstat
from aya.collect.macos._sysctl import question as sysctl
from aya.collect.macos._sysctl import variables
from aya.collect.macos._system_profiler import alternatives, not_understood, question, section
from aya.collect.macos._tailnet import tailnet
from aya.collect.media import medium_name, speed_of_medium
from aya.collect.tailscale import tailscale
from aya.host.reading import Command, File, Found, Read
from aya.model import Facts, Gap, Interface, Measurement, Outcome

IFCONFIG, IFCONFIG_PLAIN = "ifconfig -a", "ifconfig"
PORTS = "networksetup -listallhardwareports"
ORDER = "networksetup -listnetworkserviceorder"
ROUTES, ROUTES6, ROUTES_ALL, ROUTES_NAMED = "netstat -rn -f inet", "netstat -rn -f inet6", "netstat -rn", "netstat -r"
DEFAULT = "route -n get default"
DNS, PRIMARY, CONNECTIONS = "scutil --dns", "scutil --nwi", "scutil --nc list"
COUNTERS = "netstat -ibn"
TAILSCALE = "tailscale status --json"
TAILSCALE_APP = ("/Applications/Tailscale.app/Contents/MacOS/Tailscale", "status", "--json")
RESOLV_CONF = "/etc/resolv.conf"
NETWORK, ETHERNET = "SPNetworkDataType", "SPEthernetDataType"

MOST_PORTS = 16
"""Of how many ports the supported media are asked; each takes a while."""

# --- what was answered -------------------------------------------------------------------------------------------


def _links(found: Found, ports: dict[str, Port]) -> dict[str, Link]:
    """Those of `ifconfig`; without it the services that have a device, connected where they have an address."""
    links = links_in_ifconfig(asked(found, IFCONFIG)) or links_in_ifconfig(asked(found, IFCONFIG_PLAIN))
    if links:
        return links
    for port in ports.values():
        links[port.device] = Link(
            name=port.device,
            flags=frozenset({"UP", "RUNNING"}) if port.addresses or port.medium else frozenset(),
            address=port.mac,
            medium=port.medium,
            options=frozenset({f"{port.duplex}-duplex"} if port.duplex else ()),
        )
    return links


def _ports(found: Found) -> dict[str, Port]:
    return merged_ports(
        ports_in_networksetup(asked(found, PORTS)),
        services_in_networksetup(asked(found, ORDER)),
        ports_in_profile(section(found, NETWORK)),
    )


def _routes(found: Found) -> list[MacRoute]:
    both = [*routes_in_netstat(asked(found, ROUTES)), *routes_in_netstat(asked(found, ROUTES6))]
    return both or routes_in_netstat(asked(found, ROUTES_ALL)) or routes_in_netstat(asked(found, ROUTES_NAMED))


def _primary(found: Found, routes: list[MacRoute], ports: dict[str, Port]) -> str | None:
    """The interface of the default route, of the first source that knows it."""
    by_route = default_in_route(asked(found, DEFAULT)) or default_of(routes, 4)
    if by_route is not None:
        return by_route.interface
    if (told := primary_in_scutil(asked(found, PRIMARY))) is not None:
        return told
    if (by_route := default_of(routes, 6)) is not None:
        return by_route.interface
    with_router = sorted((port for port in ports.values() if port.router), key=lambda port: port.order or 0)
    return with_router[0].device if with_router else None


# --- the whole --------------------------------------------------------------------------------------------------------


def more(found: Found) -> tuple[Read, ...]:
    """Other forms where the first gave nothing, the media and the lease of each port that has them."""
    reads: list[Read] = [*alternatives(found, NETWORK), *alternatives(found, ETHERNET)]
    links = links_in_ifconfig(asked(found, IFCONFIG))
    if not links:
        reads.append(Command((IFCONFIG_PLAIN,), optional=True))
    if not [*routes_in_netstat(asked(found, ROUTES)), *routes_in_netstat(asked(found, ROUTES6))]:
        reads += [Command(tuple(command.split()), optional=True) for command in (ROUTES_ALL, ROUTES_NAMED)]
    if tailscale(asked(found, TAILSCALE)) is None:
        reads.append(Command(TAILSCALE_APP, timeout_s=5, optional=True))
    if not asked(found, DNS).strip():
        reads.append(File(RESOLV_CONF, optional=True))
    ports = _ports(found)
    ethernet = [link for link in links.values() if interface_type(link, ports.get(link.name), set()) == "ethernet"]
    reads += [_media(link.name) for link in ethernet[:MOST_PORTS]]
    reads += [
        Command(("ipconfig", "getpacket", link.name), optional=True)
        for link in links.values()
        if link.active and link.name.startswith("en") and first_address(link.addresses, "ipv4")
    ]
    return tuple(reads)


def _media(name: str) -> Command:
    return Command(("networksetup", "-listvalidmedia", name), timeout_s=5, optional=True)


def parse(found: Found) -> Facts:
    """Every interface, and what the machine knows of its network; see the module's description."""
    ports, routes, cards = _ports(found), _routes(found), cards_in_profile(section(found, ETHERNET))
    links = _links(found, ports)
    connections = connections_in_scutil(asked(found, CONNECTIONS))
    primary = _primary(found, routes, ports)
    bridges = {member: link.name for link in links.values() for member in link.members}
    told = tailscale(asked(found, TAILSCALE)) or tailscale(asked(found, " ".join(TAILSCALE_APP)))
    network_of_tailscale, tailscale_interface = tailnet(told, links, connections)
    default = default_in_route(asked(found, DEFAULT)) or default_of(routes, 4)
    default6 = default_of(routes, 6)
    interfaces = []
    for name, link in sorted(links.items()):
        port = ports.get(name)
        kind = interface_type(link, port, set(bridges))
        interfaces.append(
            _interface(
                found,
                link,
                port,
                cards.get(name),
                routes,
                kind,
                bridges.get(name),
                name == primary and kind != "virtual",
                default,
            )
        )
        if name == tailscale_interface:
            interfaces[-1].metadata["vpn"] = "Tailscale"
    host_name = variables(found, "kern").get("kern.hostname")
    return Facts(
        interfaces=tuple(interfaces),
        metadata={
            "network": {
                "hostname": host_name or None,
                "default_gateway": default.gateway if default else _router(ports, primary),
                "default_gateway_ipv6": default6.gateway if default6 else None,
                "dns": dns_of(asked(found, DNS), asked(found, RESOLV_CONF), ports.get(primary or "")),
                "routes": [
                    {
                        "destination": route.destination,
                        "gateway": route.gateway,
                        "interface": route.interface,
                        "scoped": route.scoped,
                    }
                    for route in sorted(
                        set(routes), key=lambda r: (":" in r.destination, r.destination, r.scoped, r.interface)
                    )
                ],
                "tailscale": network_of_tailscale,
                "connections": connections,
            }
        },
        measurements=tuple(_measurements(found, interfaces)),
        gaps=tuple(_gaps(found, links)),
    )


def _router(ports: dict[str, Port], primary: str | None) -> str | None:
    port = ports.get(primary or "")
    return port.router if port else None


def _gaps(found: Found, links: dict[str, Link]) -> Iterable[Gap]:
    report = section(found, NETWORK)
    profile = report is not None and (bool(ports_in_profile(report)) or not report.items)
    if report is not None and not profile:
        yield not_understood(NETWORK)
    for what, commands, known in (
        ("interfaces", (IFCONFIG, IFCONFIG_PLAIN), bool(links)),
        ("default route", (DEFAULT, ROUTES, ROUTES_ALL, ROUTES_NAMED, PRIMARY), profile),
        ("name servers", (DNS, RESOLV_CONF), profile),
    ):
        answers = [found.answers()[command] for command in commands if command in found.answers()]
        if known or (what != "interfaces" and any(answer.outcome is Outcome.OK for answer in answers)):
            continue
        refused = next((answer for answer in answers if answer.outcome is not Outcome.ABSENT), None)
        if refused is None:
            yield Gap(Outcome.UNSUPPORTED, f"{what}: there is no {commands[0].split()[0]}")
        else:
            outcome = Outcome.UNREADABLE if refused.outcome is Outcome.OK else refused.outcome
            yield Gap(outcome, f"{what}: {refused.reason or f'{commands[0]} names none'}")


def _interface(
    found: Found,
    link: Link,
    port: Port | None,
    card: Card | None,
    routes: list[MacRoute],
    kind: str | None,
    bridge: str | None,
    primary: bool,
    default: MacRoute | None,
) -> Interface:
    lease = _lease(asked(found, f"ipconfig getpacket {link.name}"))
    addresses = merged_addresses(link.addresses, port.addresses if port else [])
    v4, v6 = first_address(addresses, "ipv4"), first_address(addresses, "ipv6")
    route = default if default and default.interface == link.name else default_of(routes, 4, link.name)
    gateway = route.gateway if route else None
    mac = mac_address(link.address) or mac_address(port.mac if port else None)
    medium = (link.medium or (port.medium if port else None)) if link.active else None
    configuration = port.configuration if port else None
    dynamic = {"DHCP": True, "BootP": True, "Manual": False}.get(configuration or "", True if lease else None)
    media = [*asked(found, f"networksetup -listvalidmedia {link.name}").splitlines(), *link.supported]
    return Interface(
        interface_name=link.name,
        interface_type=kind,
        mac_address=mac,
        ipv4_address=v4.address if v4 else None,
        ipv4_netmask=netmask_of(v4),
        ipv4_gateway=gateway or (port.router if port and v4 else None),
        ipv6_address=v6.address if v6 else None,
        ipv6_prefix=v6.prefix if v6 else None,
        connection_speed_mbps=speed_of_medium(medium),
        connection_type=medium_name(medium),
        is_primary=primary,
        is_active=link.active,
        metadata={
            "addresses": [
                address.as_json() | ({"dynamic": dynamic} if address is v4 and address.dynamic is None else {})
                for address in sorted(addresses, key=lambda a: (a.family, a.address))
                if not address.temporary
            ],
            "privacy_addresses": any(address.temporary for address in addresses),
            "hardware_address": link.address if mac is None and link.address and link.address.count(":") > 5 else None,
            "mtu": link.mtu,
            "duplex": link.duplex if link.active else None,
            "flow_control": "flow-control" in link.options if link.active and medium else None,
            "medium": medium,
            "selected_medium": link.selected,
            "supported_speeds_mbps": sorted({speed for one in media if (speed := speed_of_medium(one))}) or None,
            "max_speed_mbps": card.max_speed_mbps if card else None,
            "driver": card.driver if card else None,
            "bus": card.bus if card else None,
            "hardware_port": port.name if port else None,
            "service": port.service if port else None,
            "service_order": port.order if port else None,
            "service_enabled": port.enabled if port else None,
            "configuration": configuration,
            "dhcp_server": lease.get("server_identifier") or (port.dhcp_server if port else None),
            "master": bridge,
            "members": sorted(link.members),
            "parent": link.parent,
            "vlan_id": link.vlan,
            "ipv6_gateway": route6.gateway if (route6 := default_of(routes, 6, link.name)) else None,
        },
    )


def _lease(text: str) -> dict[str, str]:
    """The addresses in the answer of a DHCP server, as `ipconfig getpacket` prints it."""
    told = re.findall(r"^(\w+) \(ip(?:_mult)?\): \{?([^\s,}]+)", text, re.MULTILINE)
    return {name: address for name, value in told if (address := plain_address(value))}


def _measurements(found: Found, interfaces: list[Interface]) -> Iterable[Measurement]:
    counters = counters_in_netstat(asked(found, COUNTERS))
    for interface in interfaces:
        if not interface.is_active or interface.interface_type == "loopback":
            continue
        for name, value in counters.get(interface.interface_name, {}).items():
            yield Measurement(
                category="network",
                name=name,
                value=Decimal(value),
                unit="bytes" if name.endswith("bytes") else "count",
                conditions={"interface": interface.interface_name},
            )


collector = Collector(
    reads=(
        *(
            Command(tuple(command.split()), optional=True)
            for command in (IFCONFIG, PORTS, ORDER, ROUTES, ROUTES6, DEFAULT, DNS, PRIMARY, CONNECTIONS, COUNTERS)
        ),
        Command(tuple(TAILSCALE.split()), timeout_s=5, optional=True),
        question(NETWORK),
        question(ETHERNET),
        sysctl("kern"),
    ),
    more=more,
    parse=parse,
    sections=("interfaces",),
    metadata={
        "network.hostname": "the kernel's host name",
        "network.default_gateway": "IPv4 address of the gateway of the default route; null where there is none",
        "network.default_gateway_ipv6": "the same for IPv6",
        "network.dns.servers": "addresses of the name servers that are asked for every name, in their order",
        "network.dns.search": "domains that are tried with a short name",
        "network.dns.supplemental[].domains": "domains whose names these servers are asked for; empty where not told",
        "network.dns.supplemental[].servers": "addresses of those name servers",
        "network.dns.supplemental[].interface": "interface they are reached through",
        "network.routes[].destination": "network of the route, `0.0.0.0/0` for the default route; none of `fe80::/10`",
        "network.routes[].gateway": "address it goes through; null where the network is attached directly",
        "network.routes[].interface": "interface it goes out of",
        "network.routes[].scoped": "whether it counts only for what is bound to its interface",
        "network.tailscale": "this machine in its Tailscale network; null where there is none",
        "network.tailscale.version": "version of the Tailscale service",
        "network.tailscale.state": "what the service says: `Running`, `Stopped`, `NeedsLogin`",
        "network.tailscale.dns_name": "name of the machine in that network",
        "network.tailscale.tailnet": "domain of that network",
        "network.tailscale.addresses": "addresses of the machine in that network",
        "network.tailscale.exit_node": "whether it is in use as an exit node",
        "network.connections[].name": "VPN or dial-up connection that the system knows",
        "network.connections[].kind": "`VPN`, `IPSec`, `PPP`",
        "network.connections[].provider": "bundle of the program that provides it",
        "network.connections[].status": "`connected`, `disconnected`, `connecting`",
        "network.connections[].enabled": "whether it is enabled",
        "interfaces:addresses[].address": "address without prefix; temporary IPv6 addresses are left out",
        "interfaces:addresses[].prefix": "length of the network prefix in bits",
        "interfaces:addresses[].family": "`ipv4` or `ipv6`",
        "interfaces:addresses[].scope": "how far it is valid: `global`, `site`, `link`, `host`",
        "interfaces:addresses[].dynamic": "whether it was given for a time (DHCP, router); null where not known",
        "interfaces:privacy_addresses": "whether there are temporary IPv6 addresses (RFC 4941) as well",
        "interfaces:hardware_address": "hardware address that is no MAC address of six bytes (FireWire)",
        "interfaces:mtu": "largest packet in bytes",
        "interfaces:duplex": "`full` or `half`",
        "interfaces:flow_control": "whether the two ends of the cable agreed on flow control",
        "interfaces:medium": "the medium in use as the system writes it: `1000baseT`, `2500Base-T`",
        "interfaces:selected_medium": "`autoselect`, or the medium that was set by hand",
        "interfaces:supported_speeds_mbps": "speeds the port can do, Mbit/s",
        "interfaces:max_speed_mbps": "highest speed of the card, Mbit/s",
        "interfaces:driver": "driver of the card: `AppleIntel8254XEthernet.kext`",
        "interfaces:bus": "bus the card is on: `pci`, `usb`",
        "interfaces:hardware_port": "what the system calls the port: `Ethernet`, `Wi-Fi`, `Thunderbolt 1`",
        "interfaces:service": "the first network service on it",
        "interfaces:service_order": "place of that service in the order they are tried, from 0",
        "interfaces:service_enabled": "whether that service is enabled",
        "interfaces:configuration": "how IPv4 is configured: `DHCP`, `Manual`, `BootP`",
        "interfaces:dhcp_server": "address of the DHCP server that gave the address",
        "interfaces:master": "bridge or bond it is part of",
        "interfaces:members": "interfaces that are part of this bridge",
        "interfaces:parent": "interface it is built on (VLAN)",
        "interfaces:vlan_id": "number of the VLAN, 1 to 4094",
        "interfaces:ipv6_gateway": "gateway of the IPv6 default route through it",
        "interfaces:vpn": "product whose VPN it leads into, where that is known: `Tailscale`",
    },
    measures={
        "network.rx_bytes": "bytes: received since the interface appeared",
        "network.tx_bytes": "bytes: sent since the interface appeared",
        "network.rx_errors": "count: packets received with errors since the interface appeared",
        "network.tx_errors": "count: packets that could not be sent since the interface appeared",
    },
)
