"""The memory: how much is installed, of what kind, in which modules and NUMA nodes.

`ram_gb` is what is *installed* (GiB); `metadata.memory.usable_kib` is what the kernel has of it (`MemTotal`), which is
less, and never taken for the installed size. Installed comes, best first, from

- the modules that the firmware lists: what udev kept of them when the machine started (readable for everybody), else
  `dmidecode` or `lshw` (root only);
- in a virtual machine without such a list: the memory blocks of the kernel that are online, exact there because a
  virtual machine is given memory in whole blocks.

On hardware the blocks are not taken: firmware keeps parts of them, and the kernel rounds up. `installed_source` says
which it was. `ram_type` and `ram_manufacturer` are those of the modules, joined by " + " where they differ.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from aya.collect import jedec
from aya.collect.asked import asked, refused
from aya.collect.collector import Collector
from aya.collect.json_values import integer, words
from aya.collect.linux._choice import chosen
from aya.collect.linux._dmi import MEMORY_ARRAY, MEMORY_DEVICE, known, known_serial, structures
from aya.collect.linux._lscpu import nodes_in_lscpu
from aya.collect.linux._lshw import LSHW, nodes_in_lshw
from aya.collect.linux._processors import as_list, processors
from aya.host.reading import Command, File, Files, Found, Names, Read
from aya.model import Facts, Gap, Json, Measurement, Node, Outcome

BLOCKS = "/sys/devices/system/memory"
NODES = "/sys/devices/system/node"
HUGE = "/sys/kernel/mm/hugepages"
UDEV = "/run/udev/data/+dmi:id"
FREE = ("free -b", "free")

NOT_RAM = {
    "Flash",
    "ROM",
    "EEPROM",
    "EPROM",
    "FEPROM",
    "Logical non-volatile device",
    "Intel Optane DC persistent memory",
}
NO_KIND = {"DRAM", "RAM"}
"""Types that say no more than that it is memory; virtual machines have them."""
UNITS_KIB = {"kB": 1, "KB": 1, "MB": 1024, "GB": 1048576, "TB": 1073741824}

UDEV_FIELDS = {
    "LOCATOR": "Locator",
    "BANK_LOCATOR": "Bank Locator",
    "TYPE": "Type",
    "FORM_FACTOR": "Form Factor",
    "SPEED_MTS": "Speed",
    "CONFIGURED_SPEED_MTS": "Configured Memory Speed",
    "MANUFACTURER": "Manufacturer",
    "SERIAL_NUMBER": "Serial Number",
    "PART_NUMBER": "Part Number",
    "TOTAL_WIDTH": "Total Width",
    "DATA_WIDTH": "Data Width",
}
"""What udev calls the fields that `dmidecode` prints."""


def more(found: Found) -> tuple[Read, ...]:
    """Other sources for what is missing: `dmidecode`, `lshw`, `numactl`, `lscpu`, `free`."""
    questions: list[Read] = []
    if not _udev_modules(found.text(UDEV) or ""):
        questions.append(Command(("dmidecode",), optional=True))
        # It takes seconds, and knows no more than dmidecode.
        if not _has_firmware_tables(found):
            questions.append(Command(tuple(LSHW.split()), optional=True))
    if not any(found.matches(f"{NODES}/node[0-9]*/cpulist")):
        questions.append(Command(("numactl", "--hardware"), optional=True))
        questions.append(Command(("lscpu",), optional=True))
    if found.text("/proc/meminfo") is None:
        questions += [Command(tuple(command.split()), optional=True) for command in FREE]
    return tuple(questions)


def parse(found: Found) -> Facts:
    """Columns of the memory and `metadata.memory`."""
    kernel = _meminfo(found.text("/proc/meminfo") or "") or _free(found)
    modules, correction = _modules(found)
    populated = [module for module in modules if module["size_mib"]]
    ram = [module for module in populated if module["type"] not in NOT_RAM]
    installed_mib, source = _installed(found, ram)
    memory: dict[str, Json] = {
        "usable_kib": kernel.get("MemTotal"),
        "installed_mib": installed_mib,
        "installed_source": source,
        "modules": modules,
        "slots": len(modules) or None,
        "ecc": correction or _edac(found),
        "channels": _channels(ram),
        "numa_nodes": _nodes(found),
        "swap_kib": kernel.get("SwapTotal"),
        "huge_pages": _huge_pages(found),
        "transparent_huge_pages": chosen(found.text("/sys/kernel/mm/transparent_hugepage/enabled")),
    }
    node = Node(
        ram_gb=Decimal(installed_mib) / 1024 if installed_mib else None,
        ram_type=_joined(module["type"] for module in ram if module["type"] not in NO_KIND),
        ram_manufacturer=_joined(module["manufacturer"] for module in ram),
    )
    return Facts(
        node=node,
        metadata={"memory": memory},
        measurements=tuple(_measurements(kernel)),
        gaps=tuple(_gaps(found, bool(modules), kernel, node)),
    )


def _has_firmware_tables(found: Found) -> bool:
    return any(found.matches("/sys/firmware/dmi")) or any(found.matches("/sys/class/dmi"))


def _gaps(found: Found, listed: bool, kernel: Mapping[str, int], node: Node) -> Iterable[Gap]:
    if "MemTotal" not in kernel and found.text("/proc/meminfo") is not None:
        yield Gap(Outcome.UNREADABLE, "/proc/meminfo: no MemTotal in it")
    yield from refused(found, "/proc/meminfo")
    yield from refused(found, "/sys/devices/system/")
    firmware = _has_firmware_tables(found)
    if listed:
        return
    answer = found.answer("dmidecode")
    if answer.outcome is Outcome.ABSENT and firmware:
        yield Gap(Outcome.UNSUPPORTED, "memory modules: dmidecode is not installed")
    elif answer.outcome not in (Outcome.OK, Outcome.ABSENT) and firmware:
        yield Gap(answer.outcome, f"memory modules: {answer.reason}")
    elif node.ram_gb is None:
        yield Gap(
            Outcome.UNSUPPORTED, "installed memory: neither a list of modules nor the blocks of a virtual machine tell"
        )


def _meminfo(text: str) -> dict[str, int]:
    """The figures of `/proc/meminfo`, in KiB where they have a unit."""
    return {name: int(value) for name, value in re.findall(r"^([\w()]+):\s*(\d{1,18})(?: kB)?\s*$", text, re.MULTILINE)}


def _free(found: Found) -> dict[str, int]:
    """What `free` prints, by the names of `/proc/meminfo`: in bytes, or in KiB where it was not asked for another unit."""
    for command, unit_bytes in zip(FREE, (1, 1024), strict=True):
        text = asked(found, command)
        rows = [
            (name, [int(number) * unit_bytes // 1024 for number in numbers.split()])
            for name, numbers in re.findall(r"^ *([^\W\d][^:\n]*):((?: +\d{1,18})+) *$", text, re.MULTILINE)
        ]
        # Their names are in the user's language: memory has at least five figures, swap the first three below it.
        memory = next((figures for _, figures in rows if len(figures) >= 5), [])
        swap = next((figures for name, figures in rows if len(figures) == 3 and name not in ("Low", "High")), [])
        # The sixth figure of old versions, which have a row of buffers, is another.
        if memory:
            available = [] if "-/+" in text else memory[5:][-1:]
            names = {"MemTotal": memory[:1], "MemAvailable": available, "SwapTotal": swap[:1], "SwapFree": swap[2:3]}
            return {name: value[0] for name, value in names.items() if value}
    return {}


def _installed(found: Found, ram: list[dict[str, Json]]) -> tuple[int | None, str | None]:
    """How many MiB are installed, and what says so."""
    if ram:
        return sum(module["size_mib"] for module in ram), "modules"
    if not re.search(r"^flags\s*:.*\bhypervisor\b", found.text("/proc/cpuinfo") or "", re.MULTILINE):
        return None, None
    size = _block_bytes(found)
    online = sum(text.strip() == "1" for _, text in found.matches(f"{BLOCKS}/memory[0-9]*/online"))
    return (size * online // 1048576, "memory blocks") if size and online else (None, None)


def _block_bytes(found: Found) -> int | None:
    size = found.line(f"{BLOCKS}/block_size_bytes") or ""
    return int(size, 16) if re.fullmatch(r"[0-9a-fA-F]{1,12}", size) else None


# --- modules


def _modules(found: Found) -> tuple[list[dict[str, Json]], str | None]:
    """The slots for modules, empty ones as well, in the firmware's order, and the error correction of the whole."""
    kept = found.text(UDEV) or ""
    devices, correction = _udev_modules(kept), re.search(r"^E:MEMORY_ARRAY_EC_TYPE=(.*)$", kept, re.MULTILINE)
    if devices:
        return [_module(device) for device in devices], _correction([correction[1]] if correction else [])
    answer = found.answers().get("dmidecode")
    tables = structures(answer.text) if answer is not None else ()
    arrays = [table for table in tables if table.kind == MEMORY_ARRAY and table.get("Use") in (None, "System Memory")]
    # A table of the oldest layout has the titles only.
    slots = [table.fields for table in tables if table.kind == MEMORY_DEVICE and table.fields]
    if not slots:
        return _lshw_modules(asked(found, LSHW)), None
    corrections = [array.fields.get("Error Correction Type", "") for array in arrays]
    return [_module(fields) for fields in slots], _correction(corrections)


