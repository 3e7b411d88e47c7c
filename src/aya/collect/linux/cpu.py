"""The processor: model, architecture, physical cores and their classes, caches, and instruction-set features.

Sources, best first: `/sys/devices/system/cpu` (which threads share a core, caches, classes), `/proc/cpuinfo` (names and
features), and `lscpu` where the first is missing.

**Cores are physical.** They are counted as groups of threads that share one. Where only a text is left:

- `lscpu`: cores per socket times sockets; it looks at online processors only, so with some offline the figure counts
  only if it accounts for the others as well.
- `/proc/cpuinfo` of x86: only if every package shows as many processors as it says it has (`siblings`), so a single
  block copied out of a larger machine is not taken for a machine with one core; without `siblings` it is not known.
- `/proc/cpuinfo` of ARM, which says nothing of cores: one core per processor, for two or more processors numbered
  without a hole, unless the model can run several threads in a core.

With processors offline the kernel hides which core they belong to: cores are then not known, except where they are
offline because multithreading is switched off.

**Performance and efficiency cores** are told apart by the kernel's own lists on Intel, by capacity, model and highest
frequency on ARM. Efficiency cores are the slowest class; all faster classes are performance cores, and each class is
in `metadata.cpu.classes`, fastest first. Both columns are NULL where all cores are alike. AMD's compact cores are not
told apart by the kernel.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from aya.collect.collector import Collector
from aya.collect.json_values import integer, parsed, words
from aya.collect.linux._processors import as_list, processors
from aya.host.reading import Call, Command, File, Files, Found, Names, Read
from aya.model import Facts, Gap, Json, Node, Outcome

T = TypeVar("T")
ROOT = "/sys/devices/system/cpu"
CPU = f"{ROOT}/cpu[0-9]*"
INTEL_CLASSES = (
    ("/sys/devices/cpu_core/cpus", 3),
    ("/sys/devices/cpu_atom/cpus", 2),
    ("/sys/devices/cpu_lowpower/cpus", 1),
)
"""The kernel's lists of the processors of a hybrid, and the rank of each class."""

ARM_PARTS = {
    ("0x41", "0xb76"): "ARM1176",
    ("0x41", "0xc05"): "Cortex-A5",
    ("0x41", "0xc07"): "Cortex-A7",
    ("0x41", "0xc08"): "Cortex-A8",
    ("0x41", "0xc09"): "Cortex-A9",
    ("0x41", "0xc0e"): "Cortex-A17",
    ("0x41", "0xc0f"): "Cortex-A15",
    ("0x41", "0xd03"): "Cortex-A53",
    ("0x41", "0xd04"): "Cortex-A35",
    ("0x41", "0xd05"): "Cortex-A55",
    ("0x41", "0xd06"): "Cortex-A65",
    ("0x41", "0xd07"): "Cortex-A57",
    ("0x41", "0xd08"): "Cortex-A72",
    ("0x41", "0xd09"): "Cortex-A73",
    ("0x41", "0xd0a"): "Cortex-A75",
    ("0x41", "0xd0b"): "Cortex-A76",
    ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd0d"): "Cortex-A77",
    ("0x41", "0xd40"): "Neoverse-V1",
    ("0x41", "0xd41"): "Cortex-A78",
    ("0x41", "0xd43"): "Cortex-A65AE",
    ("0x41", "0xd44"): "Cortex-X1",
    ("0x41", "0xd46"): "Cortex-A510",
    ("0x41", "0xd47"): "Cortex-A710",
    ("0x41", "0xd48"): "Cortex-X2",
    ("0x41", "0xd49"): "Neoverse-N2",
    ("0x41", "0xd4a"): "Neoverse-E1",
    ("0x41", "0xd4d"): "Cortex-A715",
    ("0x41", "0xd4e"): "Cortex-X3",
    ("0x41", "0xd4f"): "Neoverse-V2",
    ("0x41", "0xd80"): "Cortex-A520",
    ("0x41", "0xd81"): "Cortex-A720",
    ("0x41", "0xd82"): "Cortex-X4",
    ("0x41", "0xd83"): "Neoverse-V3AE",
    ("0x41", "0xd84"): "Neoverse-V3",
    ("0x41", "0xd85"): "Cortex-X925",
    ("0x41", "0xd87"): "Cortex-A725",
    ("0x41", "0xd8e"): "Neoverse-N3",
    ("0x42", "0x516"): "ThunderX2",
    ("0x43", "0x0a1"): "ThunderX",
    ("0x43", "0x0af"): "ThunderX2",
    ("0x46", "0x001"): "A64FX",
    ("0x48", "0xd01"): "Kunpeng-920",
    ("0x4e", "0x004"): "Carmel",
    ("0x50", "0x000"): "X-Gene",
    ("0x61", "0x022"): "Icestorm-M1",
    ("0x61", "0x023"): "Firestorm-M1",
    ("0x61", "0x024"): "Icestorm-M1-Pro",
    ("0x61", "0x025"): "Firestorm-M1-Pro",
    ("0x61", "0x028"): "Icestorm-M1-Max",
    ("0x61", "0x029"): "Firestorm-M1-Max",
    ("0x61", "0x032"): "Blizzard-M2",
    ("0x61", "0x033"): "Avalanche-M2",
    ("0xc0", "0xac3"): "Ampere-1",
    ("0xc0", "0xac4"): "Ampere-1a",
}
"""Implementer and part (the register MIDR_EL1) -> name. Numbers as in the kernel's `arch/arm64/include/asm/cputype.h`
and Arm's reference manuals; names as `lscpu` writes them."""

