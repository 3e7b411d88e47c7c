"""Disks, the file systems on them, and what lies between: RAID, LVM, encryption, ZFS.

A *disk* is a whole device that holds data by itself. Loop, RAM, zram, device-mapper, RAID and optical devices are not;
what the kernel builds on disks is a *layer*. The virtual disk of a virtual machine is its internal disk.
*External* is what comes by USB or Thunderbolt, what is removable, and what is reached over a network; a memory card is
external unless the system runs from it. Sizes are exact bytes, TB are 10^12 bytes; 0 TB external means: there is none.

`storage_internal_type` and `storage_internal_device` speak of the internal disk that carries `/`, else of the largest.
Whether a disk turns is left unknown where the kernel only guesses (virtual disks, USB bridges, RAID controllers).
A file system that is mounted several times (bind mounts, snapshots of containers) appears once; read-only images
(snaps) and kernel file systems do not. Free space and the counters of SMART are measurements.
"""

import re
from decimal import Decimal

from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.disk import Disk, as_terabytes, exact, layer_as_json
from aya.collect.json_values import integer
from aya.collect.linux._disk_names import NOT_DISKS, maker, transport_by_name
from aya.collect.linux._filesystems import Mount, filesystems_of, mounts_in, usage_of, usages_in
from aya.collect.linux._lsblk import listed_nvme_disks, listed_storage
from aya.collect.smart import smart_command, understand_smart
from aya.host.reading import Call, Command, File, Files, Found, Links, Names, Read
from aya.model import Facts, Gap, Json, Measurement, Node, Outcome

DF = "df -PlTB1"
DF_PLAIN = "df -PkT"
LSBLK = "lsblk -J -b -O"
NVME_LIST = "nvme list -o json"
ZPOOL_LIST = "zpool list -vp"

SECTOR_BYTES = 512
"""The unit of sizes in /sys/block, whatever the disk's own sectors are."""


# --- /sys/block ---------------------------------------------------------------------------------------------------


def _whole_devices(found: Found) -> dict[str, str]:
    """Every block device, and where in the device tree it hangs."""
    return {path.rsplit("/", 1)[1]: target for path, target in found.matches("/sys/block/*")}


def _flag(text: str | None) -> bool | None:
    return {"0": False, "1": True}.get(text or "")


def _sectors(found: Found, path: str) -> int | None:
    sectors = integer(found.line(path))
    return None if sectors is None else sectors * SECTOR_BYTES


def _transport(found: Found, name: str, place: str) -> str | None:
    if "/usb" in place:
        return "usb"
    if name.startswith("nvme"):
        fabric = found.line(f"/sys/block/{name}/device/transport")
        if fabric not in (None, "pcie"):
            return f"nvme-{fabric}"
        leaves_the_case = found.line(f"/sys/block/{name}/device/device/removable") == "removable"
        return "thunderbolt" if leaves_the_case else "nvme"
    for pattern, transport in (
        (r"/virtio\d+/", "virtio"),
        (r"/vbd-|^xvd", "xen"),
        (r"/(vmbus|VMBUS)", "hyper-v"),
        (r"/session\d+/", "iscsi"),
        (r"/rport-", "fc"),
        (r"/(end_device|expander|phy)-", "sas"),
        (r"/ata\d+/", "sata"),
        (r"/mmc_host/", "mmc"),
        (r"/ndbus\d+/", "nvdimm"),
        (r"/target\d+:", "scsi"),
    ):
        if re.search(pattern, place):
            return transport
    return transport_by_name(name)


def _udev(found: Found, number: str | None) -> dict[str, str]:
    """What udev found out about a device (`E:KEY=value` lines); empty where there is no udev."""
    if number is None:
        return {}
    lines = (found.text(f"/run/udev/data/b{number}") or "").splitlines()
    pairs = (line[2:].partition("=") for line in lines if line.startswith("E:"))
    return {key: value for key, _, value in pairs}


