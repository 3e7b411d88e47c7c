"""The cores and caches of a processor, as one source describes them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from aya.collect.json_values import integer

X86_VENDORS = {"GenuineIntel", "AuthenticAMD", "HygonGenuine", "CentaurHauls", "Shanghai"}
ARCHITECTURES = {"aarch64": "ARM64", "arm64": "ARM64", "armv8l": "ARM64", "amd64": "x86_64"}
"""Where the source document writes it otherwise than the kernel does; armv8l is what a 64-bit ARM kernel tells 32-bit
programs."""
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
    groups: frozenset[frozenset[int]] = frozenset()
    """The processors that share a core, core by core, where it shows all of them."""
    vulnerabilities: Mapping[str, str] = field(default_factory=dict)


TWO_KINDS = frozenset({151, 154, 183, 186, 191})
"""Models of Intel family 6 with performance cores of two threads and efficiency cores of one, and no third kind."""


def kinds_by_threads(
    source: Description, vendor: str | None, family: str | None, number: str | None
) -> Iterable[CoreClass]:
    """The two kinds of cores of an Intel hybrid, told apart by how many threads they run; none for any other chip.

    Where only sums are known: every thread that is more than there are cores is the second one of a performance core.
    """
    if vendor != "GenuineIntel" or family != "6" or integer(number) not in TWO_KINDS or source.sockets != 1:
        return
    cores, threads = source.cores or 0, source.threads or 0
    if {len(group) for group in source.groups} == {1, 2}:
        for count in (2, 1):
            alike = [group for group in source.groups if len(group) == count]
            numbers = frozenset[int]().union(*alike)
            yield CoreClass(cores=len(alike), threads=len(numbers), speed=(count, 0), numbers=numbers)
    # With multithreading switched off both kinds look alike.
    elif not source.groups and cores < threads < 2 * cores:
        fast = threads - cores
        yield CoreClass(cores=fast, threads=2 * fast, speed=(2, 0))
        yield CoreClass(cores=cores - fast, threads=cores - fast, speed=(1, 0))


def ranked(classes: Iterable[CoreClass]) -> tuple[CoreClass, ...]:
    """Classes, fastest first, with their roles: the slowest are efficiency cores, all others performance cores."""
    ordered = sorted(classes, key=lambda c: (-c.speed[0], -c.speed[1], c.name or "", min(c.numbers, default=0)))
    speeds = {core_class.speed for core_class in ordered}
    if len(speeds) < 2 or (0, 0) in speeds:
        return tuple(ordered)
    slowest = min(speeds)
    return tuple(replace(c, role="efficiency" if c.speed == slowest else "performance") for c in ordered)


def model_name(name: str | None) -> str | None:
    """The name in one spacing, without the revision that old ARM kernels add, and without what else IBM's can do.

    Some say `-` for unknown.
    """
    name = " ".join((name or "").split()).partition(", altivec")[0]
    specific = re.fullmatch(r"(?!ARMv|AArch64)(.+?) rev \d+ \(\w+\)", name)
    return (specific[1] if specific else name).strip("-") or None


def kib(text: str | None) -> int | None:
    """`32K`, `1.5M`, `32768` (bytes) in KiB."""
    parts = re.fullmatch(r"(\d{1,12}(?:[.,]\d{1,3})?) ?([BKMG]?)", text or "")
    return (int(Decimal(parts[1].replace(",", ".")) * SCALE[parts[2]]) or None) if parts else None
