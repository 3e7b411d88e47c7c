"""Network interfaces: one row each, the primary one marked, with VPN and virtual ones told apart.

*Active* means up: the kernel says `up`, or cannot tell and the interface is switched on (loopback, tunnels).
*Primary* carries the default route: IPv4 before IPv6, lowest metric first; at most one. The address in the columns is
the first of the widest scope; all are in `metadata.addresses`. Temporary IPv6 addresses (RFC 4941) are left out: they
change by the day without anything having changed; `metadata.privacy_addresses` says that there are such. Remaining
lifetimes are left out for the same reason. The speed is the negotiated one in Mbit/s; a virtual network card has none.

Where nobody kept the kernel's files, interfaces, routes and name servers are those that `ip`, `ifconfig`, `route`,
`netstat`, `nmcli` or `lshw` print.

Name servers, host name and routes of the machine are in its `network` metadata. Where `/etc/resolv.conf` only names the
local stub of systemd-resolved, the servers behind it are given and the stub is named apart.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from aya.collect.addresses import (
    addresses_from_getifaddrs,
    addresses_from_if_inet6,
    first_address,
    mac_address,
    merged_addresses,
    netmask_of,
)
from aya.collect.asked import asked, refused
from aya.collect.collector import Collector
from aya.collect.json_values import integer, parsed
from aya.collect.linux import _hostname
from aya.collect.linux._ethtool import read_ethtool
from aya.collect.linux._hostname import host_name
from aya.collect.linux._links import (
    LOOPBACK,
    TYPES_BY_HARDWARE,
    TYPES_BY_KIND,
    TYPES_BY_NAME,
    Link,
    counters_in_dev,
    devices_in_nmcli,
    links_in_ifconfig,
    links_in_ip_json,
    links_in_ip_text,
    links_in_lshw,
    links_in_nmcli,
    vlans_in,
)
from aya.collect.linux._lshw import LSHW
from aya.collect.linux._routes import (
    routes6_in_proc,
    routes_in_ip,
    routes_in_nmcli,
    routes_in_proc,
    routes_in_table,
)
from aya.collect.media import TWISTED_PAIR
from aya.collect.resolv_conf import name_servers
from aya.collect.route import Route, default_route
from aya.collect.tailscale import tailscale
from aya.host.reading import Call, Command, File, Files, Found, Links, Names, Read
from aya.model import Facts, Gap, Interface, Json, Measurement, Outcome

IP_JSON = "ip -j -d addr"
IP_TEXT = "ip addr"
IFCONFIG = "ifconfig -a"
NMCLI = "nmcli device show"
IP_LINK = ("ip -j -d link", "ip link")
IP_ROUTE = ("ip -j route", "ip route")
IP6_ROUTE = ("ip -6 -j route", "ip -6 route")
TABLES = ("route -n", "netstat -rn", "netstat -rne", "route")
PROC_DEV = "/proc/net/dev"
PORTS = ("", "f0", "f1", "np0", "np1", "f0np0", "f1np1")
"""What follows the place of a card: its function, and its port."""
USUAL = (
    *(f"{kind}{number}" for kind in ("eth", "eno", "em", "ib", "bond") for number in range(8)),
    *(f"ens{slot}{port}" for slot in range(1, 9) for port in PORTS),
    *(f"enp{bus}s0{port}" for bus in range(1, 10) for port in PORTS),
    *("ens18", "ens33", "ens160", "ens192", "ens224", "ens256", "enp0s3", "enp0s8", "enp0s25", "enp0s31f6"),
)
"""Names of network cards, asked of a recording that holds no list of them that is read first."""
TAILSCALE = "tailscale status --json"

STUBS = {"127.0.0.53", "127.0.0.54"}
RESOLVED = "/run/systemd/resolve/resolv.conf"

NO_SPEEDS = {None, 0, 65535, 2**32 - 1}
"""How a virtual card, or one without a link, says that it has no speed (besides -1)."""


# --- links ------------------------------------------------------------------------------------------------------------


def _links_in_sysfs(found: Found) -> dict[str, Link]:
    links = {}
    for path, _ in found.matches("/sys/class/net/*/type"):
        name = path.split("/")[4]
        told = {
            attribute: found.line(f"/sys/class/net/{name}/{attribute}")
            for attribute in ("type", "flags", "operstate", "address", "mtu", "speed", "duplex", "master")
        }
        flags, master = told["flags"], told["master"]
        device_type = re.search(r"^DEVTYPE=(\S+)", found.text(f"/sys/class/net/{name}/uevent") or "", re.MULTILINE)
        links[name] = Link(
            name=name,
            hardware=integer(told["type"]),
            kind=device_type[1] if device_type else None,
            address=told["address"],
            operstate=told["operstate"],
            flags=int(flags, 16) if flags and re.fullmatch(r"0x[0-9a-fA-F]{1,8}", flags) else None,
            mtu=integer(told["mtu"]),
            speed=integer(told["speed"]),
            duplex=told["duplex"],
            master=master.rsplit("/", 1)[-1] if master else None,
        )
        if f"/sys/class/net/{name}/tun_flags" in found.answers():
            links[name].kind = "tun"
    return links


def _links(found: Found) -> dict[str, Link]:
    """Every interface: from the kernel's files, with what `ip` adds; from text where only that is there."""
    by_ip = links_in_ip_json(found.text(IP_JSON))
    links = by_ip | _links_in_sysfs(found)
    if not links:
        return _listed_links(found)
    by_library = addresses_from_getifaddrs(asked(found, "interface-addresses"))
    by_kernel = addresses_from_if_inet6(found.text("/proc/net/if_inet6") or "")
    vlans = vlans_in(found.text("/proc/net/vlan/config") or "")
    for name, link in links.items():
        told = by_ip.get(name) or Link(name=name)
        link.kind = told.kind or link.kind
        link.parent = told.parent or link.parent or vlans.get(name, (None, None))[1]
        link.vlan = told.vlan or vlans.get(name, (None, None))[0]
        link.addresses = merged_addresses(told.addresses, by_library.get(name, []), by_kernel.get(name, []))
    return links


