"""The network of a Mac Studio with 10 Gigabit Ethernet and Tailscale, and of stranger ones."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.macos._ifconfig import links_in_ifconfig
from aya.collect.macos._routing import routes_in_netstat
from aya.collect.macos.network import collector
from aya.model import Facts, Interface, Outcome
from tests.collect.answers import Given, found, refused
from tests.collect.declared import floats, undeclared

IFCONFIG = """\
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
\tinet 127.0.0.1 netmask 0xff000000
\tinet6 ::1 prefixlen 128
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\toptions=567<RXCSUM,TXCSUM,VLAN_MTU,TSO4,TSO6,AV,CHANNEL_IO>
\tether 1c:1d:d3:00:00:78
\tinet6 fe80::1c1d:d3ff:fe00:78%en0 prefixlen 64 secured scopeid 0xf
\tinet 192.168.0.80 netmask 0xffffff00 broadcast 192.168.0.255
\tnd6 options=201<PERFORMNUD,DAD>
\tmedia: autoselect (2500Base-T <full-duplex,flow-control>)
\tstatus: active
en8: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tether 1c:1d:d3:00:00:79
\tmedia: none
\tstatus: inactive
awdl0: flags=8943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST> mtu 1500
\tether 22:22:22:22:22:22
\tinet6 fe80::2022:22ff:fe22:2222%awdl0 prefixlen 64 scopeid 0x12
\tmedia: autoselect
\tstatus: active
utun0: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1380
\tinet6 fe80::1:2:3:4%utun0 prefixlen 64 scopeid 0x13
utun4: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1280
\tinet 100.106.113.76 --> 100.106.113.76 netmask 0xffffffff
\tinet6 fe80::1c1d:d3ff:fe00:78%utun4 prefixlen 64 scopeid 0x17
\tinet6 fd7a:115c:a1e0::1234:5678 prefixlen 48
"""
PORTS = """\

Hardware Port: Ethernet
Device: en0
Ethernet Address: 1c:1d:d3:00:00:78

Hardware Port: Ethernet Adapter (en8)
Device: en8
Ethernet Address: 1c:1d:d3:00:00:79

VLAN Configurations
===================
"""
ROUTES = """\
Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.0.1        UGScg                 en0
default            link#23            UCSIg               utun4
100.64/10          link#23            UCS                 utun4
127                127.0.0.1          UCS                   lo0
169.254            link#15            UCS                   en0      !
192.168.0          link#15            UCS                   en0      !
192.168.0.1/32     link#15            UCS                   en0      !
192.168.0.1        9:8:7:6:5:4        UHLWIir               en0   1180
224.0.0/4          link#15            UmCS                  en0      !
"""
ORDER = """\
An asterisk (*) denotes that a network service is disabled.
(1) Ethernet
(Hardware Port: Ethernet, Device: en0)