def _lshw_modules(text: str) -> list[dict[str, Json]]:
    """The modules in `lshw -json`: banks of what it calls the system memory; `SODIMM DDR3 Synchronous 1333 MHz`."""
    modules = []
    for node in nodes_in_lshw(text, "memory"):
        if not re.match(r"bank(:\d+)?$", words(node.get("id")) or "") or node.get("units") not in ("bytes", None):
            continue
        size, hertz = integer(node.get("size")), integer(node.get("clock"))
        described = re.match(
            r"(\S*DIMM|Chip|Row Of Chips)? ?((?:LP)?DDR\d?\w*|SDRAM)?", words(node.get("description")) or ""
        )
        fields = {
            "Locator": words(node.get("slot")) or "",
            "Size": f"{size // 1048576} MB" if size else "",
            "Form Factor": (described and described[1]) or "",
            "Type": (described and described[2]) or "",
            "Speed": f"{hertz // 1000000} MT/s" if hertz else "",
            "Manufacturer": words(node.get("vendor")) or "",
            "Part Number": words(node.get("product")) or "",
            "Serial Number": words(node.get("serial")) or "",
            "Data Width": f"{integer(node.get('width')) or ''}",
        }
        modules.append(_module(fields))
    return modules


def _udev_modules(text: str) -> list[dict[str, str]]:
    """The modules that udev's `dmi_memory_id` kept, with the names of fields that `dmidecode` has."""
    devices: dict[int, dict[str, str]] = {}
    for number, name, value in re.findall(r"^E:MEMORY_DEVICE_(\d{1,4})_(\w+)=(.*)$", text, re.MULTILINE):
        device = devices.setdefault(int(number), {})
        if name == "SIZE" and re.fullmatch(r"\d{1,18}", value):
            device["Size"] = f"{int(value) // 1048576} MB"
        elif name in UDEV_FIELDS:
            device[UDEV_FIELDS[name]] = f"{value} MT/s" if name.endswith("_MTS") else value
    return [devices[number] for number in sorted(devices)]


