"""Disks of a Mac, as `diskutil` and `system_profiler` describe them.

`diskutil` tells every disk and how it is attached; the reports of the buses add serial numbers and firmware; the report
of volumes tells of the drive under each. What APFS, disk images and the like make up is no disk.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from aya.collect.disk import Disk, exact
from aya.collect.json_values import dig, integer, items, words
from aya.collect.macos._system_profiler import Item
from aya.collect.smart import disk_in_report
from aya.model import Json, Measurement

WHOLE = re.compile(r"disk\d+")
EXACT_SIZE = re.compile(r"\((\d[\d\s.,'’\u00a0\u202f]*?)[\s\u00a0\u202f]*[^\W\d]+\)")
"""The exact size after the rounded one: `160,04 GB (160 041 885 696 bytes)`, in any language's way to write numbers."""

TRANSPORTS = {
    "apple fabric": "apple-fabric",
    "pci-express": "nvme",
    "pci": "pci",
    "nvme": "nvme",
    "sata": "sata",
    "ata": "ata",
    "usb": "usb",
    "firewire": "firewire",
    "thunderbolt": "thunderbolt",
    "secure digital": "mmc",
    "sas": "sas",
    "scsi": "scsi",
    "fibre channel interface": "fc",
    "iscsi": "iscsi",
    "virtual interface": "virtio",
}
NOT_ATTACHED = {"disk image", "virtual"}
BUSES = {
    "SPNVMeDataType": "nvme",
    "SPSerialATADataType": "sata",
    "SPParallelATADataType": "ata",
    "SPSASDataType": "sas",
    "SPUSBDataType": "usb",
    "SPUSBHostDataType": "usb",
    "SPFireWireDataType": "firewire",
    "SPCardReaderDataType": "mmc",
}
ENGLISH = {
    "bsd name",
    "capacity",
    "mount point",
    "protocol",
    "model",
    "vendor",
    "product id",
    "link speed",
    "maximum speed",
    "host controller driver",
    "vendor id",
    "location id",
    "manufacturer",
}
"""Labels of which at least one is in every report of disks that names anything."""
MAKER = ("device_manufacturer", "manufacturer", "f_manufacturer")
HEALTH = {"verified": True, "failing": False, "about to fail": False}


@dataclass(slots=True, kw_only=True)
class MacDisk(Disk):
    """A disk, with what only macOS tells of it."""

    protocol: str | None = None
    """How it is attached, in the words of the system: `Apple Fabric`."""
    size_text: str | None = None
    counters: dict[str, int] = field(default_factory=dict)

    def known_from(self, other: "MacDisk") -> None:
        """Take over what this one does not know and another source does."""
        names = ("size_bytes", "vendor", "model", "serial", "firmware", "rotational", "removable", "internal", "smart")
        for name in (*names, "protocol", "size_text"):
            if getattr(self, name) is None:
                setattr(self, name, getattr(other, name))
        self.transport = _transport(self.protocol, self.model, self.internal) or self.transport or other.transport
        self.memory_card = self.memory_card or other.memory_card
        self.partitions = self.partitions or other.partitions
        self.counters = self.counters or other.counters

    @property
    def title(self) -> str:
        """Its model, else its name; what sort of disk it is where it has neither."""
        return super(MacDisk, self).title if self.name or self.model else self.technology or "a disk"

    def external(self, system: bool) -> bool | None:
        """Whether it is not part of the machine, None where nothing tells: a Mac may well run from a disk outside."""
        unplaced = self.internal is None and self.transport in (None, "nvme", "pci") and not self.memory_card
        return None if unplaced else Disk.external(self, system)

    def entry(self, external: bool | None) -> dict[str, Json]:
        """The entry in `storage.devices`."""
        size_text = self.size_text if self.size_bytes is None else None
        return self.as_json(external) | {"name": self.name or None, "protocol": self.protocol, "size_text": size_text}


# --- diskutil ---------------------------------------------------------------------------------------------------------


def whole_disks_in(listed: Json) -> list[str] | None:
    """The names of all disks in `diskutil list -plist`, without those that APFS made; None where it is no such list."""
    entries = dig(listed, "AllDisksAndPartitions")
    if not isinstance(entries, list):
        whole = dig(listed, "WholeDisks")  # all that macOS 10.6 and older say
        return [name for name in items(whole) if isinstance(name, str)] if isinstance(whole, list) else None
    return [
        name
        for entry in entries
        if (name := words(dig(entry, "DeviceIdentifier")))
        and not items(dig(entry, "APFSPhysicalStores"))
        and not items(dig(entry, "APFSVolumes"))
    ]


