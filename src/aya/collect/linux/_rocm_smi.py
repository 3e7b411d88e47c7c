"""What `rocm-smi --json` prints; its keys were renamed with version 6."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from aya.collect.collector import Unreadable
from aya.collect.linux._gpu import Device, Told, address, hexadecimal, measured, mib, pci_address, said
from aya.model import Measurement

QUERY = ("rocm-smi", "-a", "--showmeminfo", "all", "--json")

Card = Mapping[str, object]


def devices(text: str) -> Told:
    """Each device. Raises Unreadable for what is no such JSON."""
    # It prints warnings before and after the JSON.
    start = text.find("{")
    try:
        cards = json.JSONDecoder().raw_decode(text, start)[0] if start >= 0 else None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not isinstance(cards, dict):
        raise Unreadable("no JSON object")
    system = cards.get("system")
    driver = _text(system, "Driver version") if isinstance(system, dict) else None
    for name, card in cards.items():
        if isinstance(card, dict) and re.fullmatch(r"card\d{1,4}", name):
            place = _text(card, "PCI Bus") or name
            yield address(place), _device(card, driver) | {"pci_address": pci_address(place)}, _measured(place, card)


def _device(card: Card, driver: str | None) -> Device:
    unique, serial = _text(card, "Unique ID"), _text(card, "Serial Number")
    identifier = hexadecimal(_text(card, "GPU ID", "Device ID"))
    limit = _number(card, "Max Graphics Package Power (W)")
    return {
        "model": _text(card, "Card series", "Card Series", "Device Name"),
        "vendor": "AMD",
        "pci_id": f"1002:{identifier}" if identifier else None,
        "driver": "amdgpu",
        "driver_version": driver,
        "memory_mib": mib(_text(card, "VRAM Total Memory (B)")),
        "architecture": _text(card, "GFX Version"),
        "uuid": unique if unique and unique != "0x0" else None,
        "serial_number": serial if serial and serial.strip("0") else None,
        "part_number": _text(card, "Card SKU"),
        "vbios_version": _text(card, "VBIOS version"),
        "power_limit_mw": int(limit * 1000) or None if limit is not None else None,
    }


def _measured(place: str, card: Card) -> list[Measurement]:
    used = _number(card, "VRAM Total Used Memory (B)")
    # A compute board has no sensor at the edge of the chip, only at its hottest place.
    heat = ("Temperature (Sensor edge) (C)", "Temperature (Sensor junction) (C)")
    power = ("Average Graphics Package Power (W)", "Current Socket Graphics Package Power (W)")
    return measured(
        address(place),
        {
            "utilization": (_number(card, "GPU use (%)"), "%"),
            "memory_utilization": (_number(card, "GPU memory use (%)", "GPU Memory Read/Write Activity (%)"), "%"),
            "memory_used": (int(used) // 1048576 if used is not None else None, "MiB"),
            "temperature": (_number(card, *heat), "°C"),
            "memory_temperature": (_number(card, "Temperature (Sensor memory) (C)"), "°C"),
            "power": (_number(card, *power), "W"),
            "fan": (_number(card, "Fan speed (%)"), "%"),
            "clock": (_clock(card, "sclk clock speed:"), "MHz"),
            "memory_clock": (_clock(card, "mclk clock speed:"), "MHz"),
        },
    )


def _text(card: Card, *keys: str) -> str | None:
    """The first of these that says something; some versions write numbers as such, most as text."""
    values = (card.get(key) for key in keys)
    plain = (str(value) for value in values if isinstance(value, str | int | float) and not isinstance(value, bool))
    return next((text for value in plain if (text := said(value))), None)


def _number(card: Card, *keys: str) -> Decimal | None:
    text = _text(card, *keys)
    try:
        value = Decimal(text) if text and len(text) < 20 else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def _clock(card: Card, key: str) -> int | None:
    parts = re.fullmatch(r"\((\d{1,6})Mhz\)", _text(card, key) or "")
    return int(parts[1]) if parts else None
