"""Disks as `lsblk` and `nvme list` print them: for recordings of machines whose /sys nobody kept."""

import re
from collections.abc import Iterator

from aya.collect.disk import Disk, exact, layer_as_json
from aya.collect.filesystem import filesystem_as_json
from aya.collect.json_values import dig, integer, items, parsed, words
from aya.collect.linux._disk_names import NOT_DISKS, maker, transport_by_name
from aya.collect.linux._filesystems import is_real
from aya.model import Json


def _plain(name: str | None) -> str:
    return (name or "").removeprefix("/dev/").removeprefix("mapper/")


def _listed_devices(nodes: Json, parent: str | None = None) -> Iterator[tuple[dict[str, Json], str | None]]:
    for node in items(nodes):
        if isinstance(node, dict) and isinstance(name := node.get("kname") or node.get("name"), str):
            over = words(node.get("pkname"))
            yield node | {"name": _plain(name), "path": f"/dev/{name.removeprefix('/dev/')}"}, _plain(over) or parent
            yield from _listed_devices(node.get("children"), _plain(name))


def _listed_flag(value: Json) -> bool | None:
    return value if isinstance(value, bool) else {"0": False, "1": True}.get(str(value))


def listed_storage(text: str) -> tuple[list[Disk], list[dict[str, Json]], list[dict[str, Json]]]:
    """Disks, layers and file systems in what lsblk printed as JSON; empty where it is none."""
    disks: dict[str, Disk] = {}
    layers: dict[str, dict[str, Json]] = {}
    filesystems: dict[str, dict[str, Json]] = {}
    for node, parent in _listed_devices(dig(parsed(text), "blockdevices")):
        name, kind, size = node["name"], words(node.get("type")), integer(node.get("size"))
        if kind == "disk" and not NOT_DISKS.fullmatch(name) and size != 0:
            disks[name] = Disk(
                name=name,
                size_bytes=size,
                vendor=maker(words(node.get("vendor"))),
                model=words(node.get("model")),
                serial=words(node.get("serial")),
                firmware=words(node.get("rev")),
                transport=words(node.get("tran")) or transport_by_name(name),
                rotational=_listed_flag(node.get("rota")),
                removable=_listed_flag(node.get("rm")),
            )
        elif kind == "part":
            disk = disks.get(parent or "") or next(
                (disk for disk in disks.values() if re.fullmatch(re.escape(disk.name) + r"p?\d+", name)), None
            )
            if disk is not None:
                number = re.search(r"\d+$", name)
                disk.partitions.append(
                    {"name": name, "number": integer(number[0]) if number else None, "size_bytes": exact(size)}
                )
        elif kind is not None and re.fullmatch(r"lvm|crypt|mpath|raid\d+|linear|bcache", kind):
            layer = layers.setdefault(name, layer_as_json(name, {"mpath": "multipath"}.get(kind, kind), [], size))
            layer["members"] = sorted({*layer["members"], *([parent] if parent else [])})
        places = [words(place) for place in [node.get("mountpoint"), *items(node.get("mountpoints"))]]
        mounts = sorted(
            (place for place in places if place and place.startswith("/")), key=lambda place: (len(place), place)
        )
        system = words(node.get("fstype"))
        if mounts and is_real(system, mounts[0]):
            size, read_only = integer(node.get("fssize")), _listed_flag(node.get("ro"))
            filesystems[mounts[0]] = filesystem_as_json(mounts[0], node["path"], system, size, read_only, None)
    return list(disks.values()), list(layers.values()), [filesystems[mount] for mount in sorted(filesystems)]


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
                    size_bytes=integer(node.get("PhysicalSize")),
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
