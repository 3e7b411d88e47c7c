"""The memory: how much is installed, of what kind, in which modules, and what the platform reference expects of it.

`ram_gb` is what is *installed* (GiB), by the kernel's `hw.memsize`, which is exact; where only `system_profiler` is
there, by its modules or its overview. `metadata.memory.usable_kib` is what the system has of it. `ram_type` and
`ram_manufacturer` are those of the modules, joined by " + " where they differ; Apple's chips have one memory for
processor and GPU, whose maker `system_profiler` names since macOS 12.

What is free, wired or compressed is measured with `vm_stat`, in pages of the size that it states: 16 KiB on Apple's
chips, 4 KiB on Intel's and for programs under Rosetta 2.
"""

import re
from collections.abc import Iterable
from decimal import Decimal

from aya.collect import jedec
from aya.collect.collector import Collector
from aya.collect.json_values import integer
from aya.collect.macos import _amount, _ioreg, _sysctl, _system_profiler
from aya.collect.macos._core_levels import told
from aya.collect.macos._sysctl import number
from aya.collect.macos._system_profiler import Item
from aya.host.reading import Command, Found, Read
from aya.model import Facts, Gap, Json, Measurement, Node, Outcome
from aya.reference import Chip, chip

MEMORY = "SPMemoryDataType"
HARDWARE = "SPHardwareDataType"
ACCELERATOR = "AGXAccelerator"

PAGES = {
    "Pages free": ("free", "KiB: pages that hold nothing"),
    "Pages active": ("active", "KiB: pages that were used lately"),
    "Pages inactive": ("inactive", "KiB: pages that were not used lately, and can be taken when needed"),
    "Pages speculative": ("speculative", "KiB: pages that were read ahead, and can be taken when needed"),
    "Pages wired down": ("wired", "KiB: pages that must stay"),
    "Pages occupied by compressor": ("compressed", "KiB: pages that hold compressed ones"),
    "File-backed pages": ("file_backed", "KiB: pages that hold what is in files"),
    "Anonymous pages": ("anonymous", "KiB: pages that hold what programs made"),
}
"""Lines of `vm_stat`, the measurement each is, and what it means."""


def more(found: Found) -> tuple[Read, ...]:
    """The other forms of what did not answer, and the overview where the kernel does not tell size or chip."""
    questions = list(_system_profiler.alternatives(found, MEMORY))
    kernel = _sysctl.variables(found, "hw", "machdep")
    if number(kernel, "hw.memsize") is None or "machdep.cpu.brand_string" not in kernel:
        questions += [_system_profiler.question(HARDWARE), Command(("system_profiler", HARDWARE), optional=True)]
    return (*questions, *_ioreg.alternatives(found, ACCELERATOR))


def parse(found: Found) -> Facts:
    """Columns of the memory and `metadata.memory`."""
    kernel = _sysctl.variables(found, "hw", "machdep")
    described = _system_profiler.section(found, MEMORY)
    things = [*described.walk()] if described is not None else []
    modules = [_module(thing) for thing in things if thing.get("dimm_size", "Size")]
    populated = [module for module in modules if module["size_mib"]]
    whole = next((thing for thing in things if thing.get(MEMORY, "Memory")), Item())
    installed_mib, source = _installed(found, kernel.get("hw.memsize"), populated, whole)
    usable = number(kernel, "hw.memsize_usable")
    kinds = [module["type"] for module in populated] or [_kind(whole.get("dimm_type", "Type"))]
    makers = [module["manufacturer"] for module in populated] or [
        _maker(whole.get("dimm_manufacturer", "Manufacturer"))
    ]
    expected = _expected(found, kernel, installed_mib)
    memory: dict[str, Json] = {
        "usable_kib": usable // 1024 if usable else None,
        "installed_mib": installed_mib,
        "installed_source": source,
        "modules": modules,
        "slots": len(modules) or None,
        "upgradeable": next((flag for thing in things if (flag := _upgradeable(thing)) is not None), None),
        "ecc": next((word for thing in things if (word := _ecc(thing))), None),
        "reference": _reference(expected),
    }
    node = Node(
        ram_gb=Decimal(installed_mib) / 1024 if installed_mib else None,
        ram_type=_joined(kinds),
        ram_manufacturer=_joined(makers),
        ram_bandwidth_gbps=expected.memory_bandwidth_gbps if expected else None,
    )
    return Facts(
        node=node,
        metadata={"memory": memory},
        measurements=tuple(_measurements(found.text("vm_stat") or "")),
        gaps=tuple(_gaps(found, described, things, node)),
    )


