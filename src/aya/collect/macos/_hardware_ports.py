"""The network ports of a Mac and the services on them, as `networksetup` and `system_profiler` name them."""

import re
from dataclasses import dataclass, field

from aya.collect.addresses import Address, read_address
from aya.collect.macos._system_profiler import Item

PORT = re.compile(
    r"Hardware Port: (?P<port>.+?)\s*\n\s*Device: *(?P<device>\S+)\s*\n\s*Ethernet Address: *(?P<mac>\S+)"
)
SERVICE = re.compile(
    r"\((?P<order>\d+|\*)\) (?P<service>.+?)\s*\n\(Hardware Port: (?P<port>.*), Device: *(?P<device>[^)]*)\)"
)


@dataclass(slots=True, kw_only=True)
class Port:
    """One port: what people call it, and how the first service on it is configured."""

    device: str
    name: str | None = None
    kind: str | None = None
    """What sort of hardware it is: `Ethernet`, `AirPort`."""
    mac: str | None = None
    service: str | None = None
    order: int | None = None
    enabled: bool | None = None
    configuration: str | None = None
    router: str | None = None
    addresses: list[Address] = field(default_factory=list)
    servers: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    medium: str | None = None
    duplex: str | None = None
    dhcp_server: str | None = None


def ports_in_networksetup(text: str) -> dict[str, Port]:
    """`networksetup -listallhardwareports`, by device."""
    plain = text.replace("\r\n", "\n")
    return {
        match["device"]: Port(device=match["device"], name=match["port"], mac=match["mac"])
        for match in PORT.finditer(plain)
    }


def services_in_networksetup(text: str) -> dict[str, Port]:
    """`networksetup -listnetworkserviceorder`, by device; the first service of each counts."""
    ports: dict[str, Port] = {}
    for order, match in enumerate(SERVICE.finditer(text.replace("\r\n", "\n"))):
        device = match["device"].strip()
        if device:
            ports.setdefault(
                device,
                Port(
                    device=device,
                    name=match["port"],
                    service=match["service"],
                    order=order,
                    enabled=match["order"] != "*",
                ),
            )
    return ports


def ports_in_profile(network: Item | None) -> dict[str, Port]:
    """The services in SPNetworkDataType, by device; the first of each counts."""
    ports: dict[str, Port] = {}
    for order, item in enumerate(network.items if network else ()):
        device = item.get("interface", "BSD Device Name")
        if device is None or device in ports:
            continue
        v4, v6, ethernet = item.item("IPv4"), item.item("IPv6"), item.item("Ethernet")
        options = (ethernet.get("MediaOptions", "Media Options") or "").lower()
        medium = ethernet.get("MediaSubType", "Media Subtype")
        numbered = item.number("spnetwork_service_order", "Service Order")
        ports[device] = Port(
            device=device,
            kind=item.get("hardware", "Hardware"),
            mac=ethernet.get("MAC Address"),
            service=item.name or None,
            order=order if numbered is None else numbered,
            configuration=v4.get("ConfigMethod", "Configuration Method"),
            router=plain_address(v4.get("Router")),
            addresses=[
                *_addresses(v4, "SubnetMasks", "Subnet Masks"),
                *_addresses(v6, "PrefixLength", "Prefix Length"),
            ],
            servers=_plain_addresses(item.item("DNS").get("ServerAddresses", "Server Addresses")),
            search=_split(item.item("DNS").get("SearchDomains", "Search Domains", "DomainName", "Domain Name")),
            medium=None if medium is None or medium.replace(" ", "").lower() in ("autoselect", "none") else medium,
            duplex=next((word for word in ("full", "half") if f"{word} duplex" in options), None),
            dhcp_server=plain_address(
                item.item("dhcp", "DHCP Server Responses").get("dhcp_server_identifier", "Server Identifier")
            ),
        )
    return ports


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _addresses(item: Item, *masks: str) -> list[Address]:
    """The addresses of a service, each with its mask or prefix where as many were told."""
    texts = _split(item.get("Addresses"))
    prefixes = _split(item.get(*masks))
    told: list[str | None] = [*prefixes] if len(prefixes) == len(texts) else [None] * len(texts)
    found = [read_address(text, prefix) for text, prefix in zip(texts, told, strict=True)]
    return [address for address in found if address is not None]


def _plain_addresses(text: str | None) -> list[str]:
    return [address for part in _split(text) if (address := plain_address(part))]


def plain_address(text: str | None) -> str | None:
    """An address without its zone; None where it is none."""
    address = read_address(text or "", None)
    return address.address if address else None


def merged_ports(*sources: dict[str, Port]) -> dict[str, Port]:
    """Each port once: what an earlier source does not know, a later one tells."""
    merged: dict[str, Port] = {}
    for port in (port for source in sources for port in source.values()):
        known = merged.setdefault(port.device, port)
        for name in Port.__dataclass_fields__:
            if getattr(known, name) in (None, []):
                setattr(known, name, getattr(port, name))
    return merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What drives a port, and how fast it could be."""

    driver: str | None
    bus: str | None
    max_speed_mbps: int | None


LINK_SPEED = re.compile(r"(\d{1,4}(?:\.\d)?) ?([MG])b(?:it)?/s")
"""`10 Gb/s`; the `2.5 GT/s` of the bus is none."""


def cards_in_profile(ethernet: Item | None) -> dict[str, Card]:
    """The cards in SPEthernetDataType, by device."""
    cards: dict[str, Card] = {}
    for item in ethernet.walk() if ethernet else ():
        device = item.get("spethernet_BSD_Device_Name", "BSD name")
        if device is None:
            continue
        bus = item.get("spethernet_bus", "Bus")
        speed = LINK_SPEED.fullmatch(item.get("spethernet_max_link_speed", "Maximum Link Speed") or "")
        cards[device] = Card(
            driver=item.get("spethernet_driver", "Kext name"),
            bus=bus.removeprefix("spethernet_").removesuffix("_device").lower() if bus else None,
            max_speed_mbps=round(float(speed[1]) * (1000 if speed[2] == "G" else 1)) if speed else None,
        )
    return cards