def _listed_links(found: Found) -> dict[str, Link]:
    """Every interface, by the text that says most; the names alone where only routes or cards tell of it."""
    links = links_in_ip_text(asked(found, IP_TEXT)) or links_in_ifconfig(asked(found, IFCONFIG))
    links = links or links_in_nmcli(asked(found, NMCLI))
    links = links or links_in_ip_json(asked(found, IP_LINK[0])) or links_in_ip_text(asked(found, IP_LINK[1]))
    by_lshw = links_in_lshw(asked(found, LSHW))
    links = links or by_lshw
    names = [*counters_in_dev(asked(found, PROC_DEV)), *(name for name in USUAL if asked(found, f"ethtool {name}"))]
    links |= {name: Link(name=name) for name in names if name not in links}
    for name, link in links.items():
        link.operstate = link.operstate or read_ethtool(asked(found, f"ethtool {name}"))["state"]
    for name, link in links.items():
        link.kind = link.kind or (by_lshw[name].kind if name in by_lshw else None)
        link.address = link.address or (by_lshw[name].address if name in by_lshw else None)
    return links


def _interface_type(found: Found, link: Link) -> str:
    by_name = next((kind for pattern, kind in TYPES_BY_NAME if re.fullmatch(pattern, link.name)), None)
    by_hardware = TYPES_BY_HARDWARE.get(link.hardware or 0)
    if by_hardware == "loopback" or (link.flags or 0) & LOOPBACK:
        return "loopback"
    if any(f"/sys/class/net/{link.name}/{folder}" in found.answers() for folder in ("wireless", "phy80211")):
        return "wifi"
    if _has_device(found, link):
        return by_name if by_name in ("wifi", "cellular") else by_hardware or "ethernet"
    if link.kind == "tun":
        # Packets through a tun are a VPN's; frames through a tap are a virtual machine's, unless the name says VPN.
        return "virtual" if by_hardware == "ethernet" and by_name != "vpn" else "vpn"
    if link.kind in TYPES_BY_KIND:
        return TYPES_BY_KIND[link.kind]
    if by_hardware == "infiniband":
        return by_hardware
    if by_name and not (by_name == "ethernet" and _in_virtual_folder(found, link)):
        return by_name
    return by_hardware if by_hardware not in (None, "ethernet") else "virtual"


