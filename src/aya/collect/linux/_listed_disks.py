"""The disks of a machine of which nobody kept /sys/block: as `lsblk`, `nvme`, `lshw`, `smartctl` and others list them.

Its names are not known before, so the usual ones are asked: of a recording, which answers what it holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from aya.collect.asked import asked
from aya.collect.disk import Disk
from aya.collect.json_values import parsed
from aya.collect.linux._lsblk import LSBLK, Listing, listed_storage
from aya.collect.linux._lshw import LSHW, disks_in_lshw
from aya.collect.linux._nvme import NVME_LIST, health_in_log, health_log_command, listed_nvme_disks
from aya.collect.linux._volumes import LVS, ZPOOL_LIST, ZPOOL_STATUS, pools_in_list, pools_in_status, volumes_in_lvs
from aya.collect.smart import disk_in_report, smart_command, understand_smart
from aya.host.reading import Command, Found, Read
from aya.model import Gap, Json, Measurement, Outcome

CONTROLLERS = tuple(f"nvme{number}" for number in range(10))
USUAL = (*(f"sd{letter}" for letter in "abcdefghijklmnop"), *CONTROLLERS, *(f"{name}n1" for name in CONTROLLERS))
ARRAYS = tuple(
    f"-d megaraid,{member} /dev/{device}"
    for device in (*(f"bus/{number}" for number in range(8)), "sda")
    for member in range(32)
)
"""Disks behind a RAID controller, by the options with which `smartctl` is asked about them."""


def _health_question(place: str) -> str:
    return f"smartctl -j -a {place}" if " " in place else " ".join(smart_command(place))


@dataclass(slots=True)
class Listed:
    """What the lists tell together."""

    disks: list[Disk] = field(default_factory=list)
    layers: list[dict[str, Json]] = field(default_factory=list)
    filesystems: list[dict[str, Json]] = field(default_factory=list)
    system: set[str] = field(default_factory=set)
    """The disks that carry `/`, as far as a list says."""
    complete: bool = False
    """Whether all disks are listed: some programs know one kind of disk, or were asked about one."""
    measurements: list[Measurement] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def questions(*, by_usual_names: bool) -> Iterator[Read]:
    """What to ask instead of /sys/block; disks by their usual names only of a recording, to which questions cost nothing."""
    for command in (*LSBLK, NVME_LIST, *ZPOOL_LIST, *ZPOOL_STATUS, *LVS, LSHW):
        yield Command(tuple(command.split()), optional=True)
    if not by_usual_names:
        return
    for name in (*USUAL, *ARRAYS):
        yield Command(tuple(_health_question(name).split()), optional=True)
    for name in (*CONTROLLERS, *(f"{name}n1" for name in CONTROLLERS)):
        yield Command(health_log_command(name), optional=True)


def listed(found: Found) -> Listed:
    """What was answered."""
    listings = (listed_storage(asked(found, command)) for command in LSBLK)
    best = next((listing for listing in listings if listing.disks), Listing())
    seen = Listed(list(best.disks), list(best.layers), best.filesystems, best.system)
    known = {disk.name for disk in seen.disks}
    seen.disks += [disk for disk in listed_nvme_disks(asked(found, NVME_LIST)) if disk.name not in known]
    by_lshw = disks_in_lshw(asked(found, LSHW))
    seen.complete = bool(best.disks or by_lshw)
    seen.disks = seen.disks or by_lshw
    questions_of = {name: _health_question(name) for name in (*USUAL, *ARRAYS)}
    reports = {
        name: found.answers()[question] for name, question in questions_of.items() if question in found.answers()
    }
    told = {name: disk for name, answer in reports.items() if (disk := disk_in_report(answer.text))}
    if not seen.disks:
        # A disk may be told of under the names of its controller and of itself.
        seen.disks = list({disk.name: disk for disk in told.values()}.values())
    for described in (*by_lshw, *told.values()):
        for disk in seen.disks:
            if disk.name == described.name:
                disk.learn(described)
    for name, described in told.items():
        if disk := next((disk for disk in seen.disks if disk.name == described.name), None):
            counters, gap = understand_smart(disk, reports[name])
            seen.measurements += counters
            seen.gaps += [gap] if gap else []
    # One that may not be asked tells why, and nothing of itself.
    for name, answer in reports.items():
        if name not in told and isinstance(parsed(answer.text), dict):
            _, gap = understand_smart(Disk(name=name, size_bytes=None), answer)
            seen.gaps += [gap] if gap else []
    if not told:
        for name in CONTROLLERS:
            log = asked(found, " ".join(health_log_command(name))) or asked(
                found, " ".join(health_log_command(f"{name}n1"))
            )
            seen.measurements += health_in_log(f"{name}n1", log)
    seen.layers += _volumes(found, {layer["name"] for layer in seen.layers})
    if not seen.disks and any(asked(found, command).strip() for command in LSBLK):
        seen.gaps.append(Gap(Outcome.UNREADABLE, "lsblk: its answer is not understood"))
    return seen


def _volumes(found: Found, known: set[str]) -> Iterator[dict[str, Json]]:
    pools = next((pools for command in ZPOOL_LIST if (pools := pools_in_list(asked(found, command)))), [])
    pools = pools or next((pools for command in ZPOOL_STATUS if (pools := pools_in_status(asked(found, command)))), [])
    volumes = next((volumes for command in LVS if (volumes := volumes_in_lvs(asked(found, command)))), [])
    yield from (layer for layer in (*pools, *volumes) if layer["name"] not in known)
