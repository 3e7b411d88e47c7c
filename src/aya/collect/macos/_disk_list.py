"""Disks, APFS containers and volumes in the text of `diskutil list`, where its property list was not kept.

Its sizes are rounded, so that none of them is a size; what is inside and what is outside it says plainly.
"""

import re
from dataclasses import dataclass, field

from aya.collect.disk import layer_as_json
from aya.collect.macos._disks import MacDisk
from aya.model import Json

HEAD = re.compile(r"/dev/(?P<name>disk\d+) \((?P<words>[^)]*)\):?\s*")
ROW = re.compile(
    r"\s*\d+:\s+(?P<kind>\S.*?)\s+[*+]?(?P<size>\d+(?:[.,]\d+)? [KMGTP]?B)\s+(?P<name>disk\d+(?:s\d+)*)\s*"
)
STORE = re.compile(r"\s*Physical Stores? (?P<stores>disk[\ds, disk]+)\s*")
TITLES = re.compile(r"\s*#:\s+TYPE NAME\s+SIZE\s+IDENTIFIER\s*")
TYPE_END = 31
"""Where the column of types ends, to which they are written; names may hold blanks, and types as well."""
LONGEST_LINE = 1024


@dataclass(slots=True)
class Listed:
    """What the list tells."""

    disks: list[MacDisk] = field(default_factory=list)
    layers: list[dict[str, Json]] = field(default_factory=list)
    volumes: list[dict[str, str]] = field(default_factory=list)
    """Name, device and container of each volume."""


def listed_in(text: str) -> Listed:
    """The list; empty where it is something else."""
    listed = Listed()
    name, words, end = "", set[str](), TYPE_END
    for line in text.splitlines():
        if len(line) > LONGEST_LINE:
            continue
        if head := HEAD.fullmatch(line):
            name, words = head["name"], {word.strip() for word in head["words"].split(",")}
            if "synthesized" in words:
                listed.layers.append(layer_as_json(name, "apfs", [], None))
            elif not words & {"disk image", "virtual"}:
                internal = True if "internal" in words else False if "external" in words else None
                listed.disks.append(MacDisk(name=name, size_bytes=None, internal=internal))
        elif TITLES.fullmatch(line):
            end = line.index("TYPE") + len("TYPE")
        elif "synthesized" in words and (store := STORE.fullmatch(line)):
            listed.layers[-1]["members"] = sorted(re.findall(r"disk\d+s\d+", store["stores"]))
        elif row := ROW.fullmatch(line):
            kind = line[row.start("kind") : max(end, row.start("kind"))].strip()
            _row(listed, name, words, row, kind, line[max(end, row.start("kind")) : row.end("kind")].strip())
    return listed


def _row(listed: Listed, name: str, words: set[str], row: re.Match[str], kind: str, title: str) -> None:
    if "synthesized" in words:
        if kind == "APFS Volume":
            listed.volumes.append({"name": title, "device": row["name"], "container": name})
    elif listed.disks and listed.disks[-1].name == name:
        disk = listed.disks[-1]
        if row["name"] == name:
            disk.size_text = row["size"]
        else:
            number = int(row["name"].rpartition("s")[2][:6])
            disk.partitions.append({"name": row["name"], "number": number, "size_bytes": None, "content": kind})