ARM_MAKERS = {
    "0x41": "ARM",
    "0x42": "Broadcom",
    "0x43": "Cavium",
    "0x46": "FUJITSU",
    "0x48": "HiSilicon",
    "0x4e": "NVIDIA",
    "0x50": "APM",
    "0x51": "Qualcomm",
    "0x53": "Samsung",
    "0x61": "Apple",
    "0x69": "Intel",
    "0xc0": "Ampere",
}

ARM_SEVERAL_THREADS = {"Cortex-A65", "Cortex-A65AE", "Neoverse-E1", "ThunderX2"}
ARM_SERVERS = ("Neoverse", "Kunpeng", "ThunderX", "Ampere", "A64FX")
"""Cores of servers: never built in two classes, so a sum divides evenly among them."""

INTEL_PRIVATE_L2 = frozenset(
    {26, 30, 31, 46, 37, 44, 47, 42, 45, 58, 62, 60, 63, 69, 70, 61, 71, 79, 86, 78, 94, 85, 142, 158, 102, 126, 125}
    | {106, 108, 140, 141, 165, 166, 167, 143, 207}
)
"""Models of Intel family 6, Nehalem to Emerald Rapids, in which every core has an L2 of its own (SDM volume 4, table
2-1); not Atom, Core 2 and the hybrids, where cores share it."""

