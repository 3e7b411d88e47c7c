"""Cores that are alike: the kernel's performance levels, and what `system_profiler` says of them.

The text names its classes: `18 (6 Super and 12 Performance)`. JSON and property lists have a short form: `proc 16:12:4`
with a place for performance and one for efficiency cores; newer systems write `proc 24:16:8:0`, with a third place.
Which class stands where differs between them, so three places are understood only where two are filled and the chip is
known to have just two classes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aya.collect.macos._sysctl import number

LEVELS = re.compile(r"hw\.perflevel(\d)\.(\w+)")
SHORT_FORM = re.compile(r"proc (\d{1,4})((?::\d{1,4}){1,6})")
NAMED_FORM = re.compile(r"(\d{1,4})\s*\((.+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Cores that are alike. Caches: one of each, in bytes; how many cores share an L2."""

    name: str | None
    cores: int | None
    threads: int | None = None
    l1d_bytes: int | None = None
    l1i_bytes: int | None = None
    l2_bytes: int | None = None
    l2_shared_by: int | None = None


def levels(kernel: Mapping[str, str]) -> tuple[Level, ...]:
    """The kernel's performance levels; its numbers count from the fastest."""
    found: dict[int, dict[str, str]] = {}
    for name, value in kernel.items():
        if parts := LEVELS.fullmatch(name):
            found.setdefault(int(parts[1]), {})[parts[2]] = value
    named = any("name" in values for values in found.values())
    assumed = ("Performance", "Efficiency") if not named and len(found) == 2 else ()
    return tuple(
        Level(
            name=values.get("name") or (assumed[place] if assumed else None),
            cores=number(values, "physicalcpu_max", "physicalcpu"),
            threads=number(values, "logicalcpu_max", "logicalcpu"),
            l1d_bytes=number(values, "l1dcachesize"),
            l1i_bytes=number(values, "l1icachesize"),
            l2_bytes=number(values, "l2cachesize"),
            l2_shared_by=number(values, "cpusperl2"),
        )
        for place, (_, values) in enumerate(sorted(found.items()))
    )


def told(said: str | None, model: str | None) -> tuple[int | None, tuple[Level, ...], str | None]:
    """Total, classes, and what is not understood of `8`, `10 (8 performance and 2 efficiency)`, `proc 10:8:2`."""
    if said is None:
        return None, (), None
    if re.fullmatch(r"\d{1,4}", said):
        return int(said) or None, (), None
    if parts := NAMED_FORM.fullmatch(said):
        names = re.findall(r"(\d{1,4})\s+([A-Za-z]+)", parts[2])
        named = tuple(Level(name=name.capitalize(), cores=int(cores)) for cores, name in names)
        whole = sum(level.cores or 0 for level in named) == int(parts[1])
        return int(parts[1]) or None, named if whole else (), None if whole else said[:200]
    if parts := SHORT_FORM.fullmatch(said):
        counts = [int(count) for count in parts[2].split(":")[1:]]
        placed = _placed(counts, model) if sum(counts) == int(parts[1]) else ()
        return int(parts[1]) or None, placed, None if placed else said[:200]
    return None, (), said[:200]


def _placed(counts: list[int], model: str | None) -> tuple[Level, ...]:
    """The classes of the short form. With three places, only the chip tells which the two that are filled are."""
    filled = [count for count in counts if count]
    if len(counts) == 2:
        names: tuple[str, ...] = ("Performance", "Efficiency")
        filled = counts
    elif len(filled) != 2:
        return ()
    elif re.fullmatch(r"Apple M[1-4]( (Pro|Max|Ultra))?", model or ""):
        names = ("Performance", "Efficiency")
    elif re.fullmatch(r"Apple M5 (Pro|Max|Ultra)", model or ""):
        names = ("Super", "Performance")
    elif model == "Apple M5":
        names = ("Super", "Efficiency")
    else:
        return ()
    return tuple(Level(name=name, cores=count) for name, count in zip(names, filled, strict=True))
