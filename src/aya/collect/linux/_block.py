"""Disks, and what is built on them, as the kernel shows them in `/sys/block`."""

import re

from aya.collect.disk import Disk, exact, layer_as_json
from aya.collect.json_values import integer
from aya.collect.linux._disk_names import NOT_DISKS, maker, transport_by_name
from aya.collect.linux._filesystems import Mount
from aya.host.reading import Files, Found, Links, Names, Read
from aya.model import Json

SECTOR_BYTES = 512
"""The unit of sizes in /sys/block, whatever the disk's own sectors are."""


ATTRIBUTES = (
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
READS: tuple[Read, ...] = (
    Links("/sys/block/*", optional=True),
    *(Files(f"/sys/block/*/{attribute}", optional=True) for attribute in ATTRIBUTES),
    Names("/sys/block/*/slaves/*", optional=True),
    Files("/run/udev/data/b*", optional=True),
)


def whole_devices(found: Found) -> dict[str, str]:
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
    if number is None or not re.fullmatch(r"\d+:\d+", number):
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


def disks_in_sysfs(found: Found) -> list[Disk]:
    disks = []
    for name, place in whole_devices(found).items():
        if NOT_DISKS.fullmatch(name) or found.line(f"/sys/block/{name}/hidden") == "1":
            continue
        disk = _disk(found, name, f"{place}/")
        if disk.size_bytes != 0:  # an empty card reader or drive
            disks.append(disk)
    return disks


def _members(found: Found, name: str) -> list[str]:
    return [path.rsplit("/", 1)[1] for path, _ in found.matches(f"/sys/block/{name}/slaves/*")]


def layers_in_sysfs(found: Found) -> list[dict[str, Json]]:
    layers = []
    for name in whole_devices(found):
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


def system_disks(found: Found, mounts: list[Mount], layers: list[dict[str, Json]]) -> set[str]:
    """The disks that carry `/`: its device, or what lies under the layers it is on."""
    root = next((mount for mount in reversed(mounts) if mount.mount == "/"), None)
    if root is None:
        return set()
    holder: dict[str, str] = {}
    for name in whole_devices(found):
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