X86_VENDORS = {"GenuineIntel", "AuthenticAMD", "HygonGenuine", "CentaurHauls", "Shanghai"}
ARCHITECTURES = {"aarch64": "ARM64", "arm64": "ARM64", "armv8l": "ARM64", "amd64": "x86_64"}
"""Where the source document writes it otherwise than the kernel does; armv8l is what a 64-bit ARM kernel tells 32-bit
programs."""
ARM_VERSIONS = {"v5l": "armv5tel", "v6l": "armv6l", "v7l": "armv7l"}
SCALE = {"": Decimal(1) / 1024, "B": Decimal(1) / 1024, "K": Decimal(1), "M": Decimal(1024), "G": Decimal(1048576)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Caches that are alike. None: not known."""

    level: int
    type: str
    place: int | None = None
    """The class of cores they belong to: its place in the list of classes."""
    size_kib: int | None = None
    line_bytes: int | None = None
    shared_by_threads: int | None = None
    instances: int | None = None
    total_kib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreClass:
    """Cores that are alike."""

    name: str | None = None
    role: str | None = None
    cores: int | None = None
    threads: int | None = None
    max_mhz: int | None = None
    min_mhz: int | None = None
    speed: tuple[int, int] = (0, 0)
    """What classes are ordered by: capacity or rank, then the highest frequency."""
    numbers: frozenset[int] = frozenset()
    """Its processors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What one source says of the processor."""

    model: str | None = None
    architecture: str | None = None
    vendor: str | None = None
    family: str | None = None
    number: str | None = None
    stepping: str | None = None
    microcode: str | None = None
    sockets: int | None = None
    cores: int | None = None
    threads: int | None = None
    threads_per_core: int | None = None
    online: frozenset[int] | None = None
    present: int | None = None
    max_mhz: int | None = None
    min_mhz: int | None = None
    line_bytes: int | None = None
    features: tuple[str, ...] = ()
    classes: tuple[CoreClass, ...] = ()
    caches: tuple[Cache, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    """The model of each processor, where it says."""


def more(found: Found) -> tuple[Read, ...]:
    """Without the kernel's topology: what `lscpu` makes of the machine."""
    return () if any(found.matches(f"{CPU}/topology/thread_siblings_list")) else (Command(("lscpu",), optional=True),)


def parse(found: Found) -> Facts:
    """Columns of the processor and `metadata.cpu`."""
    cpuinfo = read_cpuinfo(found.text("/proc/cpuinfo") or "")
    answer = found.answers().get("lscpu")
    lscpu = read_lscpu(answer.text if answer is not None and answer.outcome is Outcome.OK else "")
    kernel = read_topology(found, cpuinfo)
    topology = (kernel, lscpu, cpuinfo)
    naming = (cpuinfo, lscpu)

    classes = next((source.classes for source in topology if source.classes), ())
    caches = next((source.caches for source in topology if source.caches), ())
    online = _first(source.online for source in topology)
    cpu: dict[str, Json] = {
        "vendor": _first(source.vendor for source in naming),
        "family": _first(source.family for source in naming),
        "model": _first(source.number for source in naming),
        "stepping": _first(source.stepping for source in naming),
        "microcode": _first(source.microcode for source in naming),
        "sockets": _first(source.sockets for source in topology),
        "threads": _first(source.threads for source in topology),
        "threads_per_core": _first(source.threads_per_core for source in topology),
        "processors_present": _first(source.present for source in topology),
        "processors_online": as_list(online) if online else None,
        "max_mhz": _first(source.max_mhz for source in topology),
        "min_mhz": _first(source.min_mhz for source in topology),
        "page_size_bytes": integer(found.text("page-size")),
        "cache_line_bytes": _first([*(cache.line_bytes for cache in caches), cpuinfo.line_bytes]),
        "classes": [_class_json(place, core_class, caches) for place, core_class in enumerate(classes)],
        "caches": [_cache_json(cache) for cache in caches],
        "features": list(cpuinfo.features or lscpu.features),
        "vulnerabilities": [
            {"name": path.rpartition("/")[2], "status": text.strip()}
            for path, text in found.matches(f"{ROOT}/vulnerabilities/*")
            if text.strip()
        ],
    }
    machine = words(parsed(found.text("machine-architecture")))
    models = list(dict.fromkeys(core_class.name for core_class in classes if core_class.name))
    l2 = _cache_of_fastest(caches, 2, ("Unified", "Data"))
    node = Node(
        cpu_model=" + ".join(models) if len(models) > 1 else _first(source.model for source in naming),
        cpu_architecture=_first([ARCHITECTURES.get(machine or "", machine), lscpu.architecture, cpuinfo.architecture]),
        cpu_cores_total=_first(source.cores for source in topology),
        cpu_cores_performance=_cores(classes, "performance"),
        cpu_cores_efficiency=_cores(classes, "efficiency"),
        cpu_l1_cache_kb=_cache_of_fastest(caches, 1, ("Data", "Unified")),
        cpu_l2_cache_mb=Decimal(l2) / 1024 if l2 else None,
    )
    gaps = []
    if answer is not None and answer.outcome is Outcome.OK and lscpu == Description():
        gaps.append(Gap(Outcome.UNREADABLE, "lscpu: nothing in its answer is understood"))
    if node.cpu_cores_total is None:
        gaps.append(Gap(Outcome.UNSUPPORTED, "cores: nothing tells which processors share one, or some are offline"))
    return Facts(node=node, metadata={"cpu": cpu}, gaps=tuple(gaps))


# --- the kernel's own files


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
    classes = _ranked(_kernel_classes(found, cores, cpuinfo, highest, lowest))
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
            speed=(rank or max(integer(capacities.get(number)) or 0 for number in numbers), fastest),
            numbers=numbers,
        )


