"""The processor: model, architecture, physical cores and their classes, caches, and instruction-set features.

Sources, best first: `/sys/devices/system/cpu` (which threads share a core, caches, classes), `/proc/cpuinfo` (names and
features), and where the first is missing, as in most recordings, `lscpu` (text in several languages, JSON, and the
tables of `-e` and `-p`) and `lshw`.

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
frequency on ARM; where only a text is left, by the two threads that Intel's performance cores run in chips with two
kinds of cores, and by what the makers of ARM cores call small and large. Efficiency cores are the slowest class; all
faster classes are performance cores, and each class is in `metadata.cpu.classes`, fastest first. Both columns are NULL
where all cores are alike. AMD's compact cores are not told apart by the kernel.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import TypeVar

from aya.collect.asked import asked, refused
from aya.collect.collector import Collector
from aya.collect.json_values import integer, parsed, words
from aya.collect.linux import _topology
from aya.collect.linux._cores import ARCHITECTURES, Cache, CoreClass, Description, kinds_by_threads, ranked
from aya.collect.linux._cpuinfo import read_cpuinfo
from aya.collect.linux._lscpu import read_lscpu
from aya.collect.linux._lshw import LSHW, processor_in_lshw
from aya.collect.linux._processors import as_list
from aya.collect.linux._topology import read_topology, shows_topology
from aya.host.reading import Call, Command, File, Files, Found, Read
from aya.model import Facts, Gap, Json, Node, Outcome

T = TypeVar("T")
LSCPU = ("lscpu", "lscpu -J", "lscpu -e", "lscpu -p")
"""Its forms, the one that says most first."""
VULNERABILITIES = "/sys/devices/system/cpu/vulnerabilities/*"


def more(found: Found) -> tuple[Read, ...]:
    """Without the kernel's topology: what `lscpu` makes of the machine."""
    if shows_topology(found):
        return ()
    return tuple(Command(tuple(form.split()), optional=True) for form in (*LSCPU, LSHW))


def parse(found: Found) -> Facts:
    """Columns of the processor and `metadata.cpu`."""
    cpuinfo = read_cpuinfo(found.text("/proc/cpuinfo") or "")
    answers = {form: answer for form in LSCPU if (answer := found.answers().get(form)) and answer.outcome is Outcome.OK}
    by_lscpu = {form: read_lscpu(answer.text) for form, answer in answers.items()}
    kernel = read_topology(found, cpuinfo)
    by_lshw = processor_in_lshw(asked(found, LSHW))
    topology = (kernel, *by_lscpu.values(), cpuinfo, by_lshw)
    naming = (cpuinfo, *by_lscpu.values(), by_lshw)

    vendor = _first(source.vendor for source in naming)
    family, number = _first(source.family for source in naming), _first(source.number for source in naming)
    kinds = (ranked(kinds_by_threads(source, vendor, family, number)) for source in topology if source is not kernel)
    classes = kernel.classes or max((*kinds, *(source.classes for source in topology)), key=len)
    caches = next((source.caches for source in topology if source.caches), ())
    online = _first(source.online for source in topology)
    cpu: dict[str, Json] = {
        "vendor": vendor,
        "family": family,
        "model": number,
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
        "features": list(next((source.features for source in naming if source.features), ())),
        "vulnerabilities": [
            {"name": name, "status": status} for name, status in _vulnerabilities(found, topology).items()
        ],
    }
    machine = words(parsed(found.text("machine-architecture")))
    models = list(dict.fromkeys(core_class.name for core_class in classes if core_class.name))
    l2 = _cache_of_fastest(caches, 2, ("Unified", "Data"))
    node = Node(
        cpu_model=" + ".join(models) if len(models) > 1 else _first(source.model for source in naming),
        cpu_architecture=ARCHITECTURES.get(machine or "", machine)
        or _first(source.architecture for source in topology),
        cpu_cores_total=_first(source.cores for source in topology),
        cpu_cores_performance=_cores(classes, "performance"),
        cpu_cores_efficiency=_cores(classes, "efficiency"),
        cpu_l1_cache_kb=_cache_of_fastest(caches, 1, ("Data", "Unified")),
        cpu_l2_cache_mb=Decimal(l2) / 1024 if l2 else None,
    )
    gaps = []
    for form, source in by_lscpu.items():
        if source == Description():
            gaps.append(Gap(Outcome.UNREADABLE, f"{form}: nothing in its answer tells of the whole machine"))
    gaps += [*refused(found, f"{_topology.ROOT}/cpu"), *refused(found, "/proc/cpuinfo")]
    if node.cpu_model is None and not any(source.names for source in topology):
        answer = found.answer("/proc/cpuinfo")
        if answer.outcome is Outcome.UNREADABLE:
            gaps.append(Gap(answer.outcome, f"model: {answer.reason}"))
    if node.cpu_cores_total is None:
        gaps.append(Gap(Outcome.UNSUPPORTED, "cores: nothing tells which processors share one, or some are offline"))
    return Facts(node=node, metadata={"cpu": cpu}, gaps=tuple(gaps))


def _vulnerabilities(found: Found, sources: Iterable[Description]) -> dict[str, str]:
    """The known weaknesses and what the kernel says of each, by the kernel's names."""
    by_kernel = {path.rpartition("/")[2]: text.strip() for path, text in found.matches(VULNERABILITIES) if text.strip()}
    return by_kernel or next((dict(source.vulnerabilities) for source in sources if source.vulnerabilities), {})


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
        File("/proc/cpuinfo", optional=True),
        *_topology.READS,
        Files(VULNERABILITIES, optional=True),
        Call("machine-architecture", optional=True),
        Call("page-size", optional=True),
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