def _module(fields: Mapping[str, str]) -> dict[str, Json]:
    size = _size_mib(fields.get("Size"))
    configured = fields.get("Configured Memory Speed") or fields.get("Configured Clock Speed")
    return {
        "locator": known(fields.get("Locator")),
        "bank": known(fields.get("Bank Locator")),
        "size_mib": size,
        "type": known(fields.get("Type")) if size else None,
        "form_factor": known(fields.get("Form Factor")) if size else None,
        "speed_mts": _speed(fields.get("Speed")),
        "configured_mts": _speed(configured),
        "manufacturer": _maker(fields.get("Manufacturer")) if size else None,
        "part_number": _part_number(fields.get("Part Number")) if size else None,
        "serial_number": known_serial(fields.get("Serial Number")) if size else None,
        "data_width_bits": _bits(fields.get("Data Width")) if size else None,
        "total_width_bits": _bits(fields.get("Total Width")) if size else None,
    }


def _size_mib(text: str | None) -> int | None:
    parts = re.fullmatch(r"(\d{1,9}) ([kKMGT]B)", text or "")
    return int(parts[1]) * UNITS_KIB[parts[2]] // 1024 or None if parts else None


def _speed(text: str | None) -> int | None:
    """Megatransfers per second; older versions write MHz and mean the same."""
    parts = re.match(r"(\d{1,6}) (MHz|MT/s)", text or "")
    return int(parts[1]) or None if parts else None


