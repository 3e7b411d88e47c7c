import ipaddress
import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux.network import (
    IFCONFIG,
    IP_JSON,
    IP_ROUTE,
    IP_TEXT,
    NMCLI,
    RESOLVED,
    TABLES,
    TAILSCALE,
    collector,
)
from aya.host.local import LocalHost
from aya.host.reading import Found
from aya.model import Facts, Interface, Outcome
from tests.collect.answers import found
from tests.collect.declared import floats, undeclared

ROUTE_HEADER = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats([facts.metadata, [row.metadata for row in facts.interfaces]]))
    assert sum(row.is_primary for row in facts.interfaces) <= 1
    return facts


def recorded(recordings: Path, **texts: str) -> Facts:
    commands = {
        "ip": IP_TEXT,
        "ifconfig": IFCONFIG,
        "ip_route": IP_ROUTE[1],
        "route": TABLES[0],
        "tailscale": TAILSCALE,
    }
    return understood({commands[key]: (recordings / "linux" / name).read_text("utf-8") for key, name in texts.items()})


def interface(facts: Facts, name: str) -> Interface:
    return next(row for row in facts.interfaces if row.interface_name == name)


def card(name: str, *, device: str | None = "pci", **attributes: str) -> dict[str, str]:
    """The kernel's files of one interface; a real card has a device, whose bus is given."""
    folder = f"/sys/class/net/{name}"
    plain = {"type": "1", "flags": "0x1003", "operstate": "up", "address": "00:11:22:33:44:55", "mtu": "1500"}
    files = {f"{folder}/{key}": f"{value}\n" for key, value in (plain | attributes).items()}
    place = f"../../devices/virtual/net/{name}"
    if device is not None:
        place = f"../../devices/{device}0/net/{name}"
        files |= {
            f"{folder}/device": "../../../0000:01:00.0",
            f"{folder}/device/driver": "../../../bus/pci/drivers/igc",
            f"{folder}/device/subsystem": f"../../bus/{device}",
        }
    return files | {folder: place}


def default_route(name: str, gateway: str, metric: int = 0, flags: str = "0003") -> str:
    number = socket.inet_aton(gateway)[::-1].hex().upper()
    return f"{name}\t00000000\t{number}\t{flags}\t0\t0\t{metric}\t00000000\t0\t0\t0\n"


# --- the primary interface --------------------------------------------------------------------------------------------


def test_the_default_route_with_the_lowest_metric_makes_the_primary_interface():
    table = ROUTE_HEADER + default_route("wlan0", "192.168.2.1", 600) + default_route("eth0", "192.168.1.1", 100)
    facts = understood(card("eth0") | card("wlan0") | {"/proc/net/route": table})
    assert [row.interface_name for row in facts.interfaces if row.is_primary] == ["eth0"]
    assert (interface(facts, "eth0").ipv4_gateway, interface(facts, "wlan0").ipv4_gateway) == (
        "192.168.1.1",
        "192.168.2.1",
    )
    assert facts.metadata["network"]["default_gateway"] == "192.168.1.1"


def test_routes_are_read_in_the_byte_order_of_the_machine():
    route = ROUTE_HEADER + "eth0\t00000000\tC0000201\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    facts = understood(card("eth0") | {"/proc/net/route": route, "byte-order": '"big"'})
    assert interface(facts, "eth0").ipv4_gateway == "192.0.2.1"


def test_ipv6_makes_the_primary_interface_where_there_is_no_ipv4():
    line = (
        f"{'0' * 32} 00 {'0' * 32} 00 fe8000000000000000000000000000fe 00000400 00000001 00000000 00000003     eth1\n"
    )
    refused = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo\n"
    facts = understood(card("eth1") | {"/proc/net/route": ROUTE_HEADER, "/proc/net/ipv6_route": refused + line})
    assert interface(facts, "eth1").is_primary
    assert facts.metadata["network"]["default_gateway_ipv6"] == "fe80::fe"
    assert interface(facts, "eth1").metadata["ipv6_gateway"] == "fe80::fe"


@pytest.mark.parametrize("gateway", ["-1", "f" * 33])
def test_a_route_over_what_is_no_address_is_none(gateway):
    line = f"{'0' * 32} 00 {'0' * 32} 00 {gateway} 00000400 00000001 00000000 00000003     eth1\n"
    facts = understood(card("eth1") | {"/proc/net/route": ROUTE_HEADER, "/proc/net/ipv6_route": line})
    assert facts.metadata["network"]["default_gateway_ipv6"] is None


