"""The machine itself: model, processor, graphics, memory and operating system, in the columns of `system_nodes`."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from aya.claims.outline import Item
from aya.claims.quantity import BYTES, BYTES_PER_S, COUNT, FLOPS, Quantity, quantity
from aya.claims.scope import surroundings
from aya.claims.statement import Page, Place, Reader, Stated
from aya.model import Json

Value = tuple[Json, Quantity | None]
_NOT_KNOWN = re.compile(
    r"(?i)\b(?:not|un)\s?-?(?:known|captured|disclosed|recorded|available|measured|fully)"
    r"|^\W*(?:n/?a|tbd|none)?\W*$|recent version"
)
ABOUT_OTHERS = (
    r"display|monitor|embedding|model config|database|replication|service|postgres|software|python|optimi|benefit"
    r"|schema"
)


@dataclass(frozen=True, slots=True)
class _Term:
    """How a value of a column is stated: under which key, and where."""

    column: str
    keys: str
    reads: Callable[[str], Value | None]
    place: str = ""
    not_place: str = ABOUT_OTHERS
    in_value: str = ""


def plain(text: str) -> Value | None:
    """The text without what is added in brackets; None where it says that it is not known."""
    bare = re.sub(r"\s*\([^()]*\)\s*", " ", text).strip(" ,;")
    return None if _NOT_KNOWN.search(bare) else (bare, None)


def _part(text: str) -> Value | None:
    """The name of a part; `16-core` is none."""
    return None if _COUNTED.match(text) else plain(text)


def _counted(text: str) -> Value | None:
    """`16-core (12 performance + 4 efficiency)`."""
    found = _COUNTED.match(text)
    return whole(found[1]) if found else None


def whole(text: str) -> Value | None:
    """The first plain number."""
    said = quantity(text, COUNT)
    return None if said is None or said.low != said.low.to_integral_value() else (int(said.low), said)


def _uuid(text: str) -> Value | None:
    found = re.search(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text)
    return (str(UUID(found[0])), None) if found else None


def architecture(text: str) -> Value | None:
    """The name by which AYA knows an architecture."""
    for name, pattern in (("ARM64", r"arm64|aarch64"), ("x86_64", r"x86[_-]64|amd64|x64"), ("Universal", "universal")):
        if re.search(rf"(?i)\b(?:{pattern})\b", text):
            return name, None
    return plain(text)


def _gibibytes(text: str) -> Value | None:
    said = quantity(text, BYTES)
    # `12 GB used of 64 GB` is about something else.
    if said is None or re.search(r"(?i)\b(?:used|usage|in use|free|available|allocated|limit|per)\b", text):
        return None
    return _number(said.binary.value / 1024**3), said


def _bandwidth(text: str) -> Value | None:
    said = quantity(text, BYTES_PER_S)
    return (_number(said.value / 10**9), said) if said else None


def _tflops(text: str) -> Value | None:
    said = quantity(text, FLOPS)
    return (_number(said.value / 10**12), said) if said else None


def _number(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _kernel(text: str) -> Value | None:
    found = re.match(
        r"(?:Darwin|Linux|FreeBSD|OpenBSD|NetBSD|SunOS)\s+(?:kernel\s+)?\d[\w.+~-]*|\d+\.\d[\w.+~-]*", text
    )
    return (found[0], None) if found else None


def _metal(text: str) -> Value | None:
    found = re.search(r"Metal\s+\d+(?:\.\d+)?", text)
    return (found[0], None) if found else None


def _build(text: str) -> Value | None:
    found = re.search(r"\b\d{1,2}[A-Z]\d{1,5}[a-z]?\b|\b\d{4,6}(?:\.\d+)?\b", text)
    return (found[0], None) if found else None


_COUNTED = re.compile(r"(?i)(\d+)[\s-]*(?:(?:cpu|gpu|physical|logical)[\s-]*)?cores?\b")
_MEMORY = r"memory|\bram\b"
_TERMS = (
    _Term(
        "model_name",
        "model|model name|computer|computer model",
        plain,
        not_place=rf"{ABOUT_OTHERS}|ssd|storage|disk|gpu|graphic",
    ),
    _Term("model_identifier", "model identifier|machine identifier", plain),
    _Term("model_number", "model number|part number|sku|order number", plain),
    _Term("serial_number", "serial|serial number", plain, not_place=rf"{ABOUT_OTHERS}|ssd|storage|disk|battery"),
    _Term("hardware_uuid", "hardware uuid|system uuid|machine uuid|uuid", _uuid),
    _Term(
        "cpu_model",
        "chip|cpu|processor|cpu model|processor model|chip model|processor name",
        _part,
        not_place=rf"{ABOUT_OTHERS}|gpu|graphic",
    ),
    _Term("cpu_cores_total", "cpu|processor", _counted),
    _Term("cpu_architecture", "architecture|cpu architecture", architecture, place=r"cpu|processor"),
    _Term(
        "cpu_cores_total",
        "cores|total cores|(?:total )?number of cores|cpu cores|total cpu cores|physical cores|core count",
        whole,
        not_place=rf"{ABOUT_OTHERS}|gpu|graphic|summary",
    ),
    _Term("cpu_cores_performance", "performance cores|p-?cores", whole),
    _Term("cpu_cores_efficiency", "efficiency cores|e-?cores", whole),
    _Term(
        "gpu_model",
        "chipset|chipset model|gpu|gpu model|graphics|graphics card|chip|model",
        _part,
        place=r"gpu|graphic",
    ),
    _Term("gpu_model", "gpu|gpu model|graphics card", _part, place=r"hardware|system|spec|node|server"),
    _Term("gpu_cores", "gpu|graphics", _counted),
    _Term("gpu_cores", "gpu cores|total gpu cores|gpu core count", whole, not_place=rf"{ABOUT_OTHERS}|summary"),
    _Term("gpu_cores", "cores|total cores", whole, place=r"gpu|graphic"),
    _Term(
        "gpu_metal_version",
        "metal|metal support|metal version|metal api|metal family|metal 4 api|metal \\d+ api",
        _metal,
    ),
    _Term(
        "gpu_compute_tflops",
        ".*theoretical.*|.*peak.*|fp32 performance|expected",
        _tflops,
        in_value=r"theoretical|peak|fp32|estimated",
    ),
    _Term(
        "ram_gb",
        "capacity|ram|memory|installed|installed memory|installed ram|total memory|memory size|size|total ram",
        _gibibytes,
        place=_MEMORY,
        not_place=rf"{ABOUT_OTHERS}|storage|ssd|disk|summary",
    ),
    _Term(
        "ram_gb",
        "ram|memory|installed memory|installed ram|total memory",
        _gibibytes,
        not_place=rf"{ABOUT_OTHERS}|storage|ssd|disk|summary",
    ),
    _Term("ram_gb", "unified memory", _gibibytes, in_value=r"total|installed"),
    _Term("ram_type", "type|memory type|ram type", plain, place=_MEMORY, not_place=rf"{ABOUT_OTHERS}|storage|ssd|disk"),
    _Term("ram_manufacturer", "manufacturer|vendor|memory manufacturer|ram manufacturer", plain, place=_MEMORY),
    _Term("ram_bandwidth_gbps", "memory bandwidth|ram bandwidth", _bandwidth),
    _Term(
        "ram_bandwidth_gbps",
        "bandwidth|expected|massive bandwidth",
        _bandwidth,
        place=_MEMORY,
        not_place=rf"{ABOUT_OTHERS}|interconnect|ultrafusion|storage|network|link",
    ),
    _Term("os_build", "build|os build|build number|build version", _build, not_place=rf"{ABOUT_OTHERS}|firmware"),
    _Term("kernel_version", "kernel|kernel version", _kernel),
)
_OS_KEYS = re.compile(
    r"(?i)version|os|os version|operating system|macos|macos version|system version|distribution|release"
)
_OS_NAME = re.compile(
    r"(?P<name>macOS|OS X|Mac OS X|Ubuntu|Debian(?: GNU/Linux)?|Fedora(?: Linux)?|Red Hat Enterprise Linux|RHEL|Rocky Linux"
    r"|AlmaLinux|Arch Linux|Amazon Linux|openSUSE\w*|SUSE\w*|Windows(?: Server)?|FreeBSD)\b\s*(?P<rest>.*)",
    re.S,
)

_MAC_VERSION = re.compile(r"v?(?P<number>\d+(?:\.\d+)*)[\s,]*\(?(?P<name>[A-Z][A-Za-z ]*[A-Za-z])?")
CODE_NAME = "os_codename"
"""The subject of a name like Sequoia, which has no column."""


def _read(page: Page) -> Iterator[Stated]:
    chips: set[str] = set()
    for item in page.outline.items:
        node = page.node_of.get(item.number)
        if node is not None and item.key and not item.is_label:
            for stated in (*_of(page, item, node), *_system(page, item, node)):
                if stated.subject == "cpu_model":
                    chips.add(str(stated.value).casefold().removeprefix("apple "))
                yield stated
    for item in platform_items(page, chips):
        yield from _of(page, item, None)


def platform_items(page: Page, chips: Iterable[str]) -> Iterator[Item]:
    """What is said of a chip that nodes have, in sections that are about it and no node."""
    for item in page.items(None):
        above = " ".join(heading.text for heading in item.headings).casefold()
        if item.key and not item.is_label and any(chip in above for chip in chips):
            yield item


def _of(page: Page, item: Item, node: str | None) -> Iterator[Stated]:
    near = surroundings(item, page.nodes)
    key = re.sub(r"\s*\([^)]*\)", "", item.key).strip().lower()
    for term in _TERMS:
        if not re.fullmatch(term.keys, key) or (term.place and not re.search(rf"(?i){term.place}", item.near)):
            continue
        if re.search(rf"(?i){term.not_place}", near.replace("Expected vs. Actual Performance", "")):
            continue
        if term.in_value and not re.search(rf"(?i){term.in_value}", f"{item.key} {item.value}"):
            continue
        found = term.reads(item.value)
        if found is None:
            continue
        if found[0] not in (None, "", 0):
            yield _stated(item, node, term.column, *found)
        if term.column == "cpu_cores_total":
            yield from _classes(item, node)
        return


def _classes(item: Item, node: str | None) -> Iterator[Stated]:
    """`32 (24 performance + 8 efficiency)`."""
    for column, word in (("cpu_cores_performance", r"p(?:erformance)?"), ("cpu_cores_efficiency", r"e(?:fficiency)?")):
        found = re.search(rf"(?i)(\d+)\s*{word}\b(?:-?\s?cores?)?", item.value)
        if found and (value := whole(found[1])):
            yield _stated(item, node, column, *value)


def _system(page: Page, item: Item, node: str | None) -> Iterator[Stated]:
    """`Version: macOS 15.0 (Sequoia)`."""
    # `macOS: 26.0 (Tahoe)`
    said = (
        f"{item.key} {item.value}"
        if re.fullmatch(r"(?i)macOS|Ubuntu|Debian", item.key) and re.match(r"\d", item.value)
        else item.value
    )
    found = _OS_NAME.match(said) if said != item.value or _OS_KEYS.fullmatch(item.key) else None
    if found is None or re.search(rf"(?i){ABOUT_OTHERS}", surroundings(item, page.nodes)):
        return
    yield _stated(item, node, "os_name", found["name"], None)
    version = found["rest"].strip()
    if re.match(r"v?\d", version):
        # As collectors have it: the bare number of a Mac, the words of the distribution elsewhere.
        mac = _MAC_VERSION.match(version) if re.search(r"(?i)mac|os x", found["name"]) else None
        yield _stated(item, node, "os_version", mac["number"] if mac else version, None)
        if mac and mac["name"]:
            yield Stated(item=item, node=node, subject=CODE_NAME, value=mac["name"])


def _stated(item: Item, node: str | None, column: str, value: Json, said: Quantity | None) -> Stated:
    return Stated(item=item, node=node, subject=column, value=value, said=said, place=Place("node", column=column))


reader = Reader(_read)
