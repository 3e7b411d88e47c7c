"""One graphics or compute device, whoever tells of it: its facts, their shape, and how tools say that they do not know."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from aya.model import Json, Measurement

Device = dict[str, Json]
Told = Iterable[tuple[str, Device, list[Measurement]]]
"""Of each device: what it is known by, usually its PCI address; its facts; what it does now."""

DEVICE: Device = {
    "model": None,
    "vendor": None,
    "pci_address": None,
    "pci_id": None,
    "driver": None,
    "driver_version": None,
    "driver_model": None,
    "memory_mib": None,
    "compute_units": None,
    "cuda_cores": None,
    "cuda_capability": None,
    "architecture": None,
    "uuid": None,
    "serial_number": None,
    "part_number": None,
    "minor_number": None,
    "shares_board": None,
    "vbios_version": None,
    "gsp_firmware_version": None,
    "cuda_version": None,
    "virtualization": None,
    "ecc": None,
    "ecc_pending": None,
    "memory_repair_pending": None,
    "persistence": None,
    "compute_mode": None,
    "power_limit_mw": None,
    "power_limit_default_mw": None,
    "power_limit_min_mw": None,
    "power_limit_max_mw": None,
    "clock_max_mhz": None,
    "memory_clock_max_mhz": None,
    "pcie_max_generation": None,
    "pcie_max_width": None,
    "nvlink": None,
    "fabric_state": None,
    "mig": None,
}


def said(text: str | None) -> str | None:
    """The text; None for the many ways in which a driver says that it does not know."""
    text = (text or "").strip()
    nothing = re.fullmatch(
        r"\[?(N/A|None|Not Supported|Unknown.*|REDACTED|ERR!|Requested functionality.*|GPU .*|Insufficient.*|)\]?", text
    )
    return None if nothing else text


def address(text: str) -> str:
    """`0000:01:00.0`; NVIDIA writes the domain with eight digits and in capitals. What is no address stays as it is."""
    parts = re.fullmatch(r"([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])", text.strip().lower())
    return f"{parts[1][-4:]}:{parts[2]}" if parts else text.strip().lower()


def pci_address(text: str) -> str | None:
    """The same, None for what is no address."""
    return found if re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", found := address(text)) else None


def hexadecimal(text: str | None) -> str | None:
    """`0x10de` without its prefix."""
    parts = re.fullmatch(r"0x([0-9a-f]{4})", text or "")
    return parts[1] if parts else None


def mib(size: str | None) -> int | None:
    """Bytes in MiB; None for no bytes."""
    return int(size) // 1048576 or None if size and re.fullmatch(r"[0-9]{1,18}", size) else None


def measured(of: str, numbers: Mapping[str, tuple[Decimal | int | None, str]]) -> list[Measurement]:
    """Number and unit by name, of the device known by `of`; what is not known is left out."""
    return [
        Measurement(category="gpu", name=name, value=Decimal(value), unit=unit, conditions={"pci_address": of})
        for name, (value, unit) in numbers.items()
        if value is not None
    ]