def _bits(text: str | None) -> int | None:
    parts = re.match(r"(\d{1,5})( bits)?$", text or "")
    return int(parts[1]) or None if parts else None


def _maker(text: str | None) -> str | None:
    """The maker's name, also where the firmware wrote the bytes of its JEDEC number."""
    name = known_serial(text)
    return name if name is None else jedec.maker(name) or name


def _part_number(text: str | None) -> str | None:
    """The part number, also where the firmware wrote the codes of its letters."""
    name = known(text)
    return name if name is None or not jedec.is_spelled(name) else known(jedec.spelled(name))


def _correction(said: Iterable[str]) -> str | None:
    """`none`, `parity`, `single-bit`, `multi-bit`, `crc`; the best of several arrays cannot be said of all: None."""
    kinds = {word.strip().lower().removesuffix(" ecc") for word in said} - {"", "unknown", "other", "<out of spec>"}
    return kinds.pop() if len(kinds) == 1 else None


def _edac(found: Found) -> str | None:
    """What the memory controller's driver says of error correction."""
    modes = {text.strip() for _, text in found.matches("/sys/devices/system/edac/mc/mc*/dimm*/dimm_edac_mode")}
    if len(modes) != 1:
        return None
    mode = modes.pop().lower()
    return {"secded": "single-bit", "none": "none", "parity": "parity"}.get(mode, "multi-bit" if "s" in mode else None)


def _channels(ram: list[dict[str, Json]]) -> int | None:
    """The channels in use, where the name of every slot says which it belongs to."""
    names = [f"{module['bank'] or ''} {module['locator'] or ''}" for module in ram]
    channels = [re.search(r"chan(?:nel)?[ _-]?([a-h]|\d{1,2})(?![a-z0-9])", name, re.IGNORECASE) for name in names]
    nodes = [re.search(r"(?:node|cpu|p(?:roc)?)[ _-]?(\d)(?!\d)", name, re.IGNORECASE) for name in names]
    if not channels or None in channels:
        return None
    return len(
        {(node and node[1], channel and channel[1].lower()) for node, channel in zip(nodes, channels, strict=True)}
    )


def _joined(values: Iterable[str | None]) -> str | None:
    return " + ".join(sorted({value for value in values if value})) or None


# --- nodes, pages, numbers that move


def _nodes(found: Found) -> list[dict[str, Json]]:
    """NUMA nodes. Their size is counted in blocks: a node's own MemTotal grows while deferred memory is set up."""
    size = _block_bytes(found)
    blocks = Counter(path.rpartition("/")[0] for path, _ in found.matches(f"{NODES}/node[0-9]*/memory[0-9]*"))
    nodes = {}
    for path, text in found.matches(f"{NODES}/node[0-9]*/cpulist"):
        folder = path.removesuffix("/cpulist")
        number = re.search(r"node(\d{1,6})$", folder)
        cpus = processors(text)
        if number is None:
            continue
        distances = (found.line(f"{folder}/distance") or "").split()
        nodes[int(number[1])] = {
            "cpus": as_list(cpus) if cpus else None,
            "total_kib": size * blocks[folder] // 1024 if size and blocks[folder] else None,
            "distances": [int(distance) for distance in distances if re.fullmatch(r"\d{1,3}", distance)],
        }
    return (
        [{"node": number, **nodes[number]} for number in sorted(nodes)]
        or _numactl(found)
        or [
            {"node": number, "cpus": as_list(cpus), "total_kib": None, "distances": []}
            for number, cpus in sorted(nodes_in_lscpu(asked(found, "lscpu")).items())
        ]
    )


def _numactl(found: Found) -> list[dict[str, Json]]:
    answer = found.answers().get("numactl --hardware")
    text = answer.text if answer is not None and answer.outcome is Outcome.OK else ""
    cpus = {int(n): processors(",".join(c.split())) for n, c in re.findall(r"^node (\d{1,6}) cpus:(.*)$", text, re.M)}
    sizes = {int(n): int(mib) * 1024 for n, mib in re.findall(r"^node (\d{1,6}) size: (\d{1,12}) MB", text, re.M)}
    rows = {int(n): row.split() for n, row in re.findall(r"^ *(\d{1,6}): +([\d ]+)$", text, re.M)}
    return [
        {
            "node": number,
            "cpus": as_list(found_cpus) if (found_cpus := cpus[number]) else None,
            "total_kib": sizes.get(number),
            "distances": [int(distance[:3]) for distance in rows.get(number, [])],
        }
        for number in sorted(cpus)
    ]


