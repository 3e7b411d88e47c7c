"""Disks, the file systems on them, and what lies between: RAID, LVM, encryption, ZFS.

A *disk* is a whole device that holds data by itself. Loop, RAM, zram, device-mapper, RAID and optical devices are not;
what the kernel builds on disks is a *layer*. The virtual disk of a virtual machine is its internal disk.
*External* is what comes by USB or Thunderbolt, what is removable, and what is reached over a network; a memory card is
external unless the system runs from it. Sizes are exact bytes, TB are 10^12 bytes; 0 TB external means: there is none.

`storage_internal_type` and `storage_internal_device` speak of the internal disk that carries `/`, else of the largest.
Whether a disk turns is left unknown where the kernel only guesses (virtual disks, USB bridges, RAID controllers).
Where nobody kept /sys/block, disks are those that `lsblk`, `nvme`, `lshw` or `smartctl` tell of; without a list of all
disks the sums are not known, and neither are they where nothing says whether a disk is inside.
A file system that is mounted several times (bind mounts, snapshots of containers) appears once; read-only images
(snaps) and kernel file systems do not. Free space and the counters of SMART are measurements.
"""

from decimal import Decimal

from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.disk import Disk, as_terabytes, exact
from aya.collect.filesystem import Usage
from aya.collect.linux import _block, _listed_disks
from aya.collect.linux._block import disks_in_sysfs, layers_in_sysfs, system_disks, whole_devices
from aya.collect.linux._filesystems import (
    Mount,
    filesystems_of,
    mounts_in,
    mounts_in_findmnt,
    mounts_in_table,
    mounts_printed,
    places_in,
    usage_of,
    usages_in,
)
from aya.collect.linux._listed_disks import Listed
from aya.collect.linux._lsblk import carriers
from aya.collect.linux._volumes import ZPOOL_LIST, pools_in_list
from aya.collect.smart import SMART_MEASURES, smart_command, understand_smart
from aya.host.reading import Call, Command, File, Found, Names, Read
from aya.model import Facts, Gap, Json, Measurement, Node, Outcome

MOUNTINFO = "/proc/self/mountinfo"
MOUNT_TABLES = ("/proc/self/mounts", "/proc/mounts")
DF = "df -PlTB1"
DF_OTHERS = ("df -PkT", "df -T", "df -k", "df")
DF_ROUNDED = ("df -h", "df -hT")


def _listed_system_disks(listed: Listed, filesystems: list[dict[str, Json]]) -> set[str]:
    """The disks that carry `/`, where only names are known."""
    below = {layer["name"]: layer["members"] for layer in listed.layers}
    below |= {partition["name"]: [disk.name] for disk in listed.disks for partition in disk.partitions}
    root = next((one["device"].rsplit("/", 1)[-1] for one in filesystems if one["mount"] == "/"), None)
    return listed.system or carriers(root, below) & {disk.name for disk in listed.disks}


def more(found: Found) -> tuple[Read, ...]:
    """SMART of each disk that can have it, where we may ask; and other sources where the first are missing."""
    reads: list[Read] = []
    if found.line("user-id") in ("0", None):
        reads += [
            Command(smart_command(disk.name), timeout_s=10, optional=True)
            for disk in disks_in_sysfs(found)
            if disk.may_have_smart
        ]
    if not whole_devices(found):
        # Every live machine shows what is mounted.
        reads += _listed_disks.questions(by_usual_names=found.text(MOUNTINFO) is None)
    elif found.answer("/dev/zfs").outcome is Outcome.OK:
        reads.append(Command(tuple(ZPOOL_LIST[0].split())))
    if found.text(MOUNTINFO) is None:
        reads += [File(path, optional=True) for path in MOUNT_TABLES]
        reads += [Command((program,), optional=True) for program in ("findmnt", "mount")]
    if not usages_in(found.answer(DF).text) and not found.answer(DF).broken_off:
        reads += [Command(tuple(command.split()), optional=True) for command in (*DF_OTHERS, *DF_ROUNDED)]
    return tuple(reads)