def _has_device(found: Found, link: Link) -> bool:
    return f"/sys/class/net/{link.name}/device" in found.answers()


def _in_virtual_folder(found: Found, link: Link) -> bool:
    path = f"/sys/class/net/{link.name}"
    return path in found.answers() and "/devices/virtual/" in (found.text(path) or "")


# --- routes -----------------------------------------------------------------------------------------------------------


def _routes(found: Found) -> list[Route]:
    order: Literal["little", "big"] = "big" if parsed(found.text("byte-order")) == "big" else "little"
    by_kernel = routes_in_proc(found.text("/proc/net/route") or "", order)
    by_kernel6 = routes6_in_proc(found.text("/proc/net/ipv6_route") or "")
    by_nmcli = routes_in_nmcli(asked(found, NMCLI))
    printed = [routes_in_ip(asked(found, command)) for command in IP_ROUTE]
    printed += [routes_in_table(asked(found, command)) for command in TABLES]
    printed6 = [routes_in_ip(asked(found, command), "::/0") for command in IP6_ROUTE]
    return [
        *next(filter(None, (by_kernel, *printed, [route for route in by_nmcli if ":" not in route.destination])), []),
        *next(filter(None, (by_kernel6, *printed6, [route for route in by_nmcli if ":" in route.destination])), []),
    ]


# --- name servers -----------------------------------------------------------------------------------------------------


def _dns(found: Found) -> dict[str, Json]:
    servers, search = name_servers(found.text("/etc/resolv.conf") or "")
    for said in devices_in_nmcli(asked(found, NMCLI)) if found.text("/etc/resolv.conf") is None else ():
        servers += [value for key, value in said.items() if re.fullmatch(r"IP[46]\.DNS\[\d+\]", key)]
        search += [value for key, value in said.items() if re.fullmatch(r"IP[46]\.DOMAIN\[\d+\]", key)]
    stub = next((server for server in servers if server in STUBS), None)
    behind, behind_search = name_servers(found.text(RESOLVED) or "")
    if stub is not None:
        servers = behind or [server for server in servers if server not in STUBS]
        search = search or behind_search
    return {"servers": servers, "search": search, "stub": stub}


# --- the whole --------------------------------------------------------------------------------------------------------

COUNTERS = {"rx_bytes": "bytes", "tx_bytes": "bytes", "rx_errors": "count", "tx_errors": "count"}


def more(found: Found) -> tuple[Read, ...]:
    """`ethtool` for each real network card; the text forms of other tools where the kernel's files are missing."""
    links = _links_in_sysfs(found)
    reads: list[Read] = [
        Command(("ethtool", name), optional=True)
        for name, link in links.items()
        if _has_device(found, link) and _interface_type(found, link) == "ethernet"
    ]
    by_ip = links_in_ip_json(found.text(IP_JSON))
    if not by_ip:
        reads.append(Call("interface-addresses", optional=True))
    if not links and not by_ip:
        reads += [Command(tuple(command.split()), optional=True) for command in (IP_TEXT, IFCONFIG, *IP_LINK, LSHW)]
        reads.append(File(PROC_DEV, optional=True))
    if not links:
        reads += [Command(("ethtool", name), optional=True) for name in by_ip or USUAL]
    without_routes = not (found.text("/proc/net/route") or "").strip()
    if without_routes:
        reads += [Command(tuple(command.split()), optional=True) for command in (*IP_ROUTE, *TABLES)]
    if found.text("/proc/net/ipv6_route") is None:
        reads += [Command(tuple(command.split()), optional=True) for command in IP6_ROUTE]
    if without_routes or (not links and not by_ip) or found.text("/etc/resolv.conf") is None:
        reads.append(Command(tuple(NMCLI.split()), optional=True))
    return (*reads, *_hostname.questions(found))