def _gaps(found: Found, described: Item | None, things: list[Item], node: Node) -> Iterable[Gap]:
    if node.ram_gb is None:
        yield _sysctl.gap(found, "hw")
    if node.ram_type is None:
        if described is None:
            yield _system_profiler.gap(found, MEMORY)
        elif any(thing.values for thing in things) and not any(thing.get("dimm_type", "Type") for thing in things):
            yield Gap(Outcome.UNREADABLE, f"system_profiler {MEMORY}: it names no kind of memory that is understood")


def _installed(
    found: Found, memsize: str | None, populated: list[dict[str, Json]], whole: Item
) -> tuple[int | None, str | None]:
    """How many MiB are installed, and what says so."""
    size = integer(memsize)
    if size and size < 1 << 60:
        return size // 1048576 or None, "kernel"
    if populated:
        return sum(module["size_mib"] for module in populated), "modules"
    if stated := _amount.mib(whole.get(MEMORY, "Memory")):
        return stated, "system_profiler"
    overview = _system_profiler.overview(_system_profiler.section(found, HARDWARE), "physical_memory", "Memory")
    stated = _amount.mib(overview.get("physical_memory", "Memory"))
    return (stated, "system_profiler") if stated else (None, None)


def _expected(found: Found, kernel: _sysctl.Variables, installed_mib: int | None) -> Chip | None:
    """What is published of the chip, in the variant that its cores tell."""
    drivers = _ioreg.objects(found, ACCELERATOR)
    name = kernel.get("machdep.cpu.brand_string", "")
    if not name.startswith("Apple"):
        name = next((said for driver in drivers if (said := _ioreg.letters(driver.get("model")))), "")
    overview = _system_profiler.overview(_system_profiler.section(found, HARDWARE), "chip_type", "Chip")
    name = name if name.startswith("Apple") else overview.get("chip_type", "Chip") or ""
    gpu_cores = next((count for driver in drivers if (count := integer(driver.get("gpu-core-count")))), None)
    cpu_cores = number(kernel, "hw.physicalcpu_max", "hw.physicalcpu", "machdep.cpu.core_count")
    cpu_cores = cpu_cores or told(overview.get("number_processors", "Total Number of Cores"), name)[0]
    return chip(name, gpu_cores=gpu_cores, cpu_cores=cpu_cores) if name.startswith("Apple") and installed_mib else None


def _reference(expected: Chip | None) -> dict[str, Json] | None:
    """Which chip of the reference gave the bandwidth, and where that is from; None where it gave none."""
    if expected is None or expected.memory_bandwidth_gbps is None:
        return None
    return {"chip": expected.name, "ram_bandwidth_gbps": expected.sources["memory_bandwidth_gbps"]}


# --- modules


def _module(thing: Item) -> dict[str, Json]:
    """A slot; sizes and kinds of an empty one are `Empty`."""
    size = _amount.mib(thing.get("dimm_size", "Size"))
    return {
        "locator": thing.name or None,
        "size_mib": size,
        "type": _kind(thing.get("dimm_type", "Type")) if size else None,
        "speed_mts": _speed(thing.get("dimm_speed", "Speed")),
        "manufacturer": _maker(thing.get("dimm_manufacturer", "Manufacturer")) if size else None,
        "part_number": _part_number(thing.get("dimm_part_number", "Part Number")) if size else None,
        "serial_number": _filled(thing.get("dimm_serial_number", "Serial Number")) if size else None,
    }


