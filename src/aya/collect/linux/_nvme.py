"""NVMe disks as `nvme` prints them: its list, and the log of their health."""

from decimal import Decimal

from aya.collect.disk import Disk
from aya.collect.json_values import integer, parsed, words
from aya.model import Json, Measurement

NVME_LIST = "nvme list -o json"
ZERO_CELSIUS_KELVIN = 273
"""The log counts in whole Kelvin, and so does the standard's conversion."""

COUNTERS = {
    "power_on_hours": ("hours", "power_on_hours"),
    "power_cycles": ("count", "power_cycles"),
    "wear_percent": ("percent", "percent_used"),
    "spare_percent": ("percent", "avail_spare"),
    "media_errors": ("count", "media_errors"),
    "unsafe_shutdowns": ("count", "unsafe_shutdowns"),
}
"""Our name of a counter, its unit, and what the log calls it."""


def health_log_command(controller: str) -> tuple[str, ...]:
    """What to ask about `nvme0`."""
    return ("nvme", "smart-log", f"/dev/{controller}", "-o", "json")


def health_in_log(name: str, text: str) -> list[Measurement]:
    """The counters in the log of a disk; none where it is no JSON."""
    log = parsed(text)
    if not isinstance(log, dict) or "percent_used" not in log:
        return []
    readings = {ours: (unit, integer(log.get(theirs))) for ours, (unit, theirs) in COUNTERS.items()}
    kelvin = integer(log.get("temperature"))
    readings["temperature_celsius"] = ("celsius", kelvin - ZERO_CELSIUS_KELVIN if kelvin else None)
    return [
        Measurement(
            category="storage", name=ours, value=Decimal(value), unit=unit, conditions={"device": f"/dev/{name}"}
        )
        for ours, (unit, value) in sorted(readings.items())
        if value is not None
    ]


def _size_bytes(node: dict[str, Json]) -> int | None:
    """The size of a namespace. Old versions wrote what does not fit 32 bits as a negative number; the blocks are right."""
    size, blocks, each = (integer(node.get(key)) for key in ("PhysicalSize", "MaximumLBA", "SectorSize"))
    if size is None or size >= 0:
        return size
    return blocks * each if blocks and each and blocks > 0 and each > 0 else None


def listed_nvme_disks(text: str) -> list[Disk]:
    """The disks in `nvme list -o json`: flat up to version 1, nested by subsystem and controller since."""
    disks: dict[str, Disk] = {}

    def walk(node: Json, controller: dict[str, Json]) -> None:
        if isinstance(node, list):
            for item in node:
                walk(item, controller)
        elif isinstance(node, dict):
            controller = node if "ModelNumber" in node else controller
            name = node.get("NameSpace") if isinstance(node.get("NameSpace"), str) else node.get("DevicePath")
            if isinstance(name, str):
                name = name.removeprefix("/dev/")
                transport = words(controller.get("Transport")) or "pcie"
                disks[name] = Disk(
                    name=name,
                    size_bytes=_size_bytes(node),
                    model=words(controller.get("ModelNumber")),
                    serial=words(controller.get("SerialNumber")),
                    firmware=words(controller.get("Firmware")),
                    transport="nvme" if transport == "pcie" else f"nvme-{transport}",
                    rotational=False,
                )
            for value in node.values():
                walk(value, controller)

    walk(parsed(text), {})
    return list(disks.values())
