"""Disks of a Mac, APFS containers and volumes, what is mounted, and how full it is.

Disks are those that `diskutil` lists, without what APFS, disk images and RAID sets make up; the reports of the buses add
serial number and firmware. Where `diskutil` is not there (old recordings), the disks are those that the reports name.
Sizes are exact or not there: a report that only says `233.76 GB` gives its words in `size_text`.

Every APFS volume of a container has the free space of the whole container; a sum over file systems counts it many times.
Health is what the disk says of itself (SMART), passed on by `diskutil`, or asked of `smartctl` where that is installed.
"""

import re
from collections.abc import Iterable
from decimal import Decimal

from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.disk import as_terabytes, exact
from aya.collect.filesystem import Usage, filesystem_as_json
from aya.collect.json_values import parsed
from aya.collect.macos import _plist
from aya.collect.macos._apfs import containers_in, listed_volumes, observed_in, volumes_in
from aya.collect.macos._disk_list import listed_in
from aya.collect.macos._disks import (
    BUSES,
    MacDisk,
    disk_in_info,
    disk_in_smart,
    disks_on_bus,
    drives_under_volumes,
    exact_bytes,
    in_another_language,
    info_in_text,
    listed_size,
    measurements_of,
    merged,
    partitions_in,
    whole_disks_in,
)
from aya.collect.macos._mounts import Mount, mounts_in, usages_in
from aya.collect.macos._system_profiler import Item, alternatives, not_understood, outline, question, section
from aya.collect.smart import SMART_MEASURES, smart_command, understand_smart
from aya.host.reading import Command, Found, Read
from aya.model import Facts, Gap, Json, Measurement, Node, Outcome

LIST, LIST_TEXT = "diskutil list -plist", "diskutil list"
APFS = "diskutil apfs list -plist"
MOUNT, DF, DF_PLAIN = "mount", "df -k", "df"
FILEVAULT = "fdesetup status"
STORAGE = "SPStorageDataType"
FIRST_BUSES = ("SPNVMeDataType", "SPSerialATADataType", "SPUSBDataType")
LATER_BUSES = tuple(bus for bus in BUSES if bus not in FIRST_BUSES)
"""Asked where `diskutil` could not be: on today's Macs hardly any has a disk on one of these."""
MOST_DISKS = 64


def _plist_of(found: Found, command: str) -> Json:
    return _plist.plain(_plist.parsed(asked(found, command).encode("utf-8", "surrogateescape")))


def _info(found: Found, disk: str) -> Json:
    """What `diskutil info` says of a disk; None where it said nothing that is understood."""
    told = _plist_of(found, f"diskutil info -plist {disk}")
    if told is not None:
        return told
    told = info_in_text(outline(asked(found, f"diskutil info {disk}")))
    return told if told["DeviceIdentifier"] is not None else None


def _candidates(found: Found) -> list[str]:
    """The disks to ask about: those that are listed, else those that a report named, else the first one of a Mac."""
    listed = whole_disks_in(_plist_of(found, LIST))
    if listed is None:
        listed = [disk.name for disk in listed_in(asked(found, LIST_TEXT)).disks]
        listed = listed or [disk.name for bus in BUSES for disk in disks_on_bus(bus, section(found, bus)) if disk.name]
    return list(dict.fromkeys(listed or ["disk0"]))[:MOST_DISKS]


def more(found: Found) -> tuple[Read, ...]:
    """Each disk by itself, and other sources where the first are missing."""
    listed = whole_disks_in(_plist_of(found, LIST)) is not None
    reads: list[Read] = [read for kind in (STORAGE, *FIRST_BUSES) for read in alternatives(found, kind)]
    for disk in _candidates(found):
        reads.append(Command(("diskutil", "info", "-plist", disk), optional=True))
        reads.append(Command(smart_command(disk), timeout_s=10, optional=True))
        if not listed:
            reads.append(Command(("diskutil", "info", disk), optional=True))
    if not listed:
        for kind in LATER_BUSES:
            reads += [question(kind), *alternatives(found, kind)]
    if not usages_in(asked(found, DF)):
        reads.append(Command((DF_PLAIN,), optional=True))
    return tuple(reads)