def disk_in_info(info: Json) -> MacDisk | None:
    """A disk out of `diskutil info -plist`; None for what is no disk of its own."""
    name = words(dig(info, "DeviceIdentifier"))
    protocol = words(dig(info, "BusProtocol"))
    if name is None or not WHOLE.fullmatch(name) or dig(info, "VirtualOrPhysical") == "Virtual":
        return None
    if (protocol or "").lower() in NOT_ATTACHED or dig(info, "RAIDMaster") is True:
        return None
    internal, solid = dig(info, "Internal"), dig(info, "SolidState")
    told = words(dig(info, "MediaName")) or _media_name(words(dig(info, "IORegistryEntryName")))
    removable = dig(info, "RemovableMedia")
    return MacDisk(
        name=name,
        size_bytes=_size(dig(info, "TotalSize"), dig(info, "Size"), dig(info, "IOKitSize")),
        model=told,
        protocol=protocol,
        transport=_transport(protocol, told, internal),
        rotational=not solid if isinstance(solid, bool) else None,
        removable=removable if isinstance(removable, bool) else None,
        memory_card=(protocol or "").lower() == "secure digital",
        internal=internal if isinstance(internal, bool) else None,
        smart=_smart(words(dig(info, "SMARTStatus"))),
        counters=_counters(dig(info, "SMARTDeviceSpecificKeysMayVaryNotGuaranteed")),
    )


def info_in_text(top: Item) -> dict[str, Json]:
    """`diskutil info` without `-plist`, under the keys of the property list."""
    size = exact_bytes(top.get("Disk Size", "Total Size"))
    yes = {"Yes": True, "No": False}
    removable = top.get("Removable Media")
    return {
        "DeviceIdentifier": top.get("Device Identifier"),
        "MediaName": top.get("Device / Media Name"),
        "BusProtocol": top.get("Protocol"),
        "Size": size,
        "SMARTStatus": top.get("SMART Status"),
        "Internal": {"Internal": True, "External": False}.get(top.get("Device Location", "Internal") or ""),
        "SolidState": yes.get(top.get("Solid State") or ""),
        "RemovableMedia": {"Fixed": False, "Removable": True, **yes}.get(removable or ""),
        "VirtualOrPhysical": "Virtual" if top.get("Virtual") == "Yes" else None,
    }


def disk_in_smart(name: str, text: str) -> MacDisk | None:
    """The disk that `smartctl` tells of, where nothing else does; it calls disks by their place in the device tree."""
    told = disk_in_report(text)
    if told is None or told.model is None:
        return None
    return MacDisk(
        name=name,
        size_bytes=told.size_bytes,
        model=told.model,
        transport=told.transport,
        rotational=told.rotational,
        internal=True if told.model.upper().startswith("APPLE SSD") else None,
    )


def partitions_in(listed: Json, disk: str) -> list[dict[str, Json]]:
    """The partitions of a disk in `diskutil list -plist`."""
    for entry in items(dig(listed, "AllDisksAndPartitions")):
        if words(dig(entry, "DeviceIdentifier")) == disk:
            return [
                _partition(name, integer(dig(part, "Size")), words(dig(part, "Content")))
                for part in items(dig(entry, "Partitions"))
                if (name := words(dig(part, "DeviceIdentifier")))
            ]
    return []


def listed_size(listed: Json, disk: str) -> int | None:
    """The size of a disk in `diskutil list -plist`."""
    entries = items(dig(listed, "AllDisksAndPartitions"))
    entry = next((one for one in entries if words(dig(one, "DeviceIdentifier")) == disk), None)
    return integer(dig(entry, "Size"))


def _media_name(entry: str | None) -> str | None:
    return entry.removesuffix(" Media") if entry else None


def _size(*values: Json) -> int | None:
    return next((size for value in values if (size := integer(value))), None)


