"""The processor as `lscpu` prints it: its summary as text and JSON, and its tables."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from aya.collect.json_values import dig, integer, items, parsed, words
from aya.collect.linux._arm import SERVERS
from aya.collect.linux._cores import ARCHITECTURES, X86_VENDORS, Cache, CoreClass, Description, kib, model_name, ranked
from aya.collect.linux._cpuinfo import isa_architecture
from aya.collect.linux._lscpu_labels import WEAKNESSES, label, labelled
from aya.collect.linux._processors import processors
from aya.model import Json

INTEL_PRIVATE_L2 = frozenset(
    {26, 30, 31, 46, 37, 44, 47, 42, 45, 58, 62, 60, 63, 69, 70, 61, 71, 79, 86, 78, 94, 85, 142, 158, 102, 126, 125}
    | {106, 108, 140, 141, 165, 166, 167, 143, 207}
)
"""Models of Intel family 6, Nehalem to Emerald Rapids, in which every core has an L2 of its own (SDM volume 4, table
2-1); not Atom, Core 2 and the hybrids, where cores share it."""

TELLING = {"On-line CPU(s) list", "Thread(s) per core", "Core(s) per socket", "Model name"}
"""Of these every summary has at least one. Without any, its language is one that is not understood."""


def read_lscpu(text: str) -> Description:
    """What `lscpu` prints: its summary in all versions since 2.20, as text or JSON, and the tables of `-p` and `-e`."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    if text.lstrip().startswith("#"):
        return _parsable_table(text)
    if re.match(r"\s*CPU +(NODE|SOCKET|CORE|L1|ONLINE)", text):
        return _readable_table(text)
    return _summary(_pairs(text))


