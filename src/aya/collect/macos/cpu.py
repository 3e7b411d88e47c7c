"""The processor: chip, architecture, physical cores and their classes, caches, pages, and instruction-set features.

Sources, best first: the kernel's variables (`sysctl hw`, `sysctl machdep`), and `system_profiler SPHardwareDataType`.

**Classes of cores** are the kernel's performance levels, fastest first, by the names it gives them: Performance and
Efficiency, on newer chips Super as well. Each is in `metadata.cpu.classes`; the columns hold the classes of their name
and are NULL where there is none, and where all cores are alike. macOS 12 has the levels without names: then the first
is Performance and the second Efficiency, as on every chip that it runs on. The short form of the overview is
`proc 16:12:4`; newer systems have a place for each of three classes, in an order that differs between them, so it is
understood only for chips of which it is known which classes they have.

**Under Rosetta 2** the kernel shows an Intel processor ("VirtualApple") with Intel's pages and cache lines. The
architecture is that of the machine; what only a native program sees is then not known.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from aya.collect.collector import Collector
from aya.collect.macos import _amount, _sysctl, _system_profiler
from aya.collect.macos._core_levels import Level, levels, told
from aya.collect.macos._sysctl import number
from aya.collect.macos._system_profiler import Item
from aya.host.reading import Command, Found, Read
from aya.model import Facts, Gap, Json, Node, Outcome

HARDWARE = "SPHardwareDataType"
CHIP = ("chip_type", "Chip")
INTEL = ("cpu_type", "Processor Name", "CPU Type")
TOTAL = ("number_processors", "Total Number of Cores", "Number Of Cores", "Number Of CPUs")

ARM64, X86, POWERPC = 16777228, (7, 16777223), (18, 16777234)
"""`hw.cputype`: Mach's numbers; the highest byte says that it has 64 bits."""

NOT_FEATURES = re.compile(r"hw\.optional\.(arm\.)?(caps|watchpoint|breakpoint|\w+_version|sme_max_svl_b|arm64)$")


def more(found: Found) -> tuple[Read, ...]:
    """The other forms of the overview, where it did not answer."""
    return _system_profiler.alternatives(found, HARDWARE)


def parse(found: Found) -> Facts:
    """Columns of the processor and `metadata.cpu`."""
    kernel = _sysctl.variables(found, "hw", "machdep")
    described = _system_profiler.section(found, HARDWARE)
    overview = _system_profiler.overview(described, *CHIP, *INTEL, *TOTAL)
    brand = _brand(kernel)
    emulated = _sysctl.translated(found) or (brand is None and "machdep.cpu.brand_string" in kernel)
    native = {} if emulated else kernel
    model = _model(brand, overview)
    total, classes, unknown = _cores(kernel, overview, model)
    # Only Apple's own chips have classes of cores, and only they run virtual Macs of Apple's kind.
    apple = len(classes) > 1 or (overview.get("machine_model", "Model Identifier") or "").startswith("VirtualMac")
    architecture = _architecture(found, kernel, model) or ("ARM64" if apple else None)
    named = [level for level in classes if level.name] if len(classes) > 1 else []
    fastest = classes[0] if classes else None
    l1 = fastest.l1d_bytes if fastest else None
    l2 = fastest.l2_bytes if fastest else None
    if architecture != "ARM64":
        l1, l2 = number(kernel, "hw.l1dcachesize"), _intel_l2(kernel, overview)
    node = Node(
        cpu_model=model,
        cpu_architecture=architecture,
        cpu_cores_total=total,
        cpu_cores_performance=_of_name(named, "performance"),
        cpu_cores_efficiency=_of_name(named, "efficiency"),
        cpu_l1_cache_kb=l1 // 1024 or None if l1 else None,
        cpu_l2_cache_mb=Decimal(l2) / 1048576 if l2 else None,
    )
    threads = number(kernel, "hw.logicalcpu_max", "hw.logicalcpu")
    if threads is None and classes and all(level.threads for level in classes):
        threads = sum(level.threads or 0 for level in classes)
    threads = threads or _of_all_packages(kernel, "machdep.cpu.thread_count", model)
    cpu: dict[str, Json] = {
        "vendor": native.get("machdep.cpu.vendor") or ("Apple" if architecture == "ARM64" else None),
        "family": native.get("machdep.cpu.family"),
        "model": native.get("machdep.cpu.model"),
        "stepping": native.get("machdep.cpu.stepping"),
        "microcode": native.get("machdep.cpu.microcode_version"),
        "family_id": native.get("hw.cpufamily"),
        "sockets": number(kernel, "hw.packages") or overview.number("packages", "Number of Processors"),
        "threads": threads,
        "threads_per_core": threads // total if threads and total and threads % total == 0 else None,
        "base_mhz": _base_mhz(native, overview),
        "page_size_bytes": number(native, "hw.pagesize"),
        "cache_line_bytes": number(native, "hw.cachelinesize", "machdep.cpu.cache.linesize"),
        "breakpoints": number(native, "hw.optional.breakpoint"),
        "watchpoints": number(native, "hw.optional.watchpoint"),
        "classes": [_level_json(level) for level in classes] if len(classes) > 1 else [],
        "caches": [*_caches(classes)] if architecture == "ARM64" else [*_intel_caches(kernel)],
        "features": _features(kernel, architecture),
        "unknown": unknown,
    }
    translated = _sysctl.translated(found)
    return Facts(
        node=node,
        metadata={"cpu": cpu},
        observed={"cpu": {"translated": translated}} if translated is not None else {},
        gaps=tuple(_gaps(found, described, overview, kernel, node, unknown)),
    )