def parse(found: Found) -> Facts:
    """Every interface, and what the machine knows of its network; see the module's description."""
    links = _links(found)
    routes = _routes(found)
    gaps = () if links else (Gap(Outcome.UNSUPPORTED, "interfaces: neither /sys/class/net nor a program names one"),)
    default, default6 = default_route(routes, 4), default_route(routes, 6)
    carrier = default or default6
    interfaces = [
        _interface(found, link, routes, primary=carrier is not None and carrier.interface == name)
        for name, link in sorted(links.items())
    ]
    network: dict[str, Json] = {
        "hostname": host_name(found),
        "default_gateway": default.gateway if default else None,
        "default_gateway_ipv6": default6.gateway if default6 else None,
        "dns": _dns(found),
        "routes": [
            {
                "destination": route.destination,
                "gateway": route.gateway,
                "interface": route.interface,
                "metric": route.metric,
            }
            for route in sorted(routes, key=lambda r: (":" in r.destination, r.destination, r.metric, r.interface))
        ],
        "tailscale": tailscale(found.answer(TAILSCALE).text),
    }
    return Facts(
        interfaces=tuple(interfaces),
        metadata={"network": network},
        measurements=tuple(_measurements(found, interfaces)),
        gaps=(*gaps, *refused(found, "/proc/net/"), *refused(found, "/etc/resolv.conf")),
    )


def _interface(found: Found, link: Link, routes: list[Route], *, primary: bool) -> Interface:
    name = link.name
    ethtool = read_ethtool(asked(found, f"ethtool {name}"))
    v4, v6 = first_address(link.addresses, "ipv4"), first_address(link.addresses, "ipv6")
    route = default_route(routes, 4, name)
    speed = ethtool["speed"] if link.speed in NO_SPEEDS else link.speed
    device = found.line(f"/sys/class/net/{name}/device/driver") if _has_device(found, link) else None
    bus = found.line(f"/sys/class/net/{name}/device/subsystem") if _has_device(found, link) else None
    mac = mac_address(link.address)
    return Interface(
        interface_name=name,
        interface_type=_interface_type(found, link),
        mac_address=mac,
        ipv4_address=v4.address if v4 else None,
        ipv4_netmask=netmask_of(v4),
        ipv4_gateway=route.gateway if route else None,
        ipv6_address=v6.address if v6 else None,
        ipv6_prefix=v6.prefix if v6 else None,
        connection_speed_mbps=speed,
        connection_type=TWISTED_PAIR.get(speed or 0) if ethtool["port"] in ("Twisted Pair", "MII") else None,
        is_primary=primary,
        is_active=_is_used(found, link, routes) if link.active is None else link.active,
        metadata={
            "addresses": [
                address.as_json()
                for address in sorted(link.addresses, key=lambda a: (a.family, a.address))
                if not address.temporary
            ],
            "privacy_addresses": any(address.temporary for address in link.addresses),
            "hardware_address": link.address if mac is None and link.address and link.address.count(":") > 5 else None,
            "mtu": link.mtu,
            "kind": link.kind,
            "duplex": ethtool["duplex"] or (link.duplex if link.duplex in ("full", "half") else None),
            "port": ethtool["port"],
            "supported_speeds_mbps": ethtool["supported_speeds_mbps"],
            "driver": device.rsplit("/", 1)[-1] if device else None,
            "bus": bus.rsplit("/", 1)[-1] if bus else None,
            "master": link.master,
            "parent": link.parent,
            "vlan_id": link.vlan,
            "ipv6_gateway": gateway.gateway if (gateway := default_route(routes, 6, name)) else None,
        },
    )


def _is_used(found: Found, link: Link, routes: list[Route]) -> bool:
    """Whether it has what an interface gets when it is switched on: for sources that tell no state."""
    received = counters_in_dev(asked(found, PROC_DEV)).get(link.name, {}).get("rx_bytes", 0)
    return bool(link.addresses or received or any(route.interface == link.name for route in routes))


def _measurements(found: Found, interfaces: list[Interface]) -> Iterable[Measurement]:
    listed = counters_in_dev(asked(found, PROC_DEV))
    for interface in interfaces:
        if not interface.is_active or interface.interface_type == "loopback":
            continue
        for counter, unit in COUNTERS.items():
            value = integer(found.line(f"/sys/class/net/{interface.interface_name}/statistics/{counter}"))
            value = listed.get(interface.interface_name, {}).get(counter) if value is None else value
            if value is not None:
                yield Measurement(
                    category="network",
                    name=counter,
                    value=Decimal(value),
                    unit=unit,
                    conditions={"interface": interface.interface_name},
                )