def _mounts(found: Found) -> list[Mount]:
    """What is mounted, by the source that says most."""
    return (
        mounts_in(found.text(MOUNTINFO) or "")
        or next((mounts for path in MOUNT_TABLES if (mounts := mounts_in_table(asked(found, path)))), [])
        or mounts_in_findmnt(asked(found, "findmnt"))
        or mounts_printed(asked(found, "mount"))
    )


def _usages(found: Found) -> dict[str, Usage]:
    forms = (found.answer(DF).text, *(asked(found, command) for command in DF_OTHERS))
    return next((usages for text in forms if (usages := usages_in(text))), {})


def _rounded(found: Found) -> list[dict[str, Json]]:
    """Where file systems are, by a table whose figures are rounded."""
    return next((places for command in DF_ROUNDED if (places := places_in(asked(found, command)))), [])


def parse(found: Found) -> Facts:
    """Disks, layers and file systems of the machine; see the module's description."""
    gaps: list[Gap] = []
    measurements: list[Measurement] = []
    mounts, usages = _mounts(found), _usages(found)
    filesystems = filesystems_of(mounts, usages) or _rounded(found)
    if whole_devices(found):
        disks, layers, complete = disks_in_sysfs(found), layers_in_sysfs(found), True
        layers += pools_in_list(asked(found, ZPOOL_LIST[0]))
        system = system_disks(found, mounts, layers)
    else:
        listed = _listed_disks.listed(found)
        disks, layers, complete = listed.disks, listed.layers, listed.complete
        filesystems = filesystems or listed.filesystems
        system = _listed_system_disks(listed, filesystems)
        measurements += listed.measurements
        gaps += listed.gaps
        if not disks and not gaps:
            gaps.append(Gap(Outcome.UNSUPPORTED, "disks: neither /sys/block nor a program that lists them is there"))
    answer = found.answer(MOUNTINFO)
    if not filesystems and answer.outcome not in (Outcome.OK, Outcome.ABSENT):
        gaps.append(Gap(answer.outcome, f"file systems: {answer.reason}"))
    answer = found.answer(DF)
    if not usages and not answer.broken_off:  # which is a gap by itself
        outcome = {Outcome.OK: Outcome.UNREADABLE, Outcome.ABSENT: Outcome.UNSUPPORTED}.get(
            answer.outcome, answer.outcome
        )
        gaps.append(Gap(outcome, f"free space: {answer.reason or 'df gave no table'}"))

    for disk in disks if whole_devices(found) else ():
        if not disk.may_have_smart:
            continue
        if found.line("user-id") not in ("0", None):
            gaps.append(Gap(Outcome.DENIED, f"health of /dev/{disk.name}: only root may ask"))
        else:
            counters, gap = understand_smart(disk, found.answer(" ".join(smart_command(disk.name))))
            measurements += counters
            gaps += [gap] if gap else []
    disks.sort(key=lambda disk: disk.name)
    internal = [disk for disk in disks if disk.external(disk.name in system) is False]
    external = [disk for disk in disks if disk.external(disk.name in system)]
    placed = complete and len(internal) + len(external) == len(disks)
    main = max(internal, key=lambda disk: (disk.name in system, disk.size_bytes or 0), default=None)
    largest_external = max(external, key=lambda disk: disk.size_bytes or 0, default=None)
    gaps += [
        Gap(Outcome.UNREADABLE, f"size of /dev/{disk.name}: not given exactly")
        for disk in disks
        if disk.size_bytes is None
    ]

    if disks and not placed:
        why = "nothing tells of some whether they are inside the machine" if complete else "nothing lists all of them"
        gaps.append(Gap(Outcome.UNSUPPORTED, f"disks: {why}"))
    observed: list[Json] = []
    for filesystem in filesystems:
        mount = filesystem["mount"]
        usage = usage_of(mount, filesystem["device"], usages)
        if usage is None:
            continue
        observed.append({"mount": mount, "free_bytes": exact(usage.free_bytes), "used_bytes": exact(usage.used_bytes)})
        measurements += [
            Measurement(
                category="storage",
                name=f"filesystem_{name}_bytes",
                value=Decimal(value),
                unit="bytes",
                conditions={"mount": mount},
            )
            for name, value in (("free", usage.free_bytes), ("used", usage.used_bytes))
        ]
    return Facts(
        node=Node(
            storage_internal_tb=_total(internal, disks) if placed else None,
            storage_internal_type=main.technology if main else None,
            storage_internal_device=main.title if main else None,
            storage_external_tb=_total(external, disks) if placed else None,
            storage_external_device=largest_external.title if largest_external else None,
        ),
        metadata={
            "storage": {
                "devices": [disk.as_json(disk.external(disk.name in system)) for disk in disks],
                "layers": sorted(layers, key=lambda layer: (layer["kind"], layer["name"])),
                "filesystems": filesystems,
            }
        },
        observed={"filesystems": observed} if observed else {},
        measurements=tuple(measurements),
        gaps=tuple(gaps),
    )