def _gaps(
    found: Found,
    described: Item | None,
    overview: Item,
    kernel: Mapping[str, str],
    node: Node,
    unknown: str | None,
) -> Iterable[Gap]:
    if unknown:
        yield Gap(Outcome.UNREADABLE, f"system_profiler {HARDWARE}: cores of which class is not known: {unknown}")
    if node.cpu_model is None or node.cpu_architecture is None or node.cpu_cores_total is None:
        for tree in ("hw", "machdep"):
            if not any(name.startswith(f"{tree}.") for name in kernel):
                yield _sysctl.gap(found, tree)
        if described is None:
            yield _system_profiler.gap(found, HARDWARE)
        elif overview.get(*CHIP, *INTEL, *TOTAL) is None:
            yield _system_profiler.not_understood(HARDWARE)


# --- what it is


def _brand(kernel: Mapping[str, str]) -> str | None:
    """The name of the processor in one spacing; None for the one that Rosetta 2 shows."""
    name = " ".join(kernel.get("machdep.cpu.brand_string", "").split())
    return None if not name or name.startswith("VirtualApple") else name


def _model(brand: str | None, overview: Item) -> str | None:
    """The chip. Virtual machines of macOS 11 say "Apple processor", where the overview may know more."""
    told = (overview.get(name) for name in (*CHIP, *INTEL))
    chip = next((said for said in told if said and said.lower() != "unknown"), None)
    return brand if brand and brand != "Apple processor" else chip or brand


def _architecture(found: Found, kernel: Mapping[str, str], model: str | None) -> str | None:
    """That of the machine, whatever the program that asks was built for; `uname` ends with what that is."""
    kind = number(kernel, "hw.cputype")
    built = re.search(r"/RELEASE_(ARM64|X86_64)", found.text("uname -a") or "")
    if built and built[1] == "ARM64":
        return "ARM64"
    if kernel.get("hw.optional.arm64") == "1" or kind == ARM64 or (model or "").startswith(("Apple", "VirtualApple")):
        return "ARM64"
    wide = kernel.get("hw.cpu64bit_capable") == "1" or kernel.get("hw.optional.x86_64") == "1"
    if kind in X86:
        return "x86_64" if wide or kind == X86[1] else "i386"
    name = model or ""
    if "PowerPC" in name or kind in POWERPC:
        return "ppc64" if "G5" in name or "970" in name or kind == POWERPC[1] else "ppc"
    if built or "EM64T" in kernel.get("machdep.cpu.extfeatures", "").split():
        return "x86_64"
    if "Intel" in name or kernel.get("machdep.cpu.vendor") == "GenuineIntel":
        return "i386" if re.search(r"Core (Duo|Solo)\b", name) else "x86_64"
    return None


