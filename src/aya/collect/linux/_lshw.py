"""What `lshw -json` lists: a tree of everything in the machine, as the firmware and the kernel describe it."""

import re
from collections.abc import Iterator

from aya.collect.disk import Disk, exact
from aya.collect.json_values import dig, integer, items, parsed, words
from aya.collect.linux._cores import Description, model_name
from aya.collect.linux._disk_names import NOT_DISKS, maker, transport_by_name
from aya.model import Json

LSHW = "lshw -json"


def nodes_in_lshw(text: str, *classes: str) -> Iterator[dict[str, Json]]:
    """The nodes of these classes, from the root on. Some versions print a list, some the root alone."""
    tree = parsed(text)
    waiting = list(tree) if isinstance(tree, list) else [tree]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, dict):
            if node.get("class") in classes:
                yield node
            waiting = [*items(node.get("children")), *waiting]


def processor_in_lshw(text: str) -> Description:
    """The processors: name, and the cores and threads of all sockets that are in use, where each tells its own."""
    nodes = [node for node in nodes_in_lshw(text, "processor") if not node.get("disabled")]
    cores = [integer(dig(node, "configuration", "cores")) for node in nodes]
    threads = [integer(dig(node, "configuration", "threads")) for node in nodes]
    if not nodes:
        return Description()
    return Description(
        model=model_name(words(nodes[0].get("product"))),
        microcode=words(dig(nodes[0], "configuration", "microcode")),
        sockets=len(nodes) if None not in cores else None,
        cores=sum(number or 0 for number in cores) if None not in cores else None,
        threads=sum(number or 0 for number in threads) if None not in threads else None,
    )


def logical_names(node: Json) -> list[str]:
    """The kernel's names of a node: there may be several, places where it is mounted among them."""
    names = dig(node, "logicalname")
    return [name for name in (names if isinstance(names, list) else [names]) if isinstance(name, str)]


def disks_in_lshw(text: str) -> list[Disk]:
    """The disks, with their partitions."""
    disks = []
    for node in nodes_in_lshw(text, "disk"):
        name = next((name.removeprefix("/dev/") for name in logical_names(node) if name.startswith("/dev/")), None)
        if (
            name is None
            or NOT_DISKS.fullmatch(name)
            or name.startswith(("cdrom", "dvd"))
            or integer(node.get("size")) is None
        ):
            continue
        bus = words(node.get("businfo")) or ""
        disk = Disk(
            name=name,
            size_bytes=integer(node.get("size")),
            vendor=maker(words(node.get("vendor"))),
            model=words(node.get("product")),
            serial=words(node.get("serial")),
            firmware=words(node.get("version")),
            transport="usb" if bus.startswith("usb") else transport_by_name(name),
        )
        for part in everything_below(node):
            label = next((label for label in logical_names(part) if label.startswith("/dev/")), "").removeprefix(
                "/dev/"
            )
            if number := re.fullmatch(re.escape(name) + r"p?(\d+)", label):
                size = integer(part.get("capacity")) or integer(part.get("size"))
                disk.partitions.append({"name": label, "number": int(number[1]), "size_bytes": exact(size)})
        disks.append(disk)
    return disks


def everything_below(node: Json) -> Iterator[dict[str, Json]]:
    """Everything below a node."""
    for child in items(dig(node, "children")):
        if isinstance(child, dict):
            yield child
            yield from everything_below(child)