def _transport(protocol: str | None, model: str | None, internal: Json) -> str | None:
    if "virtio" in (model or "").lower():
        return "virtio"
    transport = TRANSPORTS.get((protocol or "").lower())
    if transport in ("nvme", "pci") and internal is False:
        return "thunderbolt"  # PCI Express leaves the case of a Mac by no other way
    return transport


def _smart(status: str | None) -> dict[str, Json] | None:
    healthy = HEALTH.get((status or "").lower())
    return None if healthy is None else {"healthy": healthy}


def _counters(told: Json) -> dict[str, int]:
    """The counters of an NVMe disk that `diskutil` passes on, by the names of AYA's measurements."""
    plain = {"wear_percent": "PERCENTAGE_USED", "spare_percent": "AVAILABLE_SPARE"}
    wide = {
        "power_on_hours": "POWER_ON_HOURS",
        "power_cycles": "POWER_CYCLES",
        "media_errors": "MEDIA_ERRORS",
        "unsafe_shutdowns": "UNSAFE_SHUTDOWNS",
    }
    found = {name: integer(dig(told, key)) for name, key in plain.items()}
    found |= {name: integer(dig(told, f"{key}_0")) for name, key in wide.items() if not dig(told, f"{key}_1")}
    kelvin = integer(dig(told, "TEMPERATURE"))
    found["temperature_celsius"] = kelvin - 273 if kelvin else None
    return {name: value for name, value in found.items() if value is not None}


def measurements_of(disk: MacDisk) -> Iterator[Measurement]:
    """The counters as measurements, under the names that SMART has everywhere."""
    units = {"temperature_celsius": "celsius", "power_on_hours": "hours", "wear_percent": "percent"}
    units |= {"spare_percent": "percent"}
    for name, value in sorted(disk.counters.items()):
        yield Measurement(
            category="storage",
            name=name,
            value=Decimal(value),
            unit=units.get(name, "count"),
            conditions={"device": f"/dev/{disk.name}"},
        )


# --- system_profiler --------------------------------------------------------------------------------------------------


def exact_bytes(text: str | None) -> int | None:
    """The number of bytes in `160,04 GB (160 041 885 696 bytes)`; None where only the rounded size is told."""
    match = EXACT_SIZE.search(text or "")
    digits = re.sub(r"\D", "", match[1]) if match else ""
    return int(digits) if digits and len(digits) < 25 else None


def in_another_language(report: Item) -> bool:
    """Whether a report as text has labels, and none of them is English. The keys of the other forms are always known."""
    labels = {label for item in report.walk() for label in item.values}
    return any(not label.isascii() or " " in label for label in labels) and not labels & ENGLISH


def disks_on_bus(data_type: str, report: Item | None) -> list[MacDisk]:
    """The disks that the report of a bus names: whatever has the name of a whole disk, else a model and a size."""
    return list(_disks_below(report, BUSES[data_type], ())) if report is not None else []


def _disks_below(item: Item, bus: str, above: tuple[Item, ...]) -> Iterator[MacDisk]:
    name = _whole(item)
    # Some reports repeat a disk at the bus it is on: the innermost thing of that name is the disk.
    if name is not None and not any(_whole(part) == name for one in item.items for part in one.walk()):
        yield _disk_on_bus(name, bus, item, above)
        return
    if not any(_whole(part) for part in item.walk()) and item.get("device_model", "Model") and _size_told(item):
        yield _disk_on_bus("", bus, item, above)
        return
    for part in item.items:
        yield from _disks_below(part, bus, (item, *above))


def _size_told(item: Item) -> int | None:
    return item.number("size_in_bytes") or exact_bytes(item.get("size", "Capacity"))


def _whole(item: Item) -> str | None:
    name = item.get("bsd_name", "BSD Name")
    return name if name is not None and WHOLE.fullmatch(name) else None