(*) Old Adapter
(Hardware Port: Ethernet Adapter (en8), Device: en8)
"""
SERVICE = {
    "_name": "Ethernet",
    "interface": "en0",
    "hardware": "Ethernet",
    "type": "Ethernet",
    "ip_address": ["192.168.0.80"],
    "IPv4": {
        "Addresses": ["192.168.0.80"],
        "ConfigMethod": "DHCP",
        "InterfaceName": "en0",
        "Router": "192.168.0.1",
        "SubnetMasks": ["255.255.255.0"],
    },
    "IPv6": {"ConfigMethod": "Automatic"},
    "DNS": {"ServerAddresses": ["192.168.0.1"]},
    "Ethernet": {
        "MAC Address": "1c:1d:d3:00:00:78",
        "MediaOptions": ["Full Duplex", "Flow Control"],
        "MediaSubType": "2500Base-T",
    },
    "dhcp": {"dhcp_server_identifier": "192.168.0.1", "dhcp_routers": "192.168.0.1"},
    "spnetwork_service_order": 0,
}
ALPHA: dict[str, Given] = {
    "ifconfig -a": IFCONFIG,
    "networksetup -listallhardwareports": PORTS,
    "networksetup -listnetworkserviceorder": ORDER,
    "netstat -rn -f inet": ROUTES,
    "route -n get default": "   route to: default\n    gateway: 192.168.0.1\n  interface: en0\n",
    "scutil --dns": "DNS configuration\n\nresolver #1\n  nameserver[0] : 192.168.0.1\n  flags    : Request A records\n",
    "networksetup -listvalidmedia en0": "autoselect\n100baseTX <full-duplex>\n1000baseT <full-duplex>\n"
    "2500Base-T <full-duplex>\n5000Base-T <full-duplex>\n10Gbase-T <full-duplex>\n",
    "ipconfig getpacket en0": "op = BOOTREPLY\nyiaddr = 192.168.0.80\noptions:\n"
    "server_identifier (ip): 192.168.0.1\nrouter (ip_mult): {192.168.0.1}\nend (none): \n",
    "netstat -ibn": "Name       Mtu   Network       Address            Ipkts Ierrs     Ibytes    Opkts Oerrs     Obytes  Coll\n"
    "en0        1500  <Link#15>   1c:1d:d3:00:00:78  100     1       2000      50     2       3000     0\n"
    "utun4      1280  <Link#23>                       10     0        400       5     0        500     0\n",
    "system_profiler -json SPEthernetDataType": json.dumps(
        {
            "SPEthernetDataType": [
                {
                    "_name": "ethernet",
                    "spethernet_BSD_Device_Name": "en0",
                    "spethernet_bus": "spethernet_pci_device",
                    "spethernet_driver": "com.apple.driver.AppleEthernetAquantiaAqtion",
                    "spethernet_max_link_speed": "10 Gb/s",
                }
            ]
        }
    ),
    "sysctl kern": "kern.hostname: ALPHA.local\n",
}


def understood(given: dict[str, Given]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


def interface(facts: Facts, name: str) -> Interface:
    return next(one for one in facts.interfaces if one.interface_name == name)


def network(facts: Facts) -> dict[str, Any]:
    whole: dict[str, Any] = facts.metadata["network"]
    return whole


def test_a_port_has_what_it_negotiated_and_what_it_could() -> None:
    facts = understood(ALPHA)
    en0 = interface(facts, "en0")
    assert (en0.interface_type, en0.mac_address) == ("ethernet", "1c:1d:d3:00:00:78")
    assert (en0.ipv4_address, en0.ipv4_netmask, en0.ipv4_gateway) == ("192.168.0.80", "255.255.255.0", "192.168.0.1")
    assert (en0.connection_speed_mbps, en0.connection_type) == (2500, "2500Base-T")
    assert (en0.is_primary, en0.is_active) == (True, True)
    assert en0.metadata["supported_speeds_mbps"] == [100, 1000, 2500, 5000, 10000]
    assert (en0.metadata["bus"], en0.metadata["max_speed_mbps"]) == ("pci", 10000)
    assert (en0.metadata["duplex"], en0.metadata["flow_control"]) == ("full", True)
    assert en0.metadata["dhcp_server"] == "192.168.0.1"
    assert en0.metadata["addresses"][0]["dynamic"] is True
    assert facts.gaps == ()


def test_a_port_without_a_cable_is_inactive_and_has_no_speed() -> None:
    en8 = interface(understood(ALPHA), "en8")
    assert (en8.interface_type, en8.is_active, en8.connection_speed_mbps) == ("ethernet", False, None)
    assert en8.metadata["service_enabled"] is False


def test_tailscale_is_known_by_its_own_prefix_and_the_system_s_tunnels_are_no_vpn() -> None:
    facts = understood(ALPHA)
    utun4 = interface(facts, "utun4")
    assert (utun4.interface_type, utun4.metadata["vpn"]) == ("vpn", "Tailscale")
    assert utun4.ipv4_address == "100.106.113.76"
    assert network(facts)["tailscale"]["addresses"] == ["100.106.113.76", "fd7a:115c:a1e0::1234:5678"]
    assert interface(facts, "utun0").interface_type == "tunnel"
    assert interface(facts, "awdl0").interface_type == "virtual"
    assert [one.interface_name for one in facts.interfaces if one.is_primary] == ["en0"]


def test_tailscale_s_own_word_counts_before_what_is_seen() -> None:
    status = {
        "Version": "1.88.1",
        "BackendState": "Running",
        "TailscaleIPs": ["100.106.113.76"],
        "MagicDNSSuffix": "tail1.ts.net",
        "Self": {"DNSName": "alpha.tail1.ts.net.", "ExitNode": False},
    }
    told = network(understood(ALPHA | {"tailscale status --json": json.dumps(status)}))["tailscale"]
    assert (told["version"], told["state"], told["dns_name"]) == ("1.88.1", "Running", "alpha.tail1.ts.net")


def test_neighbours_loopback_and_multicast_are_no_routes() -> None:
    facts = understood(ALPHA)
    assert [(r["destination"], r["gateway"], r["interface"], r["scoped"]) for r in network(facts)["routes"]] == [
        ("0.0.0.0/0", "192.168.0.1", "en0", False),
        ("0.0.0.0/0", None, "utun4", True),
        ("100.64.0.0/10", None, "utun4", False),
        ("192.168.0.0/24", None, "en0", False),
        ("192.168.0.1/32", None, "en0", False),
    ]


@pytest.mark.parametrize(
    ("port", "kind"),
    [
        ("Thunderbolt 3", "thunderbolt"),
        ("Thunderbolt Ethernet Slot 1", "ethernet"),
        ("USB 10/100/1000 LAN", "ethernet"),
        ("Wi-Fi", "wifi"),
        ("WLAN", "wifi"),
        ("iPhone USB", "cellular"),
        ("Bluetooth PAN", "bluetooth"),
        ("AX88179A", None),
    ],
)
def test_a_port_is_what_the_system_calls_it(port: str, kind: str | None) -> None:
    ports = f"\nHardware Port: {port}\nDevice: en8\nEthernet Address: 1c:1d:d3:00:00:79\n"
    facts = understood({"ifconfig -a": IFCONFIG, "networksetup -listallhardwareports": ports})
    assert interface(facts, "en8").interface_type == kind


def test_the_report_alone_gives_the_same_port() -> None:
    facts = understood({"system_profiler -json SPNetworkDataType": json.dumps({"SPNetworkDataType": [SERVICE]})})
    alone, whole = interface(facts, "en0"), interface(understood(ALPHA), "en0")
    for column in (
        "mac_address",
        "ipv4_address",
        "ipv4_netmask",
        "ipv4_gateway",
        "connection_speed_mbps",
        "is_primary",
    ):
        assert getattr(alone, column) == getattr(whole, column), column
    assert alone.metadata["configuration"] == "DHCP"
    assert network(facts)["dns"]["servers"] == ["192.168.0.1"]
    assert facts.gaps == ()


def test_counters_are_counted_from_the_end_where_a_link_has_no_address() -> None:
    measured = {(one.conditions["interface"], one.name): int(one.value) for one in understood(ALPHA).measurements}
    assert measured[("en0", "rx_bytes")] == 2000
    assert measured[("en0", "tx_errors")] == 2
    assert measured[("utun4", "rx_bytes")] == 400


def test_an_address_that_was_cut_off_is_not_taken_for_whole() -> None:
    cut = (
        "Internet6:\nDestination        Gateway            Flags         Netif Expire\n"
        "default            fe80::feae:34ff:fe UGc             en0       \n"
    )
    assert routes_in_netstat(cut) == []


def test_a_report_in_another_language_is_a_gap_and_no_wrong_port() -> None:
    text = "Netzwerk:\n\n    Ethernet:\n\n      Typ: Ethernet\n      BSD-Gerätename: en0\n"
    facts = understood({"system_profiler SPNetworkDataType": text})
    assert facts.interfaces == ()
    assert facts.gaps[0].outcome is Outcome.UNREADABLE


def test_windows_line_ends_and_a_mark_at_the_beginning_change_nothing() -> None:
    plain = understood({"ifconfig -a": IFCONFIG})
    assert understood({"ifconfig -a": "\ufeff" + IFCONFIG.replace("\n", "\r\n")}).interfaces == plain.interfaces


def test_a_machine_that_tells_nothing_is_a_gap_for_each_thing_that_is_not_known() -> None:
    gaps = understood({"ifconfig -a": refused("ifconfig: no")}).gaps
    assert [(gap.outcome, gap.reason.split(":")[0]) for gap in gaps] == [
        (Outcome.DENIED, "interfaces"),
        (Outcome.UNSUPPORTED, "default route"),
        (Outcome.UNSUPPORTED, "name servers"),
    ]


@pytest.mark.parametrize("mask", ["0xffffff00", "255.255.255.0"])
def test_a_mask_is_read_in_both_ways_to_write_it(mask: str) -> None:
    text = f"en0: flags=8863<UP,RUNNING> mtu 1500\n\tinet 10.0.0.2 netmask {mask} broadcast 10.0.0.255\n"
    assert links_in_ifconfig(text)["en0"].addresses[0].prefix == 24


@given(st.sampled_from(sorted(ALPHA)), st.integers(0, 2000), st.binary(max_size=12))
def test_an_answer_with_a_hole_never_breaks_it(question: str, place: int, noise: bytes) -> None:
    given_text = ALPHA[question]
    assert isinstance(given_text, str)
    data = given_text.encode()
    facts = collector.parse(found(collector, ALPHA | {question: data[:place] + noise + data[place + 7 :]}))
    assert all(one.connection_speed_mbps is None or one.connection_speed_mbps > 0 for one in facts.interfaces)


def test_the_first_resolver_of_an_old_system_is_asked_for_every_name() -> None:
    old = (
        "DNS configuration\n\nresolver #1\n  domain : corp.example.com\n  nameserver[0] : 10.0.0.1\n  order   : 200000\n\n"
        "resolver #2\n  domain : local\n  options : mdns\n  timeout : 2\n  order   : 300000\n"
    )
    dns = collector.parse(found(collector, {"ifconfig -a": IFCONFIG, "scutil --dns": old})).metadata["network"]["dns"]
    assert dns == {"servers": ["10.0.0.1"], "search": ["corp.example.com"], "supplemental": []}


def test_a_bond_has_the_interfaces_it_is_made_of() -> None:
    bond = "bond0: flags=8843<UP,BROADCAST,RUNNING> mtu 1500\n\tbond interfaces: en1 en2\n\tstatus: active\n"
    assert links_in_ifconfig(bond)["bond0"].members == ["en1", "en2"]