def test_a_route_that_refuses_is_no_way_out():
    facts = understood(card("eth0") | {"/proc/net/route": ROUTE_HEADER + default_route("eth0", "0.0.0.0", 0, "0201")})
    assert not any(row.is_primary for row in facts.interfaces)


def test_a_tunnel_without_a_gateway_can_be_primary():
    table = ROUTE_HEADER + default_route("wg0", "0.0.0.0", 0, "0001")
    facts = understood(card("wg0", device=None, uevent="DEVTYPE=wireguard") | {"/proc/net/route": table})
    assert (interface(facts, "wg0").is_primary, interface(facts, "wg0").ipv4_gateway) == (True, None)


# --- kinds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        ("enp3s0", card("enp3s0"), "ethernet"),
        ("wlp2s0", card("wlp2s0") | {"/sys/class/net/wlp2s0/wireless": ""}, "wifi"),
        ("lo", card("lo", device=None, type="772", flags="0x9", operstate="unknown"), "loopback"),
        ("office", card("office", device=None, uevent="DEVTYPE=wireguard", type="65534"), "vpn"),
        ("tailscale0", card("tailscale0", device=None, type="65534", tun_flags="0x1001"), "vpn"),
        ("tun7", card("tun7", device=None, type="65534", tun_flags="0x1001"), "vpn"),
        ("ppp0", card("ppp0", device=None, type="512"), "vpn"),
        ("fwpr1p0", card("fwpr1p0", device=None, tun_flags="0x1002"), "virtual"),
        ("docker0", card("docker0", device=None, uevent="DEVTYPE=bridge"), "bridge"),
        ("bond0", card("bond0", device=None, uevent="DEVTYPE=bond"), "bond"),
        ("eth0.100", card("eth0.100", device=None, uevent="DEVTYPE=vlan"), "vlan"),
        ("veth1a2b3c", card("veth1a2b3c", device=None), "veth"),
        ("dummy0", card("dummy0", device=None), "dummy"),
        ("sit0", card("sit0", device=None, type="776", address="0.0.0.0"), "tunnel"),
        ("ifb0", card("ifb0", device=None), "virtual"),
        ("eth9", card("eth9", device=None), "virtual"),
        ("ib0", card("ib0", type="32"), "infiniband"),
    ],
)
def test_each_kind_of_interface_is_told_apart(name, files, expected):
    assert interface(understood(files), name).interface_type == expected


def test_the_kind_that_ip_names_counts_where_the_files_say_nothing():
    link = [{"ifname": "eth0", "link_type": "ether", "linkinfo": {"info_kind": "veth"}, "addr_info": []}]
    assert (
        interface(understood(card("eth0", device=None) | {IP_JSON: json.dumps(link)}), "eth0").interface_type == "veth"
    )


def test_a_name_that_says_otherwise_does_not_make_an_interface_something_else():
    node = {"ifname": "br1", "linkinfo": {"info_kind": "ifb"}}
    facts = understood(card("br1", device=None) | {IP_JSON: json.dumps([node])})
    assert interface(facts, "br1").interface_type == "virtual"


def test_strange_names_are_told_the_same_by_all_sources():
    names = ["a b", "a[b]", 'a"b', "esc\x1b[31m", "été", "caf\udce9", ".hidden"]
    nodes = [{"ifname": name, "addr_info": [{"local": f"10.0.{n}.1", "prefixlen": 24}]} for n, name in enumerate(names)]
    text = json.dumps(nodes, ensure_ascii=False).replace(
        "\\u001b", "\x1b"
    )  # `ip` leaves control characters as they are
    files = {path: value for name in names for path, value in card(name, device=None).items()}
    facts = understood(files | {IP_JSON: text})
    assert {row.interface_name: row.ipv4_address for row in facts.interfaces} == {
        name: f"10.0.{n}.1" for n, name in enumerate(names)
    }


def test_a_vlan_names_its_number_and_what_it_is_built_on():
    table = "VLAN Dev name    | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\nlan           | 42  | eth0\n"
    row = interface(
        understood(card("lan", device=None, uevent="DEVTYPE=vlan") | {"/proc/net/vlan/config": table}), "lan"
    )
    assert (row.interface_type, row.metadata["vlan_id"], row.metadata["parent"]) == ("vlan", 42, "eth0")