def _ranked(classes: Iterable[CoreClass]) -> tuple[CoreClass, ...]:
    """Classes, fastest first, with their roles: the slowest are efficiency cores, all others performance cores."""
    ordered = sorted(classes, key=lambda c: (-c.speed[0], -c.speed[1], c.name or "", min(c.numbers, default=0)))
    speeds = {core_class.speed for core_class in ordered}
    if len(speeds) < 2 or (0, 0) in speeds:
        return tuple(ordered)
    slowest = min(speeds)
    return tuple(replace(c, role="efficiency" if c.speed == slowest else "performance") for c in ordered)


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
            size_kib=_kib(found.line(folder + "size")),
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


# --- /proc/cpuinfo


def read_cpuinfo(text: str) -> Description:
    """What `/proc/cpuinfo` says: names, features, and cores where every package is shown whole."""
    head, blocks = _blocks(text)
    numbers = [int(block["processor"]) for block in blocks]

    def get(*keys: str) -> str | None:
        return next((block[key] for key in keys for block in (*blocks, head) if block.get(key)), None)

    names = {}
    for number, block in zip(numbers, blocks, strict=True):
        part = block.get("CPU part") or get("CPU part")
        maker = block.get("CPU implementer") or get("CPU implementer")
        if part and maker:
            names[number] = ARM_PARTS.get((maker.lower(), part.lower())) or f"{maker}/{part}"
    maker, part = get("CPU implementer"), get("CPU part")
    features = get("flags", "Features", "features", "isa") or ""
    whole = numbers == list(range(len(numbers))) and len(numbers) > 0
    return replace(
        _counted(blocks, names) if whole else Description(),
        model=ARM_PARTS.get(((maker or "").lower(), (part or "").lower()))
        or _model(get("model name", "Processor", "cpu", "uarch")),
        architecture=_architecture(features.split(), get("model name", "Processor") or ""),
        vendor=get("vendor_id") or ARM_MAKERS.get((maker or "").lower()),
        family=get("cpu family"),
        number=get("model") if get("vendor_id") else part,
        stepping=get("stepping") or _arm_revision(get("CPU variant"), get("CPU revision")),
        microcode=get("microcode"),
        line_bytes=integer(get("clflush size")),
        features=tuple(sorted(set(features.replace("_", " ").split() if get("isa") else features.split()))),
        names=names,
    )


