"""Disks, layers and file systems as `lsblk` prints them: for recordings of machines whose /sys nobody kept."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from aya.collect.disk import Disk, exact, layer_as_json
from aya.collect.filesystem import filesystem_as_json
from aya.collect.json_values import dig, integer, items, parsed, words
from aya.collect.linux._disk_names import NOT_DISKS, maker, transport_by_name
from aya.collect.linux._filesystems import is_real
from aya.model import Json


def _plain(name: str | None) -> str:
    return (name or "").removeprefix("/dev/").removeprefix("mapper/")


@dataclass(slots=True)
class Listing:
    """What one list tells."""

    disks: list[Disk] = field(default_factory=list)
    layers: list[dict[str, Json]] = field(default_factory=list)
    filesystems: list[dict[str, Json]] = field(default_factory=list)
    system: set[str] = field(default_factory=set)
    """The disks that carry `/`."""


def _listed_devices(nodes: Json, parent: str | None = None) -> Iterator[tuple[dict[str, Json], str | None]]:
    """Each device under its kernel name, where that is told, and what it is on."""
    for node in items(nodes):
        if isinstance(node, dict) and isinstance(name := node.get("kname") or node.get("name"), str):
            over = words(node.get("pkname"))
            yield (
                node | {"name": _plain(name), "shown": _plain(words(node.get("name")) or name)},
                _plain(over) or parent,
            )
            yield from _listed_devices(node.get("children"), _plain(name))


def _kind(name: str, parent: str | None) -> str | None:
    """What a device is, by its name, where a list of other columns (`lsblk -f`) does not say."""
    if parent is None and re.fullmatch(r"(sd|vd|xvd|dasd)[a-z]+|nvme\d+n\d+|mmcblk\d+", name):
        return "disk"
    partition = re.fullmatch(r"((?:sd|vd|xvd|dasd)[a-z]+)\d+|((?:nvme\d+n|mmcblk)\d+)p\d+", name)
    return "part" if partition and parent in partition.groups() else None


def _path(node: dict[str, Json]) -> str:
    if path := words(node.get("path")):
        return path
    mapped = node.get("type") in ("lvm", "crypt", "mpath") and not re.fullmatch(r"dm-\d+", node["shown"])
    return f"/dev/mapper/{node['shown']}" if mapped else f"/dev/{node['name']}"


def _listed_flag(value: Json) -> bool | None:
    return value if isinstance(value, bool) else {"0": False, "1": True}.get(str(value))


LSBLK = ("lsblk -J -b -O", "lsblk -P -b -O", "lsblk -b -O")
"""Its forms: JSON, pairs, table."""


def _nodes(text: str) -> Json:
    """What is listed, in the shape of the JSON."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    if text.lstrip().startswith("{"):
        return dig(parsed(text), "blockdevices")
    if re.match(r'\s*[A-Z:_-]+="', text):
        rows = (re.findall(r'([A-Z:_-]+)="([^"]*)"', line) for line in text.split("\n"))
        return [
            {key.lower(): value.split("\\x0a") if key == "MOUNTPOINTS" else value for key, value in row}
            for row in rows
            if row
        ]
    return _tree(text)


def _tree(text: str) -> Json:
    """The tree that `lsblk` draws: what stands further right hangs on what stands above it."""
    lines = text.split("\n")
    heads = [(match[0], match.start(), match.end()) for match in re.finditer(r"\S+", lines[0])]
    if not heads or heads[0][0] != "NAME":
        return []
    nodes: list[dict[str, Json]] = []
    above: list[tuple[int, str]] = []
    for line in lines[1:]:
        name = re.match(r"[│├└─| `-]*([^\s│├└─]\S*)", line)
        if name is None or name.start(1) >= heads[1][1] - 1:
            # A device that is mounted at several places has a line for each.
            if nodes and line.strip("│├└─| `-").startswith("/"):
                nodes[-1]["mountpoints"] = [*items(nodes[-1].get("mountpoints")), line.strip("│├└─| `-")]
            continue
        above = [(depth, parent) for depth, parent in above if depth < name.start(1)]
        node: dict[str, Json] = {"name": name[1], "fstype": None} if "FSTYPE" in lines[0] else {"name": name[1]}
        node["pkname"] = above[-1][1] if above else None
        for key, value in _cells(line, name.end(), heads[1:]).items():
            node[key] = [value] if key == "mountpoints" else value
        above.append((name.start(1), words(node.get("kname")) or name[1]))
        nodes.append(node)
    return nodes


def _cells(line: str, start: int, heads: list[tuple[str, int, int]]) -> dict[str, str]:
    """The values of a line by their columns. Numbers end where their heading ends, texts begin where it begins."""
    cells: dict[str, str] = {}
    for match in re.finditer(r"\S+", line[start:]):
        begin, end = match.start() + start, match.end() + start
        under = [head for head in heads if head[1] < end and begin < head[2]] or [
            head for head in heads if head[1] <= begin
        ][-1:]
        if under:
            key = min(under, key=lambda head: abs(head[2] - end))[0].lower()
            cells[key] = f"{cells[key]} {match[0]}" if key in cells else match[0]
    return cells


def listed_storage(text: str) -> Listing:
    """Disks, layers and file systems in what lsblk printed in any of its forms; empty where it is none."""
    disks: dict[str, Disk] = {}
    layers: dict[str, dict[str, Json]] = {}
    filesystems: dict[str, dict[str, Json]] = {}
    below: dict[str, set[str]] = {}
    root = None
    devices = list(_listed_devices(_nodes(text)))
    names = {node["name"] for node, _ in devices}
    for node, parent in devices:
        name, size = node["name"], integer(node.get("size"))
        kind = words(node.get("type")) or (_kind(name, parent) if "type" not in node else None)
        below.setdefault(name, set()).update([parent] if parent else [])
        if kind == "disk" and not NOT_DISKS.fullmatch(name) and size != 0:
            disks[name] = Disk(
                name=name,
                size_bytes=size,
                vendor=maker(words(node.get("vendor"))),
                model=words(node.get("model")),
                serial=words(node.get("serial")),
                firmware=words(node.get("rev")),
                transport=_transport(words(node.get("tran"))) or transport_by_name(name),
                rotational=_listed_flag(node.get("rota")),
                removable=_listed_flag(node.get("rm")),
                # Only what is soldered in has partitions to start from.
                memory_card=None if name.startswith("mmcblk") and f"{name}boot0" not in names else False,
            )
        elif kind == "part":
            disk = disks.get(parent or "") or next(
                (disk for disk in disks.values() if re.fullmatch(re.escape(disk.name) + r"p?\d+", name)), None
            )
            if disk is not None:
                below[name].add(disk.name)
                number = re.search(r"\d+$", name)
                disk.partitions.append(
                    {"name": name, "number": integer(number[0]) if number else None, "size_bytes": exact(size)}
                )
        elif kind is not None and re.fullmatch(r"lvm|crypt|mpath|raid\d+|linear|bcache", kind):
            layer = layers.setdefault(
                name, layer_as_json(node["shown"], {"mpath": "multipath"}.get(kind, kind), [], size)
            )
            layer["members"] = sorted({*layer["members"], *([parent] if parent else [])})
        places = [words(place) for place in [node.get("mountpoint"), *items(node.get("mountpoints"))]]
        mounts = sorted(
            (place for place in places if place and place.startswith("/")), key=lambda place: (len(place), place)
        )
        root = name if "/" in mounts else root
        system = words(node.get("fstype"))
        # A short list names no file systems: what is mounted from a partition or a volume is one all the same.
        unnamed = "fstype" not in node and kind != "loop" and kind != "rom"
        if mounts and (unnamed or is_real(system, mounts[0])):
            size, read_only = integer(node.get("fssize")), _listed_flag(node.get("ro"))
            filesystems[mounts[0]] = filesystem_as_json(mounts[0], _path(node), system, size, read_only, None)
    return Listing(
        list(disks.values()),
        list(layers.values()),
        [filesystems[mount] for mount in sorted(filesystems)],
        carriers(root, below) & disks.keys(),
    )


def _transport(text: str | None) -> str | None:
    """How a disk is attached. `spi` is parallel SCSI, which the kernel shows as `scsi`; `ata` says less than `sata`."""
    return {"spi": "scsi", "": None}.get(text or "", text)


def carriers(name: str | None, below: Mapping[str, Iterable[str]]) -> set[str]:
    """Everything that a device is on, itself included."""
    carrying: set[str] = set()
    waiting = [name] if name else []
    while waiting:
        if (one := waiting.pop()) not in carrying:
            carrying.add(one)
            waiting += below.get(one, ())
    return carrying