def _pairs(text: str) -> list[tuple[str, str]]:
    """Label and value of each line, the label in English."""
    is_json = text.lstrip().startswith("{")
    pairs = _fields(dig(parsed(text), "lscpu")) if is_json else _lines(text.partition("\n#")[0])
    return [(label(printed), value.strip()) for printed, value in pairs]


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a text; on a terminal newer versions indent them below headings."""
    above = ""
    for printed, value in labelled(text):
        indented = printed[:1].isspace()
        above = above if indented else label(printed)
        yield f"Vulnerability {printed.strip()}" if indented and above in WEAKNESSES else printed, value


def _fields(nodes: Json, prefix: str = "") -> Iterator[tuple[str, str]]:
    for node in items(nodes):
        field, value = words(dig(node, "field")), words(dig(node, "data"))
        if field is not None:
            yield prefix + field, value or ""
        weaknesses = field is not None and label(field) in WEAKNESSES
        yield from _fields(dig(node, "children"), "Vulnerability " if weaknesses else "")


def nodes_in_lscpu(text: str) -> dict[int, frozenset[int]]:
    """The processors of each NUMA node."""
    nodes: dict[int, frozenset[int]] = {}
    for name, value in _pairs(text):
        number, cpus = re.fullmatch(r"NUMA node(\d{1,4}) CPU\(s\)", name), processors(value)
        if number and cpus:
            nodes[int(number[1])] = cpus
    return nodes


def _summary(pairs: list[tuple[str, str]]) -> Description:
    # Cores of several models are several blocks, each of which begins with its name.
    starts = [place for place, (key, _) in enumerate(pairs) if key == "Model name"]
    blocks = [dict(reversed(pairs[start:end])) for start, end in pairwise([*starts, len(pairs)])]
    general = dict(reversed(pairs))
    if not general.keys() & TELLING:
        return Description()
    present = integer(general.get("CPU(s)"))
    online = processors(general.get("On-line CPU(s) list"))
    several = len(blocks) > 1
    groups = [_class_of(block, several) for block in blocks] if several else [_class_of(general, several)]
    cores = _sum(group.cores for group in groups)
    per_core = integer(general.get("Thread(s) per core")) or None
    whole = _counts_all(present, len(online) if online is not None else present, cores, per_core)
    x86 = general.get("Vendor ID") in X86_VENDORS
    sockets = integer(general.get("Socket(s)")) or None
    features = next((value for key, value in pairs if key in ("Flags", "ISA")), "")
    name = general.get("Architecture")
    seen = Description(
        model=model_name(blocks[0].get("Model name")) if blocks else None,
        architecture=ARCHITECTURES.get(name, name) if name else isa_architecture(features.split(), ""),
        vendor=general.get("Vendor ID"),
        family=general.get("CPU family"),
        number=general.get("Model") if x86 else general.get("Machine type"),
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
        classes=ranked(groups) if whole else (),
        vulnerabilities={
            key.removeprefix("Vulnerability ").lower().replace(" ", "_"): value
            for key, value in pairs
            if key.startswith("Vulnerability ") and value
        },
    )
    uniform = not several and whole and cores is not None and present == cores * (per_core or 1)
    return replace(seen, caches=tuple(_caches(pairs, seen, cores if uniform else None)))


def _counts_all(present: int | None, online: int | None, cores: int | None, per_core: int | None) -> bool:
    """Whether the cores it counts, among online processors, are all cores there are."""
    if present is None or online is None or cores is None or cores > present:
        return False
    return online == present or cores * (per_core or 0) == present or cores > online


def _class_of(block: Mapping[str, str], named: bool) -> CoreClass:
    by_cluster = "Core(s) per socket" not in block and "Core(s) per cluster" in block
    per_group = integer(block.get("Core(s) per cluster" if by_cluster else "Core(s) per socket"))
    groups = integer(block.get("Cluster(s)" if by_cluster else "Socket(s)")) or _sockets_in_books(block)
    cores = per_group * groups if per_group and groups else None
    per_core = integer(block.get("Thread(s) per core"))
    highest = _mhz_text(block.get("CPU max MHz"))
    return CoreClass(
        name=model_name(block.get("Model name")) if named else None,
        cores=cores,
        threads=cores * per_core if named and cores and per_core else None,
        max_mhz=highest,
        min_mhz=_mhz_text(block.get("CPU min MHz")),
        speed=(0, highest or 0),
    )


def _sockets_in_books(block: Mapping[str, str]) -> int | None:
    """The sockets of an IBM Z, which are in books, and these in drawers; old versions know no drawers."""
    per_book = integer(block.get("Socket(s) per book"))
    books = integer(block.get("Book(s)")) or _product(block.get("Book(s) per drawer"), block.get("Drawer(s)"))
    return per_book * books if per_book and books else None


def _product(one: str | None, other: str | None) -> int | None:
    first, second = integer(one), integer(other)
    return first * second if first and second else None


def _caches(pairs: Iterable[tuple[str, str]], seen: Description, cores: int | None) -> Iterable[Cache]:
    """Caches in the three ways they were printed: `32K` is one, `256 KiB` all, `256 KiB (8 instances)` all."""
    for key, value in pairs:
        name = re.fullmatch(r"L(\d)([di]?) cache", key)
        size = re.fullmatch(r"([\d.,]+) ?([KMG]?)(i?B)?(?: \((\d+) [^\W\d]+\))?", value)
        amount = kib("".join(size.groups("")[:2])) if size else None
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
    return seen.vendor in X86_VENDORS or (seen.model or "").startswith(SERVERS)


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


def _parsable_table(text: str) -> Description:
    """The table of `lscpu -p`, with any columns in any order; it lists processors that are online."""
    header = next((line for line in reversed(text.splitlines()) if line.startswith("#") and "CPU" in line), "")
    columns = [name.strip().lower() for name in header.lstrip("# ").split(",")]
    rows = [
        dict(zip(columns, (value.strip() for value in line.split(",")), strict=False))
        for line in text.splitlines()
        if line.strip() and not line.startswith("#")
    ]
    return _counted(rows, offline=0)


def _readable_table(text: str) -> Description:
    """The table of `lscpu -e`; it lists processors that are offline as well, with nothing but their number."""
    lines = [line for line in text.splitlines() if line.strip()]
    columns = lines[0].lower().split()
    rows = [dict(zip(columns, line.split(), strict=False)) for line in lines[1:]]
    online = [row for row in rows if row.get("online", "yes") in ("yes", "ja", "oui")]
    seen = _counted(online, offline=len(rows) - len(online))
    highest = [mhz for row in online if (mhz := _mhz_text(row.get("maxmhz")))]
    lowest = [mhz for row in online if (mhz := _mhz_text(row.get("minmhz")))]
    return replace(seen, max_mhz=max(highest, default=None), min_mhz=min(lowest, default=None))


def _counted(rows: list[dict[str, str]], offline: int) -> Description:
    """What the rows of online processors tell of the cores."""
    if not rows or any(integer(row.get(column)) is None for row in rows for column in ("cpu", "core", "socket")):
        return Description()
    numbers = frozenset(int(row["cpu"]) for row in rows)
    if offline:
        return Description(online=numbers, threads=len(numbers), present=len(numbers) + offline)
    # Processors that are left out are offline, or not in what was copied: nothing can be counted.
    if numbers != frozenset(range(len(rows))):
        return Description()
    cores: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        cores.setdefault((row["socket"], row["core"]), set()).add(int(row["cpu"]))
    return Description(
        sockets=len({row["socket"] for row in rows}),
        cores=len(cores),
        threads=len(rows),
        threads_per_core=max(len(threads) for threads in cores.values()),
        online=numbers,
        groups=frozenset(frozenset(threads) for threads in cores.values()),
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = list(values)
    return sum(value for value in known if value) if known and None not in known else None


def _mhz_text(text: str | None) -> int | None:
    """`2800.0000`, in some languages `2800,0000`."""
    parts = re.fullmatch(r"(\d{1,6})(?:[.,](\d+))?", text or "")
    return round(Decimal(f"{parts[1]}.{parts[2] or 0}")) if parts else None