def _disk_on_bus(name: str, bus: str, item: Item, above: tuple[Item, ...]) -> MacDisk:
    # The medium in a USB device is a thing of its own: maker and serial number are those of the device around it.
    device = item
    if bus in ("usb", "firewire") and item.get(*MAKER) is None:
        device = next((one for one in above if one.get(*MAKER)), item)
    model = item.get("device_model", "spsas_product", "Model") or device.name.strip() or item.name.strip() or None
    medium = (item.get("spsata_medium_type", "medium_type", "Medium Type") or "").lower()
    connected = (next((one for one in above if one.get("spsata_physical_interconnect")), item)).get(
        "spsata_physical_interconnect"
    )
    vendor = device.get(*MAKER)
    return MacDisk(
        name=name,
        size_bytes=_size_told(item),
        size_text=item.get("size", "Capacity"),
        vendor=vendor if bus in ("usb", "firewire", "mmc") else item.get("device_manufacturer"),
        model=model,
        serial=item.get("device_serial") or device.get("serial_num", "d_serial_num", "Serial Number"),
        firmware=item.get("device_revision", "spsas_revision", "Revision")
        or device.get("bcd_device", "c_bcd_device", "Version"),
        transport="virtio" if "virtio" in (model or "").lower() else "pci" if connected == "PCI" else bus,
        rotational={"rotational": True, "solid state": False, "ssd": False}.get(medium),
        removable=item.flag("removable_media", "Removable Media"),
        memory_card=bus == "mmc",
        internal=_internal(bus, item, model),
        smart=_smart(item.get("smart_status", "S.M.A.R.T. status")),
        partitions=_volumes_as_partitions(item, name),
    )


def _internal(bus: str, item: Item, model: str | None) -> bool | None:
    """SATA is inside, USB and FireWire are outside; NVMe may be either, where it is not Apple's own."""
    if bus in ("usb", "firewire"):
        return False
    if bus == "nvme" and not (model or "").upper().startswith("APPLE"):
        return False if item.flag("detachable_drive", "Detachable Drive") else None
    return True


def _volumes_as_partitions(disk: Item, name: str) -> list[dict[str, Json]]:
    found: dict[str, dict[str, Json]] = {}
    for item in disk.walk():
        part = item.get("bsd_name", "BSD Name")
        if part is not None and part.startswith(f"{name}s"):
            found.setdefault(part, _partition(part, _size_told(item), item.get("iocontent", "Content")))
    return [found[part] for part in sorted(found, key=_number)]


def _partition(name: str, size: int | None, content: str | None) -> dict[str, Json]:
    return {"name": name, "number": _number(name), "size_bytes": exact(size), "content": content}


def _number(name: str) -> int:
    number = re.fullmatch(r"disk\d+s(\d{1,6}).*", name)
    return int(number[1]) if number else 0


def drives_under_volumes(report: Item | None) -> list[MacDisk]:
    """The drives that SPStorageDataType names under volumes, each once. Their size is not told.

    The name is known only where the volume is a partition; what APFS makes has another number than its drive.
    """
    drives: dict[tuple[str | None, str | None, str | None], MacDisk] = {}
    for volume in report.items if report is not None else ():
        drive = volume.item("physical_drive", "Physical Drive")
        protocol = drive.get("protocol", "Protocol")
        model = drive.get("device_name", "Device Name")
        if (protocol or "").lower() in NOT_ATTACHED or (protocol is None and model is None):
            continue
        part = re.match(r"disk\d+", volume.get("bsd_name", "BSD Name") or "")
        made_by_apfs = "APFS" in (volume.get("file_system", "File System") or "").upper()
        name = part[0] if part and not made_by_apfs else None
        internal = drive.flag("is_internal_disk", "Internal")
        medium = (drive.get("medium_type", "Medium Type") or "").lower()
        drives.setdefault(
            (model, protocol, name),
            MacDisk(
                name=name or "",
                size_bytes=None,
                model=model,
                protocol=protocol,
                transport=_transport(protocol, model, internal),
                rotational={"rotational": True, "ssd": False, "solid state": False}.get(medium),
                internal=internal,
                memory_card=(protocol or "").lower() == "secure digital",
                smart=_smart(drive.get("smart_status", "S.M.A.R.T. Status")),
            ),
        )
    return list(drives.values())


def merged(*sources: Iterable[MacDisk]) -> list[MacDisk]:
    """Each disk once: the first source that names it, with what others add. A drive without a name is met by model."""
    known: list[MacDisk] = []
    for disk in (disk for source in sources for disk in source):
        same = [one for one in known if disk.name and one.name == disk.name]
        if not same and not disk.name:
            same = [
                one
                for one in known
                if one.model == disk.model and (None in (one.serial, disk.serial) or one.serial == disk.serial)
            ]
        if same:
            same[0].known_from(disk)
        else:
            known.append(disk)
    return known
