"""The processor as the kernel lays it out in `/sys/devices/system/cpu`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aya.collect.json_values import integer
from aya.collect.linux._arm import rank_of
from aya.collect.linux._cores import X86_VENDORS, Cache, CoreClass, Description, kib, ranked
from aya.collect.linux._processors import processors
from aya.host.reading import File, Files, Found, Names, Read

ROOT = "/sys/devices/system/cpu"
CPU = f"{ROOT}/cpu[0-9]*"
INTEL_CLASSES = (
    ("/sys/devices/cpu_core/cpus", 3),
    ("/sys/devices/cpu_atom/cpus", 2),
    ("/sys/devices/cpu_lowpower/cpus", 1),
)
"""The kernel's lists of the processors of a hybrid, and the rank of each class."""

FILES = (
    *("topology/thread_siblings_list", "topology/physical_package_id", "cpu_capacity"),
    *("cpufreq/cpuinfo_max_freq", "cpufreq/cpuinfo_min_freq"),
    *(f"cache/index[0-9]*/{name}" for name in ("level", "type", "size", "shared_cpu_list", "coherency_line_size")),
)
READS: tuple[Read, ...] = (
    *(Files(f"{CPU}/{name}", optional=True) for name in FILES),
    *(File(f"{ROOT}/{name}", optional=True) for name in ("online", "present", "smt/control")),
    *(File(path, optional=True) for path, _ in INTEL_CLASSES),
    Names("/sys/firmware/acpi", optional=True),
)
"""Optional, because text of other programs says the same; what is refused is a gap all the same."""


def shows_topology(found: Found) -> bool:
    """Whether the kernel tells which processors share a core."""
    return any(found.matches(f"{CPU}/topology/thread_siblings_list"))


def read_topology(found: Found, cpuinfo: Description) -> Description:
    """What `/sys/devices/system/cpu` says: cores, classes, caches, rated frequencies."""
    siblings = _per_processor(found, "topology/thread_siblings_list")
    online = processors(found.text(f"{ROOT}/online")) or frozenset(siblings)
    # A thread of a processor that is away must not make a core of its own.
    cores = {threads & online for text in siblings.values() if (threads := processors(text)) and threads & online}
    if not cores:
        return Description()
    present = processors(found.text(f"{ROOT}/present"))
    packages = {text for text in _per_processor(found, "topology/physical_package_id").values() if text.isdigit()}
    # Without ACPI the kernel of an ARM board may number clusters as packages.
    packages_are_sockets = (
        len(packages) == 1 or cpuinfo.vendor in X86_VENDORS or any(found.matches("/sys/firmware/acpi"))
    )
    highest = {number: integer(text) or 0 for number, text in _per_processor(found, "cpufreq/cpuinfo_max_freq").items()}
    lowest = {number: integer(text) or 0 for number, text in _per_processor(found, "cpufreq/cpuinfo_min_freq").items()}
    classes = ranked(_kernel_classes(found, cores, cpuinfo, highest, lowest))
    return Description(
        sockets=len(packages) if packages and packages_are_sockets else None,
        cores=len(cores) if _no_core_hides(found, len(cores), len(online), present) else None,
        threads=len(online),
        threads_per_core=max(len(threads) for threads in cores),
        online=online,
        present=len(present) if present else None,
        max_mhz=_mhz(max(highest.values(), default=0)),
        min_mhz=_mhz(min(lowest.values(), default=0)),
        classes=classes,
        caches=_kernel_caches(found, classes),
    )


def _no_core_hides(found: Found, cores: int, online: int, present: frozenset[int] | None) -> bool:
    """Whether every core has a processor that is online."""
    if present is None or len(present) <= online:
        return True
    # With multithreading switched off exactly one thread of each core is online.
    return found.line(f"{ROOT}/smt/control") in ("off", "forceoff") and cores == online and len(present) == 2 * cores


def _kernel_classes(
    found: Found,
    cores: set[frozenset[int]],
    cpuinfo: Description,
    highest: Mapping[int, int],
    lowest: Mapping[int, int],
) -> Iterable[CoreClass]:
    intel = {number: rank for path, rank in INTEL_CLASSES for number in processors(found.text(path)) or ()}
    models = cpuinfo.names if len(set(cpuinfo.names.values())) > 1 else {}
    # On x86 the kernel derives the capacity of a core from its highest frequency: favoured cores are no class.
    capacities = {} if cpuinfo.vendor in X86_VENDORS else _per_processor(found, "cpu_capacity")
    alike: dict[tuple[int, str], set[frozenset[int]]] = {}
    for core in cores:
        first = min(core)
        # Cores of one model are one class: on servers firmware gives each core a capacity of its own.
        kind = (intel.get(first, 0), models.get(first, "") if cpuinfo.names else capacities.get(first, ""))
        alike.setdefault(kind, set()).add(core)
    for (rank, _), group in alike.items():
        numbers = frozenset[int]().union(*group)
        fastest = max(highest.get(number, 0) for number in numbers)
        yield CoreClass(
            name=models.get(min(numbers)),
            cores=len(group),
            threads=len(numbers),
            max_mhz=_mhz(fastest),
            min_mhz=_mhz(min((lowest[number] for number in numbers if lowest.get(number)), default=0)),
            speed=(
                rank
                or max(integer(capacities.get(number)) or 0 for number in numbers)
                or (rank_of(models.get(min(numbers))) if len(alike) > 1 else 0),
                fastest,
            ),
            numbers=numbers,
        )


def _kernel_caches(found: Found, classes: Sequence[CoreClass]) -> tuple[Cache, ...]:
    members: dict[Cache, set[frozenset[int]]] = {}
    for path, level in found.matches(f"{CPU}/cache/index[0-9]*/level"):
        folder = path.removesuffix("level")
        number = _number(path)
        sharing = processors(found.text(folder + "shared_cpu_list"))
        cache_type = found.line(folder + "type")
        if number is None or not sharing or cache_type is None or (integer(level) or 0) < 1:
            continue
        cache = Cache(
            level=int(level),
            type=cache_type,
            place=next((place for place, c in enumerate(classes) if number in c.numbers), None),
            size_kib=kib(found.line(folder + "size")),
            line_bytes=integer(found.line(folder + "coherency_line_size")) or None,
            shared_by_threads=len(sharing),
        )
        members.setdefault(cache, set()).add(sharing)
    return tuple(
        replace(cache, instances=len(groups), total_kib=cache.size_kib and cache.size_kib * len(groups))
        for cache, groups in sorted(members.items(), key=lambda item: _cache_order(item[0]))
    )


def _cache_order(cache: Cache) -> tuple[int, ...]:
    types = ("Data", "Instruction", "Unified")
    place = types.index(cache.type) if cache.type in types else len(types)
    return (
        cache.level,
        place,
        -1 if cache.place is None else cache.place,
        cache.size_kib or 0,
        cache.shared_by_threads or 0,
    )


def _number(path: str) -> int | None:
    found = re.match(rf"{ROOT}/cpu(\d+)/", path)
    return int(found[1]) if found else None


def _per_processor(found: Found, name: str) -> dict[int, str]:
    return {
        number: text.strip() for path, text in found.matches(f"{CPU}/{name}") if (number := _number(path)) is not None
    }


def _mhz(khz: int) -> int | None:
    return round(khz / 1000) or None