def _base_mhz(kernel: Mapping[str, str], overview: Item) -> int | None:
    hertz = number(kernel, "hw.cpufrequency_max", "hw.cpufrequency")
    if hertz:
        return round(hertz / 1_000_000)
    return _amount.mhz(overview.get("current_processor_speed", "processor_speed", "Processor Speed", "CPU Speed"))


# --- cores


def _cores(
    kernel: Mapping[str, str], overview: Item, model: str | None
) -> tuple[int | None, tuple[Level, ...], str | None]:
    """How many cores there are, their classes, and what was not understood of them."""
    counted = levels(kernel)
    total, classes, unknown = told(overview.get(*TOTAL), model)
    if counted:
        classes, unknown = counted, None
    total = number(kernel, "hw.physicalcpu_max", "hw.physicalcpu") or total
    if total is None and classes and all(level.cores for level in classes):
        total = sum(level.cores or 0 for level in classes)
    total = total or _of_all_packages(kernel, "machdep.cpu.core_count", model)
    packages = number(kernel, "hw.packages") or overview.number("packages", "Number of Processors")
    return total or (_named_cores(model) if packages in (None, 1) else None), classes, unknown


def _named_cores(model: str | None) -> int | None:
    """`8-Core Intel Core i7`, `Dual-Core Intel Core i5`: what the name says where nothing counts them."""
    said = re.match(r"(\d{1,3}|Dual|Quad)-Core Intel (?!Xeon)", model or "")
    return {"Dual": 2, "Quad": 4}.get(said[1]) or int(said[1]) if said else None


def _of_all_packages(kernel: Mapping[str, str], variable: str, model: str | None) -> int | None:
    """A count that the kernel gives for one package; only Macs with a Xeon ever had two."""
    packages = number(kernel, "hw.packages") or (None if "Xeon" in (model or "Xeon") else 1)
    count = number(kernel, variable)
    return count * packages if count and packages else None


def _of_name(classes: Iterable[Level], name: str) -> int | None:
    counts = [level.cores for level in classes if (level.name or "").lower() == name]
    return sum(count for count in counts if count) or None if None not in counts else None


# --- caches and features


def _intel_l2(kernel: Mapping[str, str], overview: Item) -> int | None:
    """One L2, bytes. `L2 Cache: 3 MB` without a "per" is one only where two cores at most share a processor."""
    if size := number(kernel, "hw.l2cachesize"):
        return size
    if kib := number(kernel, "machdep.cpu.cache.size"):
        return kib * 1024
    said = overview.get("l2_cache_core", "L2 Cache (per Core)", "L2 Cache (per CPU)")
    if said is None and overview.get(*TOTAL) in ("1", "2") and overview.get("packages", "Number of Processors") == "1":
        said = overview.get("l2_cache", "l2_cache_share", "l2_cache_processor", "L2 Cache", "L2 Cache (per Processor)")
    kib = _amount.kib(said)
    return kib * 1024 if kib else None


def _level_json(level: Level) -> dict[str, Json]:
    return {
        "name": level.name,
        "role": level.name.lower() if level.name else None,
        "cores": level.cores,
        "threads": level.threads,
        "l1d_kib": _kib(level.l1d_bytes),
        "l1i_kib": _kib(level.l1i_bytes),
        "l2_kib": _kib(level.l2_bytes),
        "l2_shared_by_cores": level.l2_shared_by,
    }


def _caches(classes: Iterable[Level]) -> Iterable[dict[str, Json]]:
    for place, level in enumerate(classes):
        for rank, kind, size, sharing in (
            (1, "Data", level.l1d_bytes, 1),
            (1, "Instruction", level.l1i_bytes, 1),
            (2, "Unified", level.l2_bytes, level.l2_shared_by),
        ):
            if size:
                yield _cache(rank, kind, size, place, sharing, level.cores)


