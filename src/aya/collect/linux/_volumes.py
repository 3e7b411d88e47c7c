"""What volume managers say they built on disks: ZFS pools (`zpool`) and logical volumes (`lvs`)."""

import re

from aya.collect.disk import layer_as_json
from aya.collect.json_values import dig, integer, items, parsed, words
from aya.model import Json

ZPOOL_LIST = ("zpool list -vp", "zpool list -v", "zpool list -p", "zpool list")
ZPOOL_STATUS = ("zpool status -v", "zpool status")
LVS = ("lvs --reportformat json --units b", "lvs --reportformat json")
GROUPS = re.compile(r"(mirror|raidz\d?|draid\S*|spares?|replacing|logs?|cache|special|dedup)(-\d+)?")
"""What stands between a pool and its devices."""


def pools_in_list(text: str) -> list[dict[str, Json]]:
    """The pools in `zpool list`: those not indented, whose devices follow indented with `-v`. Sizes are exact with `-p`."""
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
        elif layers and not GROUPS.fullmatch(row["NAME"]):
            layers[-1]["members"].append(row["NAME"])
    for layer in layers:
        layer["members"].sort()
    return layers


def pools_in_status(text: str) -> list[dict[str, Json]]:
    """The pools in `zpool status`, with their devices; it tells no sizes."""
    layers: list[dict[str, Json]] = []
    in_table = False
    for line in text.splitlines():
        words_of = line.split()
        if words_of[:1] == ["pool:"] and len(words_of) > 1:
            layers.append(layer_as_json(words_of[1], "zfs", [], None))
            in_table = False
        elif not layers:
            continue
        elif words_of[:1] == ["state:"] and len(words_of) > 1:
            layers[-1]["health"] = words_of[1]
        elif words_of[:2] == ["NAME", "STATE"]:
            in_table = True
        elif words_of[:1] == ["errors:"]:
            in_table = False
        elif in_table and words_of and words_of[0] != layers[-1]["name"] and not GROUPS.fullmatch(words_of[0]):
            layers[-1]["members"].append(words_of[0])
    for layer in layers:
        layer["members"].sort()
    return layers


def volumes_in_lvs(text: str) -> list[dict[str, Json]]:
    """The logical volumes in the JSON of `lvs`, under the names that the kernel has for them. Sizes in bytes count only."""
    layers = []
    for report in items(dig(parsed(text), "report")):
        for volume in items(dig(report, "lv")):
            group, name = words(dig(volume, "vg_name")), words(dig(volume, "lv_name"))
            if group and name:
                mapped = f"{group.replace('-', '--')}-{name.replace('-', '--')}"
                size = integer((words(dig(volume, "lv_size")) or "").removesuffix("B"))
                layers.append(layer_as_json(mapped, "lvm", [], size))
    return layers