collector = Collector(
    reads=(
        Links("/sys/class/net/*", optional=True),
        *(
            Files(f"/sys/class/net/*/{attribute}", optional=True)
            for attribute in ("type", "flags", "operstate", "address", "mtu", "speed", "duplex", "uevent", "tun_flags")
        ),
        *(Files(f"/sys/class/net/*/statistics/{counter}", optional=True) for counter in COUNTERS),
        *(
            Links(f"/sys/class/net/*/{link}", optional=True)
            for link in ("device", "device/driver", "device/subsystem", "master")
        ),
        *(Names(f"/sys/class/net/*/{folder}", optional=True) for folder in ("wireless", "phy80211")),
        File("/proc/net/vlan/config", optional=True),
        Call("byte-order", optional=True),
        File("/proc/net/if_inet6", optional=True),
        File("/proc/net/route", optional=True),
        File("/proc/net/ipv6_route", optional=True),
        Command(tuple(IP_JSON.split()), optional=True),
        File("/etc/resolv.conf", optional=True),
        File(RESOLVED, optional=True),
        _hostname.READ,
        Command(tuple(TAILSCALE.split()), timeout_s=3, optional=True),
    ),
    more=more,
    parse=parse,
    sections=("interfaces",),
    metadata={
        "network.hostname": "the kernel's host name",
        "network.default_gateway": "IPv4 address of the gateway of the default route; null where there is none",
        "network.default_gateway_ipv6": "the same for IPv6",
        "network.dns.servers": "addresses of the name servers, in the order they are asked",
        "network.dns.search": "domains that are tried with a short name",
        "network.dns.stub": "address of the local resolver that programs ask instead, if there is one",
        "network.routes[].destination": "network of the route, `0.0.0.0/0` for the default route; none of `fe80::/10`",
        "network.routes[].gateway": "address it goes through; null where the network is attached directly",
        "network.routes[].interface": "interface it goes out of",
        "network.routes[].metric": "cost; the lowest wins",
        "network.tailscale": "this machine in its Tailscale network; null where there is none",
        "network.tailscale.version": "version of the Tailscale service",
        "network.tailscale.state": "what the service says: `Running`, `Stopped`, `NeedsLogin`",
        "network.tailscale.dns_name": "name of the machine in that network",
        "network.tailscale.tailnet": "domain of that network",
        "network.tailscale.addresses": "addresses of the machine in that network",
        "network.tailscale.exit_node": "whether it is in use as an exit node",
        "interfaces:addresses[].address": "address without prefix; temporary IPv6 addresses are left out",
        "interfaces:addresses[].prefix": "length of the network prefix in bits",
        "interfaces:addresses[].family": "`ipv4` or `ipv6`",
        "interfaces:addresses[].scope": "how far it is valid: `global`, `site`, `link`, `host`",
        "interfaces:addresses[].dynamic": "whether it was given for a time (DHCP, router); null where not known",
        "interfaces:privacy_addresses": "whether there are temporary IPv6 addresses (RFC 4941) as well",
        "interfaces:hardware_address": "hardware address that is no MAC address of six bytes (InfiniBand)",
        "interfaces:mtu": "largest packet in bytes",
        "interfaces:kind": "what the kernel calls this kind of interface: `veth`, `wireguard`, `bridge`, ...",
        "interfaces:duplex": "`full` or `half`",
        "interfaces:port": "connector as the card says it: `Twisted Pair`, `FIBRE`",
        "interfaces:supported_speeds_mbps": "speeds the card can do, Mbit/s",
        "interfaces:driver": "kernel driver",
        "interfaces:bus": "bus the card is on: `pci`, `usb`, `virtio`",
        "interfaces:master": "bridge or bond it is part of",
        "interfaces:parent": "interface it is built on (VLAN, macvlan)",
        "interfaces:vlan_id": "number of the VLAN, 1 to 4094",
        "interfaces:ipv6_gateway": "gateway of the IPv6 default route through it",
    },
    measures={
        "network.rx_bytes": "bytes: received since the interface appeared",
        "network.tx_bytes": "bytes: sent since the interface appeared",
        "network.rx_errors": "count: packets received with errors since the interface appeared",
        "network.tx_errors": "count: packets that could not be sent since the interface appeared",
    },
)
