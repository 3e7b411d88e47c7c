"""What `smartctl` reports of a disk: whether it is healthy, and its counters."""

import re
from decimal import Decimal

from aya.collect.disk import Disk
from aya.collect.json_values import dig, integer, items, parsed, words
from aya.host.reading import Answer
from aya.model import Gap, Json, Measurement, Outcome

SMART_MEASURES = {
    "storage.temperature_celsius": "celsius: temperature of a disk (SMART)",
    "storage.power_on_hours": "hours: time a disk was powered on (SMART)",
    "storage.power_cycles": "count: how often a disk was powered on (SMART)",
    "storage.wear_percent": "percent: endurance used, may exceed 100 (NVMe)",
    "storage.spare_percent": "percent: spare blocks left (NVMe)",
    "storage.media_errors": "count: unrecovered data errors (NVMe)",
    "storage.unsafe_shutdowns": "count: power lost without notice (NVMe)",
    "storage.reallocated_sectors": "count: sectors replaced by spare ones (ATA attribute 5)",
    "storage.pending_sectors": "count: unstable sectors waiting to be replaced (ATA attribute 197)",
    "storage.uncorrectable_sectors": "count: sectors that could not be read (ATA attribute 198)",
}
"""What a report may count, each with its unit and meaning."""


def smart_command(disk: str) -> tuple[str, ...]:
    """What to ask about `sda`."""
    return ("smartctl", "-j", "-a", f"/dev/{disk}")


COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "temperature_celsius": ("celsius", ("temperature", "current")),
    "power_on_hours": ("hours", ("power_on_time", "hours")),
    "power_cycles": ("count", ("power_cycle_count",)),
    "wear_percent": ("percent", ("nvme_smart_health_information_log", "percentage_used")),
    "spare_percent": ("percent", ("nvme_smart_health_information_log", "available_spare")),
    "media_errors": ("count", ("nvme_smart_health_information_log", "media_errors")),
    "unsafe_shutdowns": ("count", ("nvme_smart_health_information_log", "unsafe_shutdowns")),
}
SECTOR_COUNTERS = {5: "reallocated_sectors", 197: "pending_sectors", 198: "uncorrectable_sectors"}
"""ATA attributes whose raw value every maker counts in sectors."""


def understand_smart(disk: Disk, answer: Answer) -> tuple[list[Measurement], Gap | None]:
    """Fill in what SMART says of a disk. Returns its counters, and why it could not be asked.

    A disk without SMART is no gap: there is nothing to know. smartctl ends with an error for many a healthy disk, so
    what it printed counts and not how it ended.
    """
    about = f"health of /dev/{disk.name}"
    if answer.outcome is Outcome.ABSENT:
        return [], Gap(Outcome.UNSUPPORTED, f"{about}: smartctl is not installed")
    report = parsed(answer.text)
    if not isinstance(report, dict):
        outcome = Outcome.UNREADABLE if answer.outcome is Outcome.OK else answer.outcome
        return [], Gap(outcome, f"{about}: {answer.reason or 'smartctl printed no JSON'}")
    messages = " ".join(words(dig(message, "string")) or "" for message in items(dig(report, "smartctl", "messages")))
    if "Permission denied" in messages or "Operation not permitted" in messages:
        return [], Gap(Outcome.DENIED, f"{about}: {messages}")
    healthy = dig(report, "smart_status", "passed")
    if isinstance(healthy, bool):
        disk.smart = {"healthy": healthy}
    disk.model = disk.model or words(dig(report, "model_name"))
    disk.serial = disk.serial or words(dig(report, "serial_number"))
    disk.firmware = disk.firmware or _firmware(report)
    return _counters(disk, report), None


def _counters(disk: Disk, report: dict[str, Json]) -> list[Measurement]:
    readings = {name: (unit, integer(dig(report, *keys))) for name, (unit, keys) in COUNTERS.items()}
    for attribute in items(dig(report, "ata_smart_attributes", "table")):
        name = SECTOR_COUNTERS.get(integer(dig(attribute, "id")) or 0)
        if name is not None:
            readings[name] = ("count", integer(dig(attribute, "raw", "value")))
    conditions = {"device": f"/dev/{disk.name}"}
    return [
        Measurement(category="storage", name=name, value=Decimal(value), unit=unit, conditions=dict(conditions))
        for name, (unit, value) in sorted(readings.items())
        if value is not None
    ]


def disk_in_report(text: str) -> Disk | None:
    """The disk that a report is about; None where it is no report. How it is attached, smartctl seldom knows."""
    report = parsed(text)
    name, protocol = words(dig(report, "device", "name")), words(dig(report, "device", "protocol"))
    if name is None or protocol is None:
        return None
    name, kind = name.removeprefix("/dev/"), words(dig(report, "device", "type")) or ""
    about = f"{kind} {words(dig(report, 'device', 'info_name'))}".lower()
    member = re.search(r"(?:megaraid|cciss|3ware|areca|aacraid)[_,a-z]*(\d{1,3})", about)
    if protocol == "NVMe" and re.fullmatch(r"nvme\d+", name):
        spaces = {integer(dig(space, "id")) for space in items(dig(report, "nvme_namespaces"))}
        name = f"{name}n1" if spaces <= {1} else name
    turns = integer(dig(report, "rotation_rate"))
    return Disk(
        name=f"{name}:{member[1]}" if member else name,
        size_bytes=integer(dig(report, "user_capacity", "bytes")) or integer(dig(report, "nvme_total_capacity")),
        vendor=words(dig(report, "scsi_vendor")) or words(dig(report, "vendor")),
        model=words(dig(report, "model_name")) or words(dig(report, "scsi_product")) or words(dig(report, "product")),
        serial=words(dig(report, "serial_number")),
        firmware=_firmware(report),
        transport=_transport(protocol, about, member is not None, report),
        rotational=None if turns is None else turns > 0,
    )


def _firmware(report: Json) -> str | None:
    """The version of its firmware; of SCSI disks it is called the revision."""
    names = ("firmware_version", "scsi_revision", "revision")
    return next((version for name in names if (version := words(dig(report, name)))), None)


def _transport(protocol: str, about: str, in_array: bool, report: Json) -> str | None:
    if protocol == "NVMe":
        return "nvme"
    if "usb" in about:
        return "usb"
    if (words(dig(report, "scsi_transport_protocol", "name")) or "").startswith("SAS"):
        return "sas"
    # Behind a RAID controller the protocol tells; elsewhere a bridge may stand between.
    return {"ATA": "sata", "SCSI": "sas"}.get(protocol) if in_array else None
