"""What is published about a processor: its cores, its memory's bandwidth, what it computes at most.

A name may stand for several variants: an Apple M3 Max has 30 or 40 GPU cores, and another bandwidth with each. A figure
in which the variants that come into question differ is None; what is known of the machine narrows them down.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Any

from aya.reference.data import platform, source

MEMORY_TOLERANCE = 0.07
"""A driver keeps a part of a board's memory for itself, and tells what is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreClass:
    """Processor cores that are alike."""

    name: str
    """As the vendor calls them: `super`, `performance`, `efficiency`; `all` where there is one kind."""
    cores: int | None = None
    code_name: str | None = None
    l1_instruction_kib: int | None = None
    """Of each core."""
    l1_data_kib: int | None = None
    """Of each core."""
    l2_mib: Decimal | None = None
    """One L2: of a core, or of a cluster that shares it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """The published figures of one chip. None: not published, or it depends on the variant."""

    name: str
    vendor: str
    kind: str
    """`soc`, `cpu` or `gpu`."""
    released: str | None = None
    """Year and month in which its maker announced or launched it: `2023-10`."""
    code_name: str | None = None
    cpu_cores: int | None = None
    cpu_threads: int | None = None
    core_classes: tuple[CoreClass, ...] = ()
    l3_mib: Decimal | None = None
    """Of the whole chip."""
    gpu_cores: int | None = None
    """Apple: GPU cores; NVIDIA: multiprocessors; AMD: compute units."""
    gpu_lanes: int | None = None
    """FP32 additions and multiplications that begin in one clock: `CUDA cores`, `stream processors`."""
    gpu_clock_mhz: int | None = None
    """The highest that its maker states, or that its own table of clocks has."""
    gpu_fp32_tflops: Decimal | None = None
    """Theoretical, by its ordinary lanes."""
    gpu_fp16_tflops: Decimal | None = None
    """Theoretical, by its ordinary lanes."""
    gpu_fp16_matrix_tflops: Decimal | None = None
    """Theoretical, by its matrix units: dense, accumulated in FP32."""
    memory_gb: int | None = None
    """Memory of its own, as it is sold; None for one that uses the machine's."""
    memory_type: str | None = None
    memory_bus_bits: int | None = None
    memory_rate_mtps: int | None = None
    """Transfers per second of each line of the bus, in millions."""
    memory_bandwidth_gbps: Decimal | None = None
    """GIGABYTES per second, theoretical: of one processor with all its channels filled with the fastest memory."""
    tdp_w: int | None = None
    """Design power as its maker states it: of a board for a GPU, of the package for a CPU."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Figure -> where it is from; every figure that is not None has one. Those of `core_classes` are told apart: itself is how
    many there are, `core_classes.code_name` and `core_classes.caches` the rest.
    """


FIGURES = tuple(one.name for one in fields(Chip) if one.name not in {"name", "vendor", "kind", "sources"})
EXACT = {one.name for kind in (Chip, CoreClass) for one in fields(kind) if one.type == Decimal | None}
CACHES = ("l1_instruction_kib", "l1_data_kib", "l2_mib")


def chip(
    name: str, gpu_cores: int | None = None, cpu_cores: int | None = None, memory_gb: float | None = None
) -> Chip | None:
    """What is published of the chip of that name; None for one that is not known, or not in that configuration.

    `name` is as a vendor's tool, the kernel or a person writes it: `Apple M3 Max`, `NVIDIA GeForce RTX 3080`, `RTX 3080`,
    `AMD EPYC 7502P 32-Core Processor`. Counts and `memory_gb` (GiB of the GPU itself) are what is known of the machine: of
    the variants they leave, a figure is given where all agree.
    """
    found = fitting(name, gpu_cores, cpu_cores, memory_gb)
    return _agreed(found) if found else None


def fitting(
    name: str, gpu_cores: int | None = None, cpu_cores: int | None = None, memory_gb: float | None = None
) -> tuple[Chip, ...]:
    """The configurations of a chip that what is known of the machine leaves, see `chip`."""
    return tuple(
        one
        for one in variants(name)
        if _may_be(gpu_cores, one.gpu_cores)
        and _may_be(cpu_cores, one.cpu_cores)
        and (memory_gb is None or one.memory_gb is None or _is_about(memory_gb, one.memory_gb))
    )


def chips() -> tuple[Chip, ...]:
    """Every chip that is known, each once, with the figures that all its variants share."""
    return tuple(_agreed(those) for those in _by_key().values())


def variants(name: str) -> tuple[Chip, ...]:
    """Every configuration in which a chip is sold; empty for one that is not known."""
    return _by_key().get(_key(name), ())


def similar(name: str) -> list[str]:
    """Names of known chips that are most like a name, at most five."""
    near = get_close_matches(_key(name), _by_key(), n=5, cutoff=0.5)
    return [_by_key()[key][0].name for key in near]


def _may_be(given: int | None, sold: int | None) -> bool:
    return given is None or sold is None or given == sold


def _is_about(given: float, sold: int) -> bool:
    return abs(given - sold) <= sold * MEMORY_TOLERANCE