def _blocks(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """What stands before the first processor, and each processor. Some kernels put no empty line between them."""
    head: dict[str, str] = {}
    blocks: list[dict[str, str]] = []
    for line in text.splitlines():
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            continue
        if key == "processor" and integer(value) is not None:
            blocks.append({})
        (blocks[-1] if blocks else head).setdefault(key, value)
    return head, blocks


def _counted(blocks: Sequence[Mapping[str, str]], names: Mapping[int, str]) -> Description:
    """Sockets, cores and threads, if these processors are all there are and say how they belong together."""
    packages: dict[str, list[Mapping[str, str]]] = {}
    for block in blocks:
        packages.setdefault(block.get("physical id", ""), []).append(block)
    if "" not in packages:
        cores = 0
        for members in packages.values():
            seen = len({block.get("core id") for block in members})
            if any(
                block.get("siblings") != str(len(members)) or block.get("cpu cores") != str(seen) for block in members
            ):
                return Description()
            cores += seen
        return Description(
            sockets=len(packages), cores=cores, threads=len(blocks), threads_per_core=len(blocks) // cores
        )
    if len(blocks) > 1 and len(names) == len(blocks) and not ARM_SEVERAL_THREADS & set(names.values()):
        return Description(cores=len(blocks), threads=len(blocks), threads_per_core=1)
    return Description()


def _model(name: str | None) -> str | None:
    """The name in one spacing, without the revision that old ARM kernels add; some say `-` for unknown."""
    name = " ".join((name or "").split())
    specific = re.fullmatch(r"(?!ARMv|AArch64)(.+?) rev \d+ \(\w+\)", name)
    return (specific[1] if specific else name).strip("-") or None


def _architecture(features: Sequence[str], banner: str) -> str | None:
    if "lm" in features:
        return "x86_64"
    if "asimd" in features:
        return "ARM64"
    if features and re.match(r"rv(32|64)", features[0]):
        return f"riscv{features[0][2:4]}"
    version = re.search(r"\((v\d+l)\)", banner)
    return ARM_VERSIONS.get(version[1]) if version else None


def _arm_revision(variant: str | None, revision: str | None) -> str | None:
    """`r1p0`, as Arm's manuals and `lscpu` write it."""
    if variant is None or revision is None or not re.fullmatch(r"0x[0-9a-fA-F]{1,2}", variant):
        return None
    return f"r{int(variant, 16)}p{revision}"


# --- lscpu


def read_lscpu(text: str) -> Description:
    """What `lscpu` prints: its summary in all versions since 2.20, and the table of `lscpu -p`."""
    summary = text.partition("\n#")[0]
    if text.lstrip().startswith("#"):
        return _lscpu_table(text)
    pairs = [(k.strip(), v.strip()) for k, colon, v in (line.partition(":") for line in summary.splitlines()) if colon]
    # Cores of several models are several blocks, each of which begins with its name.
    starts = [place for place, (key, _) in enumerate(pairs) if key == "Model name"]
    blocks = [dict(reversed(pairs[start:end])) for start, end in pairwise([*starts, len(pairs)])]
    general = dict(reversed(pairs))
    if not general.keys() & {"CPU(s)", "Model name", "Architecture"}:
        return Description()
    present = integer(general.get("CPU(s)"))
    online = processors(general.get("On-line CPU(s) list"))
    several = len(blocks) > 1
    groups = [_lscpu_class(block, several) for block in blocks] if several else [_lscpu_class(general, several)]
    cores = _sum(group.cores for group in groups)
    per_core = integer(general.get("Thread(s) per core")) or None
    whole = _lscpu_counts_all(present, len(online) if online is not None else present, cores, per_core)
    x86 = general.get("Vendor ID") in X86_VENDORS
    sockets = integer(general.get("Socket(s)")) or None
    features = next((value for key, value in pairs if key in ("Flags", "ISA")), "")
    name = general.get("Architecture")
    seen = Description(
        model=_model(blocks[0].get("Model name")) if blocks else None,
        architecture=ARCHITECTURES.get(name, name) if name else _architecture(features.split(), ""),
        vendor=general.get("Vendor ID"),
        family=general.get("CPU family"),
        number=general.get("Model") if x86 else None,
        stepping=general.get("Stepping"),
        microcode=general.get("Microcode version"),
        # On ARM older versions count clusters as sockets.
        sockets=sockets if x86 or sockets == 1 else None,
        cores=cores if whole else None,
        threads=len(online) if online else present,
        threads_per_core=per_core,
        online=online or None,
        present=present,
        max_mhz=max((group.max_mhz for group in groups if group.max_mhz), default=None),
        min_mhz=min((group.min_mhz for group in groups if group.min_mhz), default=None),
        features=tuple(sorted(set(features.split()))),
        classes=_ranked(groups) if whole else (),
    )
    uniform = not several and whole and cores is not None and present == cores * (per_core or 1)
    return replace(seen, caches=tuple(_lscpu_caches(pairs, seen, cores if uniform else None)))


def _lscpu_counts_all(present: int | None, online: int | None, cores: int | None, per_core: int | None) -> bool:
    """Whether the cores it counts, among online processors, are all cores there are."""
    if present is None or online is None or cores is None:
        return False
    return online == present or cores * (per_core or 0) == present or cores > online


def _lscpu_class(block: Mapping[str, str], named: bool) -> CoreClass:
    per_group = integer(block.get("Core(s) per socket") or block.get("Core(s) per cluster"))
    groups = integer(block.get("Socket(s)") or block.get("Cluster(s)"))
    cores = per_group * groups if per_group and groups else None
    per_core = integer(block.get("Thread(s) per core"))
    highest = _mhz_text(block.get("CPU max MHz"))
    return CoreClass(
        name=_model(block.get("Model name")) if named else None,
        cores=cores,
        threads=cores * per_core if named and cores and per_core else None,
        max_mhz=highest,
        min_mhz=_mhz_text(block.get("CPU min MHz")),
        speed=(0, highest or 0),
    )


def _lscpu_caches(pairs: Iterable[tuple[str, str]], seen: Description, cores: int | None) -> Iterable[Cache]:
    """Caches in the three ways they were printed: `32K` is one, `256 KiB` all, `256 KiB (8 instances)` all."""
    for key, value in pairs:
        name = re.fullmatch(r"L(\d)([di]?) cache", key)
        size = re.fullmatch(r"([\d.,]+) ?([KMG]?)(i?B)?(?: \((\d+) instances?\))?", value)
        amount = _kib("".join(size.groups("")[:2])) if size else None
        if name is None or size is None or not amount:
            continue
        level, kind = int(name[1]), {"d": "Data", "i": "Instruction", "": "Unified"}[name[2]]
        if not size[3]:
            yield Cache(level=level, type=kind, place=0 if cores else None, size_kib=amount)
            continue
        private = level == 1 or (level == 2 and _l2_is_private(seen))
        count = int(size[4]) if size[4] else cores if private and _divides_evenly(seen) else None
        one = (
            amount // count if count and cores and amount % count == 0 and _is_a_size(amount // count, level) else None
        )
        yield Cache(
            level=level,
            type=kind,
            place=0 if cores else None,
            size_kib=one,
            instances=count,
            total_kib=amount,
        )


def _divides_evenly(seen: Description) -> bool:
    """Whether all cores are surely alike."""
    return seen.vendor in X86_VENDORS or (seen.model or "").startswith(ARM_SERVERS)


def _l2_is_private(seen: Description) -> bool:
    """Whether each core is known to have an L2 of its own."""
    family, number = integer(seen.family) or 0, integer(seen.number)
    if seen.vendor == "GenuineIntel":
        return family == 6 and number in INTEL_PRIVATE_L2
    if seen.vendor in ("AuthenticAMD", "HygonGenuine"):
        return family >= 23
    return (seen.model or "").startswith(("Neoverse", "Kunpeng"))


def _is_a_size(kib: int, level: int) -> bool:
    """Whether the caches of a core come in that size (48, 1280 KiB); an average over two classes mostly is none."""
    while kib and kib % 2 == 0:
        kib //= 2
    return level > 2 or kib in ((1, 3) if level == 1 else (1, 3, 5))


def _lscpu_table(text: str) -> Description:
    """The table of `lscpu -p=CPU,Core,Socket`, in any order of columns."""
    header = next((line for line in reversed(text.splitlines()) if line.startswith("#") and "CPU" in line), "")
    columns = [name.strip().lower() for name in header.lstrip("# ").split(",")]
    rows = [
        dict(zip(columns, (value.strip() for value in line.split(",")), strict=False))
        for line in text.splitlines()
        if line.strip() and not line.startswith("#")
    ]
    if not rows or any(integer(row.get(column)) is None for row in rows for column in ("cpu", "core", "socket")):
        return Description()
    numbers = sorted(int(row["cpu"]) for row in rows)
    # Processors that are left out are offline, or not in what was copied.
    if numbers != list(range(len(numbers))):
        return Description(online=frozenset(numbers))
    cores = {(row["socket"], row["core"]) for row in rows}
    return Description(
        sockets=len({row["socket"] for row in rows}),
        cores=len(cores),
        threads=len(rows),
        threads_per_core=len(rows) // len(cores),
        online=frozenset(numbers),
    )


# --- small things


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _sum(values: Iterable[int | None]) -> int | None:
    known = list(values)
    return sum(value for value in known if value) if known and None not in known else None


def _cores(classes: Iterable[CoreClass], role: str) -> int | None:
    return _sum(core_class.cores for core_class in classes if core_class.role == role)


def _cache_of_fastest(caches: Iterable[Cache], level: int, types: Sequence[str]) -> int | None:
    sizes = {c.size_kib for c in caches if c.level == level and c.type in types and c.place in (0, None)}
    return max((size for size in sizes if size), default=None)


def _kib(text: str | None) -> int | None:
    """`32K`, `1.5M`, `32768` (bytes) in KiB."""
    parts = re.fullmatch(r"(\d{1,12}(?:[.,]\d{1,3})?) ?([BKMG]?)", text or "")
    return (int(Decimal(parts[1].replace(",", ".")) * SCALE[parts[2]]) or None) if parts else None


def _mhz(khz: int) -> int | None:
    return round(khz / 1000) or None


def _mhz_text(text: str | None) -> int | None:
    """`2800.0000`, in some languages `2800,0000`."""
    parts = re.fullmatch(r"(\d{1,6})(?:[.,](\d+))?", text or "")
    return round(Decimal(f"{parts[1]}.{parts[2] or 0}")) if parts else None


def _number(path: str) -> int | None:
    found = re.match(rf"{ROOT}/cpu(\d+)/", path)
    return int(found[1]) if found else None


def _per_processor(found: Found, name: str) -> dict[int, str]:
    return {
        number: text.strip() for path, text in found.matches(f"{CPU}/{name}") if (number := _number(path)) is not None
    }


def _class_json(place: int, core_class: CoreClass, caches: Sequence[Cache]) -> dict[str, Json]:
    """A class of cores with the caches that are its own."""

    def one(level: int, *types: str) -> Cache | None:
        return next((c for c in caches if c.level == level and c.type in types and c.place == place), None)

    data, instructions, second = one(1, "Data", "Unified"), one(1, "Instruction"), one(2, "Unified", "Data")
    per_core = core_class.threads // core_class.cores if core_class.threads and core_class.cores else None
    sharing = second.shared_by_threads if second else None
    return {
        "name": core_class.name,
        "role": core_class.role,
        "cores": core_class.cores,
        "threads": core_class.threads,
        "processors": as_list(core_class.numbers) or None,
        "max_mhz": core_class.max_mhz,
        "min_mhz": core_class.min_mhz,
        "l1d_kib": data.size_kib if data else None,
        "l1i_kib": instructions.size_kib if instructions else None,
        "l2_kib": second.size_kib if second else None,
        "l2_shared_by_cores": sharing // per_core if sharing and per_core else None,
    }


def _cache_json(cache: Cache) -> dict[str, Json]:
    values = asdict(cache)
    values["class"] = values.pop("place")
    return values


collector = Collector(
    reads=(
        File("/proc/cpuinfo"),
        Files(f"{CPU}/topology/thread_siblings_list"),
        Files(f"{CPU}/topology/physical_package_id"),
        *(Files(f"{CPU}/cache/index[0-9]*/{name}") for name in ("level", "type", "size", "shared_cpu_list")),
        Files(f"{CPU}/cache/index[0-9]*/coherency_line_size"),
        Files(f"{CPU}/cpu_capacity", optional=True),
        Files(f"{CPU}/cpufreq/cpuinfo_max_freq", optional=True),
        Files(f"{CPU}/cpufreq/cpuinfo_min_freq", optional=True),
        File(f"{ROOT}/online"),
        File(f"{ROOT}/present"),
        File(f"{ROOT}/smt/control"),
        *(File(path) for path, _ in INTEL_CLASSES),
        Files(f"{ROOT}/vulnerabilities/*", optional=True),
        Names("/sys/firmware/acpi"),
        Call("machine-architecture"),
        Call("page-size"),
    ),
    more=more,
    parse=parse,
    columns=(
        "cpu_model",
        "cpu_architecture",
        "cpu_cores_total",
        "cpu_cores_performance",
        "cpu_cores_efficiency",
        "cpu_l1_cache_kb",
        "cpu_l2_cache_mb",
    ),
    metadata={
        "cpu.vendor": "who made it, as it says itself (GenuineIntel, AuthenticAMD) or by Arm's list of implementers",
        "cpu.family": "x86: the family, as the kernel writes it",
        "cpu.model": "x86: the model number; ARM: the part number",
        "cpu.stepping": "x86: the stepping; ARM: variant and revision, r1p0",
        "cpu.microcode": "x86: revision of the microcode that is loaded",
        "cpu.sockets": "packages",
        "cpu.threads": "processors that are online: hardware threads",
        "cpu.threads_per_core": "threads of a core, the most any core has",
        "cpu.processors_present": "processors that are there, online or not",
        "cpu.processors_online": "numbers of the processors that are online: 0-3,8",
        "cpu.max_mhz": "highest rated frequency, MHz",
        "cpu.min_mhz": "lowest rated frequency, MHz",
        "cpu.page_size_bytes": "memory page, bytes",
        "cpu.cache_line_bytes": "cache line, bytes",
        "cpu.classes[].name": "model of the cores of this class, where classes have models",
        "cpu.classes[].role": "performance or efficiency; null where all cores are alike or the order is not known",
        "cpu.classes[].cores": "physical cores",
        "cpu.classes[].threads": "hardware threads that are online",
        "cpu.classes[].processors": "their numbers: 0-3,8",
        "cpu.classes[].max_mhz": "highest rated frequency, MHz",
        "cpu.classes[].min_mhz": "lowest rated frequency, MHz",
        "cpu.classes[].l1d_kib": "L1 data cache of one core, KiB",
        "cpu.classes[].l1i_kib": "L1 instruction cache of one core, KiB",
        "cpu.classes[].l2_kib": "one L2 cache, KiB",
        "cpu.classes[].l2_shared_by_cores": "cores that share one L2",
        "cpu.caches[].level": "1, 2, 3, 4",
        "cpu.caches[].type": "Data, Instruction or Unified",
        "cpu.caches[].class": "the class it belongs to: its place in cpu.classes, from 0",
        "cpu.caches[].size_kib": "size of one, KiB",
        "cpu.caches[].line_bytes": "its line, bytes",
        "cpu.caches[].shared_by_threads": "hardware threads that share one",
        "cpu.caches[].instances": "how many there are",
        "cpu.caches[].total_kib": "size of all of them, KiB",
        "cpu.features": "instruction-set features, as the kernel names them, sorted",
        "cpu.vulnerabilities[].name": "a known weakness of processors",
        "cpu.vulnerabilities[].status": "whether this one has it, and what the kernel does about it",
    },
)