# --- state of a card --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operstate", "flags", "active"),
    [
        ("up", "0x1003", True),
        ("down", "0x1003", False),
        ("unknown", "0x9", True),
        ("unknown", "0x8", False),
        ("lowerlayerdown", "0x1003", False),
        ("dormant", "0x1003", False),
    ],
)
def test_active_means_up_or_switched_on_where_the_kernel_cannot_tell(operstate, flags, active):
    assert interface(understood(card("eth0", operstate=operstate, flags=flags)), "eth0").is_active is active


@pytest.mark.parametrize("speed", ["-1", "0", "65535", "4294967295", "", "fast"])
def test_a_speed_that_is_not_known_is_null(speed):
    assert interface(understood(card("eth0", speed=speed)), "eth0").connection_speed_mbps is None


def test_ethtool_adds_what_the_card_could_do(recordings):
    text = (recordings / "linux/jc-generic/ethtool-default1.txt").read_text()
    row = interface(understood(card("enp0s3", speed="1000", duplex="full") | {"ethtool enp0s3": text}), "enp0s3")
    assert row.connection_speed_mbps == 1000
    assert row.connection_type == "1000Base-T"
    assert row.metadata["supported_speeds_mbps"] == [10, 100, 1000]
    assert (row.metadata["duplex"], row.metadata["port"], row.metadata["driver"]) == ("full", "Twisted Pair", "igc")


def test_a_fibre_card_has_a_speed_but_no_twisted_pair_standard(recordings):
    text = (recordings / "linux/jc-generic/ethtool-default2.txt").read_text()
    row = interface(understood(card("enp1s0") | {"ethtool enp1s0": text}), "enp1s0")
    assert (row.connection_speed_mbps, row.connection_type) == (40000, None)
    assert row.metadata["supported_speeds_mbps"] == [1000, 10000, 40000, 56000]


def test_a_hardware_address_of_zeros_or_of_twenty_bytes_is_no_mac_address():
    long = ":".join(["a0"] * 20)
    facts = understood(card("lo", address="00:00:00:00:00:00") | card("ib0", address=long))
    assert interface(facts, "lo").mac_address is None
    assert (interface(facts, "ib0").mac_address, interface(facts, "ib0").metadata["hardware_address"]) == (None, long)


# --- addresses --------------------------------------------------------------------------------------------------------


def addresses(*entries: dict[str, Any]) -> dict[str, str]:
    return card("eth0") | {IP_JSON: json.dumps([{"ifname": "eth0", "operstate": "UP", "addr_info": list(entries)}])}


def test_the_widest_scope_gives_the_address_and_all_are_kept_sorted():
    facts = understood(
        addresses(
            {"local": "fe80::1", "prefixlen": 64, "scope": "link"},
            {"local": "2001:db8::9", "prefixlen": 64, "scope": "global"},
            {"local": "10.0.0.9", "prefixlen": 24, "scope": "global"},
            {"local": "10.0.0.5", "prefixlen": 24, "scope": "global"},
        )
    )
    row = interface(facts, "eth0")
    assert (row.ipv4_address, row.ipv4_netmask) == ("10.0.0.9", "255.255.255.0")
    assert (row.ipv6_address, row.ipv6_prefix) == ("2001:db8::9", 64)
    assert [a["address"] for a in row.metadata["addresses"]] == ["10.0.0.5", "10.0.0.9", "2001:db8::9", "fe80::1"]


def test_temporary_addresses_are_left_out_and_remaining_lifetimes_too():
    lasting = {"local": "2001:db8::1", "prefixlen": 64, "scope": "global", "dynamic": True}
    one = addresses({"local": "2001:db8::a", "prefixlen": 64, "temporary": True}, lasting | {"valid_life_time": 100})
    other = addresses({"local": "2001:db8::b", "prefixlen": 64, "temporary": True}, lasting | {"valid_life_time": 99})
    assert understood(one).interfaces == understood(other).interfaces
    assert interface(understood(one), "eth0").metadata["privacy_addresses"] is True
    assert interface(understood(one), "eth0").ipv6_address == "2001:db8::1"