def _unescaped(text: str | None) -> str | None:
    r"""udev writes blanks as `\x20`."""
    if text is None:
        return None
    plain = re.sub(r"\\x([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), text)
    return " ".join(plain.split()) or None


def _serial_page(found: Found, name: str) -> str | None:
    """The serial number in SCSI page 80h: four bytes of header, then text."""
    data = found.answer(f"/sys/block/{name}/device/vpd_pg80").data[4:]
    text = data.decode("ascii", errors="ignore").strip(" \0")
    return text if text.isprintable() and text else None


def _disk(found: Found, name: str, place: str) -> Disk:
    def read(attribute: str) -> str | None:
        return found.line(f"/sys/block/{name}/{attribute}")

    udev = _udev(found, read("dev"))
    return Disk(
        name=name,
        size_bytes=_sectors(found, f"/sys/block/{name}/size"),
        vendor=maker(read("device/vendor")),
        # The kernel cuts the model of a SATA disk to 16 letters; udev has all of it.
        model=_unescaped(udev.get("ID_MODEL_ENC")) or read("device/model") or read("device/name"),
        serial=read("serial")
        or read("device/serial")
        or udev.get("ID_SCSI_SERIAL")
        or udev.get("ID_SERIAL_SHORT")
        or _serial_page(found, name),
        firmware=read("device/firmware_rev") or read("device/fwrev") or udev.get("ID_REVISION") or read("device/rev"),
        transport=_transport(found, name, place),
        rotational=_flag(read("queue/rotational")),
        removable=_flag(read("removable")),
        memory_card=read("device/type") == "SD",
        partitions=_partitions(found, name),
    )


def _partitions(found: Found, name: str) -> list[dict[str, Json]]:
    partitions = []
    for path, number in found.matches(f"/sys/block/{name}/*/partition"):
        folder = path.rsplit("/", 1)[0]
        partitions.append(
            {
                "name": folder.rsplit("/", 1)[1],
                "number": integer(number.strip()),
                "size_bytes": exact(_sectors(found, f"{folder}/size")),
            }
        )
    return sorted(partitions, key=lambda partition: (partition["number"] or 0, partition["name"]))


def _disks_in_sysfs(found: Found) -> list[Disk]:
    disks = []
    for name, place in _whole_devices(found).items():
        if NOT_DISKS.fullmatch(name) or found.line(f"/sys/block/{name}/hidden") == "1":
            continue
        disk = _disk(found, name, f"{place}/")
        if disk.size_bytes != 0:  # an empty card reader or drive
            disks.append(disk)
    return disks


def _members(found: Found, name: str) -> list[str]:
    return [path.rsplit("/", 1)[1] for path, _ in found.matches(f"/sys/block/{name}/slaves/*")]


def _layers_in_sysfs(found: Found) -> list[dict[str, Json]]:
    layers = []
    for name in _whole_devices(found):
        mapped = found.line(f"/sys/block/{name}/dm/name")
        level = found.line(f"/sys/block/{name}/md/level")
        if mapped is not None:
            kind = (found.line(f"/sys/block/{name}/dm/uuid") or "").split("-")[0].lower()
            kind = {"lvm": "lvm", "crypt": "crypt", "mpath": "multipath", "dmraid": "raid"}.get(kind, "device-mapper")
        elif level is not None:
            kind = level
        elif name.startswith("bcache"):
            kind = "bcache"
        else:
            continue
        layers.append(
            layer_as_json(
                mapped or name,
                kind,
                _members(found, name),
                _sectors(found, f"/sys/block/{name}/size"),
                degraded=integer(found.line(f"/sys/block/{name}/md/degraded")),
            )
        )
    return layers


def _pools(text: str) -> list[dict[str, Json]]:
    """The pools in `zpool list -vp`: those not indented, whose devices follow indented."""
    lines = [line for line in text.splitlines() if line.strip()]
    header = lines[0].split() if lines else []
    if header[:1] != ["NAME"] or "HEALTH" not in header:
        return []
    layers: list[dict[str, Json]] = []
    for line in lines[1:]:
        # A column may be empty at the end of a row, never in the middle.
        row = dict(zip(header, line.split(), strict=False))
        if not line[0].isspace():
            layers.append(layer_as_json(row["NAME"], "zfs", [], integer(row.get("SIZE")), health=row.get("HEALTH")))
        elif layers and not re.fullmatch(r"(mirror|raidz\d?|draid\S*|spare|replacing|logs?|cache)(-\d+)?", row["NAME"]):
            layers[-1]["members"].append(row["NAME"])
    for layer in layers:
        layer["members"].sort()
    return layers


def _system_disks(found: Found, mounts: list[Mount], layers: list[dict[str, Json]]) -> set[str]:
    """The disks that carry `/`: its device, or what lies under the layers it is on."""
    root = next((mount for mount in reversed(mounts) if mount.mount == "/"), None)
    if root is None:
        return set()
    holder: dict[str, str] = {}
    for name in _whole_devices(found):
        holder[name] = name
        holder[found.line(f"/sys/block/{name}/dev") or name] = name
        holder[f"mapper/{found.line(f'/sys/block/{name}/dm/name')}"] = name
        for path, number in found.matches(f"/sys/block/{name}/*/dev"):
            holder[path.split("/")[4]] = holder[number.strip()] = name
    pools = {layer["name"]: layer["members"] for layer in layers if layer["kind"] == "zfs"}
    waiting = [root.device_number, root.source.removeprefix("/dev/"), *pools.get(root.source.split("/")[0], ())]
    carrying: set[str] = set()
    while waiting:
        name = holder.get(waiting.pop(), "")
        if name and name not in carrying:
            carrying.add(name)
            waiting += _members(found, name)
    return carrying


def _listed_system_disks(
    disks: list[Disk], layers: list[dict[str, Json]], filesystems: list[dict[str, Json]]
) -> set[str]:
    """The same, where only names are known."""
    below = {layer["name"]: layer["members"] for layer in layers}
    below |= {partition["name"]: [disk.name] for disk in disks for partition in disk.partitions}
    waiting = [filesystem["device"].rsplit("/", 1)[-1] for filesystem in filesystems if filesystem["mount"] == "/"]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += below.get(name, [])
    return seen & {disk.name for disk in disks}


# --- the whole --------------------------------------------------------------------------------------------------------


def more(found: Found) -> tuple[Read, ...]:
    """SMART of each disk that can have it, where we may ask; and other sources where the first are missing."""
    reads: list[Read] = []
    if found.line("user-id") == "0":
        reads += [
            Command(smart_command(disk.name), timeout_s=10, optional=True)
            for disk in _disks_in_sysfs(found)
            if disk.may_have_smart
        ]
    if not _whole_devices(found):
        reads.append(Command(tuple(LSBLK.split()), optional=True))
        reads.append(Command(tuple(NVME_LIST.split()), optional=True))
    if not usages_in(found.answer(DF).text) and not found.answer(DF).broken_off:
        reads.append(Command(tuple(DF_PLAIN.split()), optional=True))
    if found.answer("/dev/zfs").outcome is Outcome.OK:
        reads.append(Command(tuple(ZPOOL_LIST.split())))
    return tuple(reads)


def parse(found: Found) -> Facts:
    """Disks, layers and file systems of the machine; see the module's description."""
    gaps: list[Gap] = []
    measurements: list[Measurement] = []
    mounts = mounts_in(found.text("/proc/self/mountinfo") or "")
    usages = usages_in(found.answer(DF).text) or usages_in(asked(found, DF_PLAIN))
    filesystems = filesystems_of(mounts, usages)
    if _whole_devices(found):
        disks, layers = _disks_in_sysfs(found), _layers_in_sysfs(found)
    else:
        disks, layers, listed = listed_storage(asked(found, LSBLK))
        filesystems = filesystems or listed
        disks += [
            disk for disk in listed_nvme_disks(asked(found, NVME_LIST)) if disk.name not in [d.name for d in disks]
        ]
        if not disks:
            gaps.append(Gap(Outcome.UNSUPPORTED, "disks: neither /sys/block nor lsblk is there"))
    layers += _pools(asked(found, ZPOOL_LIST))
    answer = found.answer(DF)
    if not usages and not answer.broken_off:  # which is a gap by itself
        outcome = {Outcome.OK: Outcome.UNREADABLE, Outcome.ABSENT: Outcome.UNSUPPORTED}.get(
            answer.outcome, answer.outcome
        )
        gaps.append(Gap(outcome, f"free space: {answer.reason or 'df gave no table'}"))

    system = _system_disks(found, mounts, layers) or _listed_system_disks(disks, layers, filesystems)
    for disk in disks:
        if not disk.may_have_smart:
            continue
        if found.line("user-id") != "0":
            gaps.append(Gap(Outcome.DENIED, f"health of /dev/{disk.name}: only root may ask"))
        elif _whole_devices(found):
            counters, gap = understand_smart(disk, found.answer(" ".join(smart_command(disk.name))))
            measurements += counters
            gaps += [gap] if gap else []
    disks.sort(key=lambda disk: disk.name)
    internal = [disk for disk in disks if not disk.external(disk.name in system)]
    external = [disk for disk in disks if disk.external(disk.name in system)]
    main = max(internal, key=lambda disk: (disk.name in system, disk.size_bytes or 0), default=None)
    largest_external = max(external, key=lambda disk: disk.size_bytes or 0, default=None)
    gaps += [
        Gap(Outcome.UNREADABLE, f"size of /dev/{disk.name}: not given exactly")
        for disk in disks
        if disk.size_bytes is None
    ]

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
            storage_internal_tb=_total(internal, disks),
            storage_internal_type=main.technology if main else None,
            storage_internal_device=main.title if main else None,
            storage_external_tb=_total(external, disks),
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
        Links("/sys/block/*"),
        *(
            Files(f"/sys/block/*/{attribute}", optional=True)
            for attribute in (
                "size",
                "dev",
                "removable",
                "hidden",
                "serial",
                "queue/rotational",
                "device/vendor",
                "device/model",
                "device/name",
                "device/serial",
                "device/rev",
                "device/firmware_rev",
                "device/fwrev",
                "device/type",
                "device/transport",
                "device/vpd_pg80",
                "device/device/removable",
                "dm/name",
                "dm/uuid",
                "md/level",
                "md/degraded",
                "*/partition",
                "*/size",
                "*/dev",
            )
        ),
        Names("/sys/block/*/slaves/*"),
        Files("/run/udev/data/b*", optional=True),
        File("/proc/self/mountinfo"),
        Command(tuple(DF.split()), optional=True),
        Names("/dev/zfs"),
        Call("user-id"),
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
        "storage.devices[].external": "whether it counts as external storage",
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
    },
)