def _huge_pages(found: Found) -> list[dict[str, Json]]:
    sizes = {}
    for path, text in found.matches(f"{HUGE}/hugepages-*/nr_hugepages"):
        size = re.search(r"hugepages-(\d{1,12})kB/", path)
        if size and re.fullmatch(r"\d{1,15}", text.strip()):
            sizes[int(size[1])] = int(text.strip())
    return [{"size_kib": size, "pages": sizes[size]} for size in sorted(sizes)]


def _measurements(kernel: Mapping[str, int]) -> Iterable[Measurement]:
    names = {"MemAvailable": "available", "SwapFree": "swap_free", "Committed_AS": "committed"}
    for key, name in names.items():
        if key in kernel:
            yield Measurement(category="memory", name=name, value=Decimal(kernel[key]), unit="KiB")


collector = Collector(
    reads=(
        File("/proc/meminfo", optional=True),
        File("/proc/cpuinfo", optional=True),
        File(UDEV, optional=True),
        Names("/sys/firmware/dmi", optional=True),
        Names("/sys/class/dmi", optional=True),
        File(f"{BLOCKS}/block_size_bytes", optional=True),
        Files(f"{BLOCKS}/memory[0-9]*/online", optional=True),
        Files(f"{NODES}/node[0-9]*/cpulist", optional=True),
        Files(f"{NODES}/node[0-9]*/distance", optional=True),
        Names(f"{NODES}/node[0-9]*/memory[0-9]*", optional=True),
        Files("/sys/devices/system/edac/mc/mc*/dimm*/dimm_edac_mode", optional=True),
        Files(f"{HUGE}/hugepages-*/nr_hugepages"),
        File("/sys/kernel/mm/transparent_hugepage/enabled"),
    ),
    more=more,
    parse=parse,
    columns=("ram_gb", "ram_type", "ram_manufacturer"),
    metadata={
        "memory.usable_kib": "what the kernel has of it (MemTotal), KiB",
        "memory.installed_mib": "installed memory, MiB",
        "memory.installed_source": "modules: sum of those the firmware lists; memory blocks: of a virtual machine",
        "memory.modules[].locator": "the slot, as it is named on the board; empty slots are listed as well",
        "memory.modules[].bank": "the bank, as it is named on the board",
        "memory.modules[].size_mib": "MiB; null: the slot is empty",
        "memory.modules[].type": "DDR4, LPDDR5, ...",
        "memory.modules[].form_factor": "DIMM, SODIMM, ...",
        "memory.modules[].speed_mts": "what the module can do, megatransfers per second",
        "memory.modules[].configured_mts": "what it is set to, megatransfers per second",
        "memory.modules[].manufacturer": "who made it",
        "memory.modules[].part_number": "the maker's part number",
        "memory.modules[].serial_number": "its serial number",
        "memory.modules[].data_width_bits": "width of the data, bits",
        "memory.modules[].total_width_bits": "width with error correction, bits",
        "memory.slots": "slots for modules",
        "memory.ecc": "error correction: none, parity, single-bit, multi-bit, crc",
        "memory.channels": "memory channels in use, where the names of the slots tell",
        "memory.numa_nodes[].node": "number of the node",
        "memory.numa_nodes[].cpus": "its processors: 0-3,8",
        "memory.numa_nodes[].total_kib": "its memory, KiB: in blocks of the kernel, else as numactl says",
        "memory.numa_nodes[].distances": "distance to each node, in their order; 10 is the node itself",
        "memory.swap_kib": "swap space that is on, KiB",
        "memory.huge_pages[].size_kib": "size of a huge page, KiB",
        "memory.huge_pages[].pages": "how many are set aside",
        "memory.transparent_huge_pages": "always, madvise or never",
    },
    measures={
        "memory.available": "KiB: what programs can still get without swapping (MemAvailable)",
        "memory.swap_free": "KiB: swap space not in use",
        "memory.committed": "KiB: what programs were promised (Committed_AS)",
    },
)