def test_without_ip_the_library_and_the_kernel_give_the_same_addresses():
    listed = {
        "eth0": [
            {"family": "AF_INET", "address": "192.0.2.2", "netmask": "255.255.255.0"},
            {"family": "AF_INET6", "address": "2001:db8::1", "netmask": "ffff:ffff:ffff:ffff::"},
            {"family": "AF_INET6", "address": "2001:db8::abc", "netmask": "ffff:ffff:ffff:ffff::"},
            {"family": "AF_PACKET", "address": "00:11:22:33:44:55", "netmask": None},
        ]
    }
    kernel = (
        "20010db8000000000000000000000001 02 40 00 80     eth0\n20010db8000000000000000000000abc 02 40 00 01     eth0\n"
    )
    given = card("eth0") | {"interface-addresses": json.dumps(listed), "/proc/net/if_inet6": kernel}
    row = interface(understood(given), "eth0")
    assert (row.ipv4_address, row.ipv6_address, row.ipv6_prefix) == ("192.0.2.2", "2001:db8::1", 64)
    assert [a["address"] for a in row.metadata["addresses"]] == ["192.0.2.2", "2001:db8::1"]


# --- recordings -------------------------------------------------------------------------------------------------------


def test_text_of_ip_alone_is_enough(recordings):
    facts = recorded(recordings, ip="glpi-ip-ip_addr-5/ip.txt")
    rows = [(row.interface_name, row.interface_type, row.ipv4_address, row.is_active) for row in facts.interfaces]
    assert rows == [
        ("bond0", "bond", None, False),
        ("br0", "bridge", None, True),
        ("eth0", "ethernet", "192.168.1.11", False),
        ("lo", "loopback", "127.0.0.1", True),
        ("wlan0", "wifi", "128.93.189.62", True),
    ]
    wlan = interface(facts, "wlan0")
    assert (wlan.ipv4_netmask, wlan.mac_address) == ("255.255.252.0", "00:1a:6b:0d:78:03")
    assert [a["address"] for a in wlan.metadata["addresses"]] == [
        "128.93.189.62",
        "192.168.1.11",
        "fe80::21a:6bff:fe0d:7803",
    ]


def test_an_interface_built_on_another_names_it(recordings):
    facts = recorded(recordings, ip="glpi-ip-ip_addr-el8/ip.txt")
    row = interface(facts, "macvlan0")
    assert (row.interface_type, row.metadata["parent"], row.ipv4_address) == ("macvlan", "eth0", "10.10.220.101")
    assert (interface(facts, "docker0").interface_type, interface(facts, "docker0").is_active) == ("bridge", False)
    assert interface(facts, "eth0").ipv4_netmask == "255.255.255.255"


def test_infiniband_is_no_ethernet(recordings):
    row = interface(recorded(recordings, ip="glpi-ip-ip_addr-4/ip.txt"), "ib0")
    assert (row.interface_type, row.mac_address, row.ipv4_address) == ("infiniband", None, "10.89.96.11")
    assert row.ipv4_netmask == "255.255.240.0"


def test_ifconfig_and_route_alone_are_enough(recordings):
    facts = recorded(recordings, ifconfig="jc-centos-7.7/ifconfig.txt", route="jc-centos-7.7/netstat-rne.txt")
    row = interface(facts, "ens33")
    assert (row.ipv4_address, row.ipv4_netmask, row.ipv4_gateway) == ("192.168.71.137", "255.255.255.0", "192.168.71.2")
    assert (row.ipv6_address, row.mac_address, row.is_primary) == (
        "fe80::c1cb:715d:bc3e:b8a0",
        "00:0c:29:3b:58:0e",
        True,
    )
    assert [row.interface_type for row in facts.interfaces] == ["bridge", "ethernet", "loopback"]


def test_a_gateway_that_is_only_named_is_not_known(recordings):
    facts = recorded(recordings, ifconfig="jc-centos-7.7/ifconfig.txt", route="jc-centos-7.7/route.txt")
    assert (interface(facts, "ens33").is_primary, interface(facts, "ens33").ipv4_gateway) == (True, None)


def test_of_two_default_routes_in_text_the_cheaper_counts(recordings):
    routes = recorded(recordings, ip_route="glpi-ip-default-gateway-2/ip.txt").metadata["network"]
    assert routes["default_gateway"] == "192.168.1.254"
    assert [(r["interface"], r["metric"]) for r in routes["routes"]] == [("eth0", 100), ("lxcbr", 425)]


def test_the_tailscale_network_is_described(recordings):
    tailscale = recorded(recordings, tailscale="dgx-spark-gb10/tailscale-status.json").metadata["network"]["tailscale"]
    assert tailscale["version"] == "1.102.2-t6cac91817-g6ff0ddc72"
    assert tailscale["state"] == "Running"
    assert tailscale["dns_name"] == "dgx-spark-01.example-tailnet.ts.net"
    assert tailscale["addresses"] == ["100.64.0.1", "fd7a:115c:a1e0::1111:2222"]