def _filled(text: str | None) -> str | None:
    """The text; None for a field of noughts, dashes, or nothing."""
    return None if text is None or re.fullmatch(r"(0x)?[0\s-]*|empty|unknown|N/A", text, re.IGNORECASE) else text


def _kind(text: str | None) -> str | None:
    """`DDR2` for `DDR2 SDRAM`."""
    text = _filled(text)
    return text.removesuffix(" SDRAM") if text else None


def _maker(text: str | None) -> str | None:
    name = _filled(text)
    return jedec.maker(name) or name if name else None


def _part_number(text: str | None) -> str | None:
    name = _filled(text)
    if name is None or not jedec.is_spelled(name):
        return name
    spelled = jedec.spelled(name)
    return _filled(spelled.strip()) if spelled and spelled.isprintable() else None


def _speed(text: str | None) -> int | None:
    """Megatransfers per second; macOS writes MHz and means the same. `PC2-4200U-444` is no speed."""
    parts = re.fullmatch(r"(\d{1,6}) ?(?:MHz|MT/s)", text or "")
    return int(parts[1]) or None if parts else None


def _ecc(thing: Item) -> str | None:
    said = (thing.get("global_ecc_state", "ECC") or "").lower().removeprefix("ecc_")
    return {"disabled": "none", "enabled": "enabled"}.get(said)


def _upgradeable(thing: Item) -> bool | None:
    return thing.flag("is_memory_upgradeable", "Upgradeable Memory")


def _joined(values: Iterable[str | None]) -> str | None:
    return " + ".join(sorted({value for value in values if value})) or None


# --- numbers that move


def _measurements(text: str) -> Iterable[Measurement]:
    size = re.search(r"page size of (\d{1,7}) bytes", text)
    if size is None:
        return
    for name, pages in re.findall(r'^"?([A-Z][\w -]*?)"?:\s+(\d{1,15})\.?\s*$', text, re.MULTILINE):
        if name in PAGES:
            amount = Decimal(int(pages) * int(size[1]) // 1024)
            yield Measurement(category="memory", name=PAGES[name][0], value=amount, unit="KiB")


collector = Collector(
    reads=(
        _sysctl.question("hw"),
        _sysctl.question("machdep"),
        _system_profiler.question(MEMORY),
        _ioreg.question(ACCELERATOR),
        Command(("vm_stat",), optional=True),
    ),
    more=more,
    parse=parse,
    columns=("ram_gb", "ram_type", "ram_manufacturer", "ram_bandwidth_gbps"),
    metadata={
        "memory.usable_kib": "what the system has of it, KiB",
        "memory.installed_mib": "installed memory, MiB",
        "memory.installed_source": "kernel: hw.memsize; modules: their sum; system_profiler: as it states it",
        "memory.modules[].locator": "the slot, as it is named on the board; empty slots are listed as well",
        "memory.modules[].size_mib": "MiB; null: the slot is empty",
        "memory.modules[].type": "DDR3, DDR4, ...",
        "memory.modules[].speed_mts": "what the module runs at, megatransfers per second",
        "memory.modules[].manufacturer": "who made it; a JEDEC number where its name is not known",
        "memory.modules[].part_number": "the maker's part number",
        "memory.modules[].serial_number": "its serial number",
        "memory.slots": "slots for modules",
        "memory.upgradeable": "whether modules can be exchanged",
        "memory.ecc": "error correction: none or enabled; null: macOS does not tell",
        "memory.reference.chip": "the chip of the platform reference that was taken for it",
        "memory.reference.ram_bandwidth_gbps": "where the figure of that column is from",
    },
    measures={f"memory.{name}": meaning for name, meaning in PAGES.values()},
)