def _disks(found: Found) -> list[MacDisk]:
    listed = _plist_of(found, LIST)
    by_diskutil = []
    names = whole_disks_in(listed)
    for name in names if names is not None else _candidates(found):
        info = _info(found, name)
        disk = disk_in_info(info)
        if info is None and names is not None:  # listed, so it is there, whatever it is
            disk = MacDisk(name=name, size_bytes=None)
        if disk is not None:
            disk.size_bytes = disk.size_bytes or listed_size(listed, name)
            disk.partitions = partitions_in(listed, name)
            by_diskutil.append(disk)
    on_buses = [disk for bus in BUSES for disk in disks_on_bus(bus, section(found, bus))]
    if names is not None:  # what is listed is everything: the reports may be older, or name a disk by another number
        on_buses = [disk for disk in on_buses if disk.name in [one.name for one in by_diskutil]]
    in_text = listed_in(asked(found, LIST_TEXT)).disks
    known = merged(by_diskutil, in_text, on_buses, drives_under_volumes(section(found, STORAGE)))
    by_smart = (disk_in_smart(name, asked(found, " ".join(smart_command(name)))) for name in _candidates(found))
    return known or [disk for disk in by_smart if disk is not None]


def _mounts(found: Found) -> list[Mount]:
    """What is mounted: from `mount`, else as far as the report of volumes says."""
    told = mounts_in(asked(found, MOUNT))
    if told:
        return [mount for mount in told if mount.real]
    mounts = {}
    for place, volume in _volumes(found):
        options = () if volume.flag("writable", "Writable") is not False else ("read-only",)
        mounts[place] = Mount(
            source=f"/dev/{volume.get('bsd_name', 'BSD Name')}",
            mount=place,
            type=_plain_type((volume.get("file_system", "File System") or "").lower()),
            options=options,
        )
    return [mount for _, mount in sorted(mounts.items())]


def _volumes(found: Found) -> Iterable[tuple[str, Item]]:
    """Where each volume is mounted that a report names: that of volumes, else those of the buses."""
    report = section(found, STORAGE)
    reports = [report] if report is not None else [section(found, bus) for bus in BUSES]
    for item in (item for report in reports if report is not None for item in report.walk()):
        place = item.get("mount_point", "Mount Point")
        if place is not None and place.startswith("/") and item.get("bsd_name", "BSD Name"):
            yield place, item


def _plain_type(told: str) -> str:
    """`Journaled HFS+` is what `mount` calls `hfs`, `Case-sensitive APFS` is `apfs`."""
    named = next((name for name in ("apfs", "hfs", "exfat", "ntfs") if name in told), None)
    return named or ("msdos" if told.startswith("ms-dos") else told)


def _usages(found: Found) -> dict[str, Usage]:
    usages = usages_in(asked(found, DF)) or usages_in(asked(found, DF_PLAIN))
    for place, volume in _volumes(found) if not usages else ():
        size = _bytes(volume, "size_in_bytes", "Capacity")
        free = _bytes(volume, "free_space_in_bytes", "Free", "Available")
        if size is not None and free is not None:
            device = f"/dev/{volume.get('bsd_name', 'BSD Name')}"
            usages[place] = Usage(
                source=device, type=None, mount=place, size_bytes=size, used_bytes=size - free, free_bytes=free
            )
    return usages


def _bytes(item: Item, key: str, *labels: str) -> int | None:
    number = item.number(key)
    return number if number is not None else exact_bytes(item.get(*labels))


def _system_disks(mounts: list[Mount], layers: list[dict[str, Json]], disks: list[MacDisk]) -> set[str]:
    """The disks that carry `/`: its partition's, or those under the container it is in."""
    root = next((mount.source.removeprefix("/dev/") for mount in mounts if mount.mount == "/"), "")
    whole = "disk" + root.removeprefix("disk").partition("s")[0]
    members = {str(layer["name"]): layer["members"] for layer in layers}
    parts = [str(part) for part in members.get(whole, [whole])]
    names = {"disk" + part.removeprefix("disk").partition("s")[0] for part in parts}
    return names & {disk.name for disk in disks}


def _gaps(found: Found, disks: list[MacDisk], usages: dict[str, Usage]) -> Iterable[Gap]:
    if whole_disks_in(_plist_of(found, LIST)) is None and not listed_in(asked(found, LIST_TEXT)).disks:
        yield _gap(found, "disks", LIST)
    for name in whole_disks_in(_plist_of(found, LIST)) or ():
        if _info(found, name) is None:
            yield _gap(found, f"what {name} is", f"diskutil info -plist {name}")
    for kind in (STORAGE, *BUSES):
        if (report := section(found, kind)) is not None and in_another_language(report):
            yield not_understood(kind)
    for disk in disks:
        if disk.size_bytes is None:
            yield Gap(Outcome.UNREADABLE, f"size of {disk.title}: not given exactly")
    if not usages:
        yield _gap(found, "free space", DF)


def _gap(found: Found, what: str, command: str) -> Gap:
    answer = found.answer(command)
    outcome = {Outcome.OK: Outcome.UNREADABLE, Outcome.ABSENT: Outcome.UNSUPPORTED}.get(answer.outcome, answer.outcome)
    return Gap(outcome, f"{what}: {answer.reason or f'{command} printed nothing that is understood'}")