def _total(kind: list[Disk], disks: list[Disk]) -> Decimal | None:
    """The sum of the disks of one kind; None where one of them is of unknown size, or no disk was seen at all."""
    sizes = [disk.size_bytes for disk in kind]
    known = [size for size in sizes if size is not None]
    return as_terabytes(sum(known)) if disks and len(known) == len(sizes) else None


collector = Collector(
    reads=(
        *_block.READS,
        File(MOUNTINFO, optional=True),
        Command(tuple(DF.split()), optional=True),
        Names("/dev/zfs", optional=True),
        Call("user-id", optional=True),
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
        "storage.devices[].name": "kernel name of the disk, `nvme0n1`",
        "storage.devices[].vendor": "who made it, where the disk says so apart from its model",
        "storage.devices[].model": "model as the disk says it",
        "storage.devices[].serial": "serial number",
        "storage.devices[].firmware": "revision of its firmware",
        "storage.devices[].size_bytes": "size in bytes; text beyond 2^53",
        "storage.devices[].type": "`NVMe SSD`, `SATA SSD`, `HDD`, `virtio disk`, `eMMC`, `USB disk`, `RAID volume`",
        "storage.devices[].transport": "how it is attached: `nvme`, `sata`, `sas`, `usb`, `thunderbolt`, `virtio`",
        "storage.devices[].rotational": "whether it turns; null where the kernel only guesses",
        "storage.devices[].removable": "whether its medium can be taken out",
        "storage.devices[].external": "whether it counts as external storage; null where nothing tells",
        "storage.devices[].partitions[].name": "kernel name of the partition",
        "storage.devices[].partitions[].number": "its number in the partition table",
        "storage.devices[].partitions[].size_bytes": "its size in bytes",
        "storage.devices[].smart.healthy": "whether the disk judges itself healthy",
        "storage.layers[].name": "name of the RAID array, logical volume, encrypted volume or pool",
        "storage.layers[].kind": "`lvm`, `crypt`, `multipath`, `raid1` and other RAID levels, `zfs`, `bcache`",
        "storage.layers[].members": "what it is made of: kernel names of disks, partitions and layers",
        "storage.layers[].size_bytes": "its size in bytes",
        "storage.layers[].degraded": "how many members of a RAID array are missing",
        "storage.layers[].health": "what ZFS says of the pool: `ONLINE`, `DEGRADED`, `FAULTED`, ...",
        "storage.filesystems[].mount": "where it is mounted",
        "storage.filesystems[].device": "what is mounted: a device, a pool's dataset, a server's share",
        "storage.filesystems[].type": "kind of file system, `ext4`",
        "storage.filesystems[].size_bytes": "size in bytes as programs see it; null for network shares and for ZFS",
        "storage.filesystems[].read_only": "whether it is mounted read-only",
        "storage.filesystems[].options": "options of the mount and of the file system, sorted",
        "observed.filesystems[].mount": "where it is mounted",
        "observed.filesystems[].free_bytes": "free space for ordinary users in bytes, at the last look",
        "observed.filesystems[].used_bytes": "used space in bytes, at the last look",
    },
    measures={
        "storage.filesystem_free_bytes": "bytes: free space of a file system for ordinary users",
        "storage.filesystem_used_bytes": "bytes: used space of a file system",
        **SMART_MEASURES,
    },
)