def _key(name: str) -> str:
    """A name without what makers, tools and people add to it or leave out.

    What is left must be equal: `Apple M1 (Virtual)`, `RTX 3080 Laptop GPU` and `Xeon Processor (Skylake, IBRS)` are others.
    """
    text = re.sub(r"\((?:r|tm|c)\)|[®™]", " ", name, flags=re.I).lower()
    # AMD's tools name the silicon and, in brackets, the products made of it: one product is a name, several are none.
    text = re.sub(r"^.*\[([^\[\]/]+)\]\s*$", r"\1", text)
    text = re.sub(r"\s@\s.*$|\b(w/|with) radeon .*$|\b\w+-cores?( processor)?\b", " ", text)
    words = [word for word in text.split() if word not in NOISE]
    # The first Xeon E5 are `E5-1603 0`: the digit stands where later ones have `v2`.
    if len(words) > 2 and words[-1] == "0" and words[0] == "xeon":
        words.pop()
    return " ".join(words)


NOISE = {"apple", "nvidia", "geforce", "tesla", "amd", "instinct", "intel", "aws", "cpu", "processor"}
"""Words that do not tell one chip from another."""


@cache
def _by_key() -> Mapping[str, tuple[Chip, ...]]:
    found: dict[str, tuple[Chip, ...]] = {}
    for family in platform()["family"]:
        for entry in family["chip"]:
            found[_key(entry["name"])] = tuple(_variants(family, entry))
    return found


def _variants(family: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[Chip]:
    shared = {name: value for name, value in family.items() if name != "chip"} | dict(entry)
    stated = dict(family.get("sources", {})) | dict(entry.get("sources", {}))
    core = _core(family.get("core", {}), entry.get("core", {}))
    for variant in entry.get("variant", [{}]):
        figures = shared | variant
        if counts := figures.get("cores"):
            figures["cpu_cores"] = sum(counts.values())
            figures["core_classes"] = tuple(
                CoreClass(name=name, cores=count, **_exact(core.get(name, {}))) for name, count in counts.items()
            )
        sources = {name: stated.get(name, shared["source"]) for name in FIGURES if name in figures}
        for what, names in {"code_name": ("code_name",), "caches": CACHES}.items():
            if any(getattr(one, name) is not None for one in figures.get("core_classes", ()) for name in names):
                sources[f"core_classes.{what}"] = stated.get(f"core_classes.{what}", shared["source"])
        if "gpu_lanes_per_core" in figures:
            figures["gpu_lanes"] = figures["gpu_cores"] * figures["gpu_lanes_per_core"]
            sources["gpu_lanes"] = stated["gpu_lanes"]
        if "gpu_fp32_tflops" not in figures and "gpu_lanes" in figures and "gpu_clock_mhz" in figures:
            figures["gpu_fp32_tflops"] = derived_tflops(figures["gpu_lanes"], figures["gpu_clock_mhz"])
            sources["gpu_fp32_tflops"] = "derived-fp32"
        if "gpu_fp16_tflops" not in figures and {"gpu_fp16_per_fp32", "gpu_fp32_tflops"} <= set(figures):
            figures["gpu_fp16_tflops"] = figures["gpu_fp32_tflops"] * figures["gpu_fp16_per_fp32"]
            sources["gpu_fp16_tflops"] = "derived-fp16"
        if "memory_bandwidth_gbps" not in figures and {"memory_bus_bits", "memory_rate_mtps"} <= set(figures):
            bandwidth = derived_gbps(figures["memory_bus_bits"], figures["memory_rate_mtps"])
            figures["memory_bandwidth_gbps"], sources["memory_bandwidth_gbps"] = bandwidth, "derived-bandwidth"
        known = {name: figures[name] for name in ("name", "vendor", "kind", *FIGURES) if name in figures}
        yield Chip(**_exact(known), sources={name: source(one) for name, one in sources.items()})


def _exact(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if name in EXACT else value for name, value in figures.items()}


def derived_tflops(lanes: int, clock_mhz: int) -> Decimal:
    """Lanes x 2 (an addition and a multiplication at once) x clock, in 10^12 a second, to two decimals."""
    return round(Decimal(lanes * 2 * clock_mhz) / 10**6, 2)


def derived_gbps(bus_bits: int, rate_mtps: int) -> Decimal:
    """Bytes of one transfer x transfers, in 10^9 a second, to one decimal."""
    return round(Decimal(bus_bits * rate_mtps) / 8000, 1)


def _core(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: shared.get(name, {}) | own.get(name, {}) for name in {*shared, *own}}


def _agreed(those: Sequence[Chip]) -> Chip:
    """One chip with the figures in which all of those agree."""
    first = those[0]
    figures = {
        name: getattr(first, name) for name in FIGURES if all(getattr(first, name) == getattr(o, name) for o in those)
    }
    figures["core_classes"] = tuple(_agreed_class(those, one.name) for one in first.core_classes)
    sources = {name: text for name, text in first.sources.items() if figures.get(name.split(".")[0]) not in (None, ())}
    return Chip(name=first.name, vendor=first.vendor, kind=first.kind, **figures, sources=sources)


def _agreed_class(those: Sequence[Chip], name: str) -> CoreClass:
    same = [cores for one in those for cores in one.core_classes if cores.name == name]
    names = (one.name for one in fields(CoreClass))
    return CoreClass(**{n: getattr(same[0], n) for n in names if len({getattr(one, n) for one in same}) == 1})