def parse(found: Found) -> Facts:
    """Disks, containers, volumes and file systems; see the module's description."""
    disks, mounts, usages = _disks(found), _mounts(found), _usages(found)
    apfs = _plist_of(found, APFS)
    in_text = listed_in(asked(found, LIST_TEXT))
    layers = sorted(containers_in(apfs) or in_text.layers, key=lambda layer: str(layer["name"]))
    measurements: list[Measurement] = []
    for disk in disks:
        answer = found.answers().get(" ".join(smart_command(disk.name)))
        counters, _ = understand_smart(disk, answer) if answer and parsed(answer.text) else ([], None)
        measurements += counters or list(measurements_of(disk))
    disks.sort(key=lambda disk: (disk.name == "", len(disk.name), disk.name))
    system = _system_disks(mounts, layers, disks)
    internal = [disk for disk in disks if disk.external(disk.name in system) is False]
    external = [disk for disk in disks if disk.external(disk.name in system)]
    placed = len(internal) + len(external) == len(disks)
    main = max(internal, key=lambda disk: (disk.name in system, disk.size_bytes or 0), default=None)
    comparable = len(external) == 1 or all(disk.size_bytes is not None for disk in external)
    largest_external = max(external, key=lambda disk: disk.size_bytes or 0, default=None) if comparable else None
    everything = whole_disks_in(_plist_of(found, LIST)) is not None or bool(in_text.disks)
    seen_outside = everything or section(found, "SPUSBDataType") is not None
    devices = {mount.source.removeprefix("/dev/"): mount.mount for mount in reversed(mounts)}
    filevault = asked(found, FILEVAULT)
    observed: list[Json] = []
    for mount in mounts or [_of_usage(usage) for _, usage in sorted(usages.items())]:
        usage = usages.get(mount.mount)
        if usage is None or not mount.real:
            continue
        observed.append(
            {"mount": mount.mount, "free_bytes": exact(usage.free_bytes), "used_bytes": exact(usage.used_bytes)}
        )
        measurements += [
            Measurement(
                category="storage",
                name=f"filesystem_{name}_bytes",
                value=Decimal(value),
                unit="bytes",
                conditions={"mount": mount.mount},
            )
            for name, value in (("free", usage.free_bytes), ("used", usage.used_bytes))
        ]
    containers = observed_in(apfs)
    return Facts(
        node=Node(
            storage_internal_tb=_total(internal, placed and (everything or bool(internal))),
            storage_internal_type=main.technology if main else None,
            storage_internal_device=main.title if main else None,
            storage_external_tb=_total(external, placed and (seen_outside or bool(external))) if disks else None,
            storage_external_device=largest_external.title if largest_external else None,
        ),
        metadata={
            "storage": {
                "devices": [disk.entry(disk.external(disk.name in system)) for disk in disks],
                "layers": layers,
                "volumes": volumes_in(apfs, devices) or listed_volumes(in_text.volumes, devices),
                "filesystems": _filesystems(mounts, usages),
                "filevault": True
                if "FileVault is On" in filevault
                else False
                if "FileVault is Off" in filevault
                else None,
            }
        },
        observed=({"filesystems": observed} if observed else {}) | ({"containers": containers} if containers else {}),
        measurements=tuple(measurements),
        gaps=tuple(_gaps(found, disks, usages)),
    )


def _of_usage(usage: Usage) -> Mount:
    kind = "apfs" if usage.source.startswith("/dev/") else "smbfs" if _keeps_files(usage) else ""
    return Mount(source=usage.source, mount=usage.mount, type=kind, options=())


def _keeps_files(usage: Usage) -> bool:
    """Whether a line of `df` is a device or a server's share, and no invention of the kernel."""
    return re.match(r"/dev/|//|[\w.-]+:/", usage.source) is not None


def _filesystems(mounts: list[Mount], usages: dict[str, Usage]) -> list[dict[str, Json]]:
    """Those that are mounted; where that is not known, the devices and shares that `df` names."""
    if not mounts:
        return [
            filesystem_as_json(usage.mount, usage.source, None, usage.size_bytes, None, None)
            for _, usage in sorted(usages.items())
            if _keeps_files(usage)
        ]
    return [
        filesystem_as_json(
            mount.mount,
            mount.source,
            mount.type,
            usage.size_bytes if (usage := usages.get(mount.mount)) else None,
            mount.read_only,
            list(mount.options) or None,
        )
        for mount in mounts
    ]