# --- name servers -----------------------------------------------------------------------------------------------------


def test_name_servers_keep_their_order():
    servers = "nameserver 9.9.9.9 # first\nnameserver fe80::1%eth0\nnameserver x\n"
    text = f"# made by hand\nsearch example.com corp.example\n{servers}"
    dns = understood({"/etc/resolv.conf": text}).metadata["network"]["dns"]
    assert dns == {"servers": ["9.9.9.9", "fe80::1"], "search": ["example.com", "corp.example"], "stub": None}


def test_the_servers_behind_the_stub_of_systemd_are_given():
    given = {"/etc/resolv.conf": "nameserver 127.0.0.53\n", RESOLVED: "nameserver 192.0.2.53\nsearch lan\n"}
    dns = understood(given).metadata["network"]["dns"]
    assert dns == {"servers": ["192.0.2.53"], "search": ["lan"], "stub": "127.0.0.53"}


# --- gaps, measurements, robustness -----------------------------------------------------------------------------------


def test_a_machine_that_names_no_interface_could_not_be_looked_at():
    facts = understood({})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNSUPPORTED]


def test_counters_of_active_interfaces_are_measured_and_no_state():
    folder = "/sys/class/net/{}/statistics/rx_bytes"
    given = card("eth0") | card("eth1", operstate="down") | card("lo", type="772", flags="0x9", operstate="unknown")
    given |= {folder.format(name): "123\n" for name in ("eth0", "eth1", "lo")}
    facts = understood(given)
    assert [(m.name, int(m.value), m.conditions) for m in facts.measurements] == [
        ("rx_bytes", 123, {"interface": "eth0"})
    ]
    assert "123" not in json.dumps([row.metadata for row in facts.interfaces])


TEXTS = st.sampled_from(
    [
        *(IP_JSON, IP_TEXT, *IP_ROUTE, IFCONFIG, *TABLES, TAILSCALE, NMCLI, "ethtool eth0", "interface-addresses"),
        *("/proc/net/route", "/proc/net/ipv6_route", "/proc/net/if_inet6", "/etc/resolv.conf"),
        "/sys/class/net/eth0/speed",
    ]
)
WORDS = ["1:", "eth0:", "<UP>", "mtu", "dev", "via", "default", "inet", "10.0.0.1/33", "ffffffff", "0", "0x", "U", "\n"]
KEYS = ["ifname", "flags", "addr_info", "local", "prefixlen", "linkinfo", "eth0", "address"]
NEAR_TEXT = st.lists(st.sampled_from(WORDS), max_size=25).map(lambda words: " ".join(words).encode())
NEAR_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())
NEAR = st.binary(max_size=120) | NEAR_TEXT | NEAR_JSON


@given(st.dictionaries(TEXTS, NEAR, max_size=5), st.booleans())
def test_garbage_never_breaks_it(garbage, with_card):
    understood((card("eth0") if with_card else {}) | garbage)


# --- this machine -----------------------------------------------------------------------------------------------------


def live() -> Facts:
    first = Found.of(LocalHost(), collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(LocalHost(), collector.more(first)))


def test_interfaces_and_addresses_of_this_machine_are_those_that_psutil_sees():
    rows = {row.interface_name: row for row in live().interfaces}
    assert set(rows) == set(psutil.net_if_stats())
    for name, entries in psutil.net_if_addrs().items():
        listed = {entry["address"] for entry in rows[name].metadata["addresses"]}
        seen = {str(ipaddress.ip_address(a.address.partition("%")[0])) for a in entries if a.family != psutil.AF_LINK}
        assert listed == seen or rows[name].metadata["privacy_addresses"]
        assert rows[name].metadata["mtu"] == psutil.net_if_stats()[name].mtu


def test_the_primary_interface_of_this_machine_is_the_one_that_ip_names():
    if shutil.which("ip") is None:
        pytest.skip("ip is not installed")
    text = subprocess.run(["ip", "-j", "route", "show", "default"], capture_output=True, check=True).stdout
    routes = sorted(json.loads(text or "[]"), key=lambda route: route.get("metric", 0))
    if not routes:
        pytest.skip("this machine has no IPv4 default route")
    primary = next(row for row in live().interfaces if row.is_primary)
    assert (primary.interface_name, primary.ipv4_gateway) == (routes[0]["dev"], routes[0].get("gateway"))


def test_an_unchanged_machine_is_equal_at_two_looks():
    one, other = live(), live()
    assert (one.interfaces, one.metadata, one.gaps) == (other.interfaces, other.metadata, other.gaps)
    assert one.interfaces