def _intel_caches(kernel: Mapping[str, str]) -> Iterable[dict[str, Json]]:
    """`hw.cacheconfig: 8 2 2 8`: how many threads share the memory, an L1, an L2, an L3."""
    sharing = [int(count) for count in re.findall(r"\d{1,4}", kernel.get("hw.cacheconfig", ""))]
    threads = number(kernel, "hw.logicalcpu_max", "hw.logicalcpu")
    for rank, kind, variable in (
        (1, "Data", "hw.l1dcachesize"),
        (1, "Instruction", "hw.l1icachesize"),
        (2, "Unified", "hw.l2cachesize"),
        (3, "Unified", "hw.l3cachesize"),
    ):
        if size := number(kernel, variable):
            yield _cache(rank, kind, size, 0, sharing[rank] if len(sharing) > rank else None, threads)


def _cache(rank: int, kind: str, size: int, place: int, sharing: int | None, threads: int | None) -> dict[str, Json]:
    instances = threads // sharing if threads and sharing and threads % sharing == 0 else None
    return {
        "level": rank,
        "type": kind,
        "class": place,
        "size_kib": _kib(size),
        "shared_by_threads": sharing or None,
        "instances": instances,
        "total_kib": size * instances // 1024 if instances else None,
    }


def _kib(size: int | None) -> int | None:
    return size // 1024 or None if size else None


def _features(kernel: Mapping[str, str], architecture: str | None) -> list[str]:
    """Features it has, as the kernel names them: `FEAT_BF16`, older ones `armv8_2_sha3`; Intel's own names on Intel."""
    if architecture == "ARM64":
        names = {
            name.removeprefix("hw.optional.").removeprefix("arm.")
            for name, value in kernel.items()
            if name.startswith("hw.optional.") and value == "1" and not NOT_FEATURES.match(name)
        }
        return sorted(names)
    lists = ("machdep.cpu.features", "machdep.cpu.leaf7_features", "machdep.cpu.extfeatures")
    return sorted({word for name in lists for word in kernel.get(name, "").split()})


collector = Collector(
    reads=(
        _sysctl.question("hw"),
        _sysctl.question("machdep"),
        _sysctl.TRANSLATION,
        Command(("uname", "-a"), optional=True),
        _system_profiler.question(HARDWARE),
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
        "cpu.vendor": "who made it: Apple, GenuineIntel",
        "cpu.family": "Intel: the family",
        "cpu.model": "Intel: the model number",
        "cpu.stepping": "Intel: the stepping",
        "cpu.microcode": "Intel: revision of the microcode that is loaded",
        "cpu.family_id": "Apple's number of the kind of core (hw.cpufamily)",
        "cpu.sockets": "packages",
        "cpu.threads": "hardware threads",
        "cpu.threads_per_core": "threads of a core",
        "cpu.base_mhz": "rated frequency, MHz; Apple does not tell that of its own chips",
        "cpu.page_size_bytes": "memory page, bytes",
        "cpu.cache_line_bytes": "cache line, bytes",
        "cpu.breakpoints": "hardware breakpoints",
        "cpu.watchpoints": "hardware watchpoints",
        "cpu.classes[].name": "the kernel's name of this class: Performance, Efficiency, Super",
        "cpu.classes[].role": "performance, efficiency or super",
        "cpu.classes[].cores": "physical cores",
        "cpu.classes[].threads": "hardware threads",
        "cpu.classes[].l1d_kib": "L1 data cache of one core, KiB",
        "cpu.classes[].l1i_kib": "L1 instruction cache of one core, KiB",
        "cpu.classes[].l2_kib": "one L2 cache, KiB",
        "cpu.classes[].l2_shared_by_cores": "cores that share one L2",
        "cpu.caches[].level": "1, 2, 3",
        "cpu.caches[].type": "Data, Instruction or Unified",
        "cpu.caches[].class": "the class it belongs to: its place in cpu.classes, from 0",
        "cpu.caches[].size_kib": "size of one, KiB",
        "cpu.caches[].shared_by_threads": "hardware threads that share one",
        "cpu.caches[].instances": "how many there are",
        "cpu.caches[].total_kib": "size of all of them, KiB",
        "cpu.features": "instruction-set features, as the kernel names them, sorted",
        "cpu.unknown": "what the overview says of cores that is not understood",
        "observed.cpu.translated": "whether AYA itself ran under Rosetta 2 when it looked",
    },
)