def _total(disks: list[MacDisk], known: bool) -> Decimal | None:
    """The sum of the disks of one kind; None where one of them is of unknown size, or others may be there."""
    sizes = [disk.size_bytes for disk in disks]
    exactly = [size for size in sizes if size is not None]
    return as_terabytes(sum(exactly)) if known and len(exactly) == len(sizes) else None


collector = Collector(
    reads=(
        *(Command(tuple(command.split()), optional=True) for command in (LIST, LIST_TEXT, APFS, MOUNT, DF, FILEVAULT)),
        *(question(kind) for kind in (STORAGE, *FIRST_BUSES)),
    ),
    more=more,
    parse=parse,
    columns=(
        "storage_internal_tb",
        "storage_internal_type",
        "storage_internal_device",
        "storage_external_tb",
        "storage_external_device",
    ),
    metadata={
        "storage.devices[].name": "kernel name of the disk, `disk0`; null where only its model is known",
        "storage.devices[].vendor": "who made it, where the disk says so apart from its model",
        "storage.devices[].model": "model as the disk says it",
        "storage.devices[].serial": "serial number",
        "storage.devices[].firmware": "revision of its firmware",
        "storage.devices[].size_bytes": "size in bytes; text beyond 2^53; null where only a rounded size is told",
        "storage.devices[].size_text": "that rounded size, as it was printed",
        "storage.devices[].type": "`NVMe SSD`, `SATA SSD`, `HDD`, `Thunderbolt SSD`, `USB disk`, `SD card`",
        "storage.devices[].transport": "how it is attached: `apple-fabric`, `nvme`, `pci`, `sata`, `usb`, `thunderbolt`",
        "storage.devices[].protocol": "the same in the words of the system: `Apple Fabric`, `PCI-Express`",
        "storage.devices[].rotational": "whether it turns; null where it is not told",
        "storage.devices[].removable": "whether its medium can be taken out",
        "storage.devices[].external": "whether it counts as external storage",
        "storage.devices[].partitions[].name": "kernel name of the partition, `disk0s2`",
        "storage.devices[].partitions[].number": "its number in the partition table",
        "storage.devices[].partitions[].size_bytes": "its size in bytes",
        "storage.devices[].partitions[].content": "what it is for: `Apple_APFS`, `EFI`, `Apple_APFS_Recovery`",
        "storage.devices[].smart.healthy": "whether the disk judges itself healthy",
        "storage.layers[].name": "kernel name of the APFS container, `disk3`",
        "storage.layers[].kind": "`apfs`, or `fusion` where it spans a fast and a slow disk",
        "storage.layers[].members": "the partitions it is made of",
        "storage.layers[].size_bytes": "its size in bytes",
        "storage.volumes[].name": "name of the APFS volume: `Macintosh HD`",
        "storage.volumes[].device": "its kernel name, `disk3s1`",
        "storage.volumes[].container": "kernel name of the container it is in",
        "storage.volumes[].roles": "what the system uses it for: `System`, `Data`, `VM`, `Preboot`, `Recovery`",
        "storage.volumes[].uuid": "its UUID",
        "storage.volumes[].filevault": "whether FileVault protects it with a password",
        "storage.volumes[].encrypted": "whether it is encrypted on the disk, with or without FileVault",
        "storage.volumes[].locked": "whether it waits for its password",
        "storage.volumes[].quota_bytes": "the most it may take of its container; null where there is no limit",
        "storage.volumes[].reserve_bytes": "what is kept free for it in its container",
        "storage.volumes[].mount": "where it is mounted",
        "storage.filesystems[].mount": "where it is mounted",
        "storage.filesystems[].device": "what is mounted: a device, a server's share",
        "storage.filesystems[].type": "kind of file system: `apfs`, `hfs`, `smbfs`",
        "storage.filesystems[].size_bytes": "size in bytes; for APFS that of the whole container",
        "storage.filesystems[].read_only": "whether it is mounted read-only",
        "storage.filesystems[].options": "options of the mount, sorted: `journaled`, `local`, `sealed`",
        "storage.filevault": "whether FileVault is on for the system's volume",
        "observed.filesystems[].mount": "where it is mounted",
        "observed.filesystems[].free_bytes": "free space in bytes, at the last look; volumes of a container share it",
        "observed.filesystems[].used_bytes": "used space in bytes, at the last look",
        "observed.containers[].container": "kernel name of the APFS container",
        "observed.containers[].free_bytes": "its free space in bytes, at the last look",
    },
    measures={
        "storage.filesystem_free_bytes": "bytes: free space of a file system",
        "storage.filesystem_used_bytes": "bytes: used space of a file system",
        **SMART_MEASURES,
    },
)