def test_routes_are_the_same_as_text_and_as_json():
    text = "default via 10.0.0.1 dev eth0 proto dhcp metric 100\n10.0.0.0/24 dev eth0 scope link metric 100\n"
    nodes = [
        {"dst": "default", "gateway": "10.0.0.1", "dev": "eth0", "protocol": "dhcp", "metric": 100, "flags": []},
        {"dst": "10.0.0.0/24", "dev": "eth0", "scope": "link", "metric": 100, "flags": []},
    ]
    one, other = understood({IP_ROUTE[1]: text}), understood({IP_ROUTE[0]: json.dumps(nodes)})
    assert one.metadata["network"]["routes"] == other.metadata["network"]["routes"]
    assert one.metadata["network"]["default_gateway"] == "10.0.0.1"


def test_ipv6_routes_are_read_where_the_kernel_did_not_tell_them():
    text = "fe80::/64 dev eth0 metric 256\n2001:db8::/64 dev eth0 metric 100\ndefault via fe80::1 dev eth0 metric 100\n"
    facts = understood({"ip -6 route": text})
    assert facts.metadata["network"]["default_gateway_ipv6"] == "fe80::1"
    assert [route["destination"] for route in facts.metadata["network"]["routes"]] == ["2001:db8::/64", "::/0"]


def test_networkmanager_alone_is_enough(recordings):
    facts = understood({NMCLI: (recordings / "linux/jc-centos-7.7/nmcli-device-show.txt").read_text()})
    ens33 = interface(facts, "ens33")
    assert (ens33.ipv4_address, ens33.ipv4_gateway, ens33.ipv6_prefix) == ("192.168.71.180", "192.168.71.2", 64)
    assert (ens33.is_primary, ens33.is_active, ens33.mac_address) == (True, True, "00:0c:29:3b:58:0e")
    assert interface(facts, "docker0").interface_type == "bridge"
    assert facts.metadata["network"]["dns"] == {"servers": ["192.168.71.2"], "search": ["localdomain"], "stub": None}


def test_an_interface_without_a_link_is_not_active_in_ifconfig(recordings):
    facts = recorded(recordings, ifconfig="jc-centos-7.7/ifconfig.txt")
    assert {row.interface_name: row.is_active for row in facts.interfaces} == {
        "docker0": False,
        "ens33": True,
        "lo": True,
    }


def test_a_part_of_an_infiniband_port_is_no_vlan() -> None:
    text = (
        "4: ib0: <BROADCAST,MULTICAST,UP> mtu 2044 qdisc mq state UP\n    link/infiniband 80:00:00:66 brd 00:ff\n"
        "5: ib0.8001@ib0: <BROADCAST,MULTICAST> mtu 2044 qdisc noop state DOWN\n    link/infiniband 80:00:00:67\n"
        "6: eth0.7@eth0: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN\n    link/ether 00:11:22:33:44:55\n"
    )
    facts = understood({IP_TEXT: text})
    assert [row.interface_type for row in facts.interfaces] == ["vlan", "infiniband", "infiniband"]


def test_an_alias_is_more_addresses_of_its_interface() -> None:
    text = (
        "eth0      Link encap:Ethernet  HWaddr 00:11:22:33:44:55\n"
        "          inet addr:192.0.2.1  Bcast:192.0.2.255  Mask:255.255.255.0\n"
        "          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n\n"
        "eth0:1    Link encap:Ethernet  HWaddr 00:11:22:33:44:55\n"
        "          inet addr:192.0.2.2  Bcast:192.0.2.255  Mask:255.255.255.0\n"
        "          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n"
    )
    [eth0] = understood({IFCONFIG: text}).interfaces
    assert (eth0.interface_name, eth0.ipv4_address) == ("eth0", "192.0.2.1")
    assert [address["address"] for address in eth0.metadata["addresses"]] == ["192.0.2.1", "192.0.2.2"]


def test_counters_alone_name_the_interfaces(recordings):
    facts = understood({"/proc/net/dev": (recordings / "linux/jc-linux-proc/proc-net_dev.txt").read_text()})
    assert {row.interface_name: row.is_active for row in facts.interfaces} == {"ens33": True, "lo": True}
    assert {m.name: int(m.value) for m in facts.measurements} == {
        **{"rx_bytes": 60600053, "tx_bytes": 44256546},
        **{"rx_errors": 0, "tx_errors": 0},
    }
