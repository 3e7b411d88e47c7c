"""What people see of the platform reference: a chip with its sources, all chips, and a node beside what is expected of it."""

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aya.reference import Chip, OperatingSystem
from aya.serve.cli.output import console, print_table, shown

if TYPE_CHECKING:
    from aya.operations.platform import Expected

COLUMNS = ("chip", "released", "cores", "GPU_cores", "FP32_TFLOPS", "memory", "GB/s", "W")
UNITS = {
    "kib": "KiB",
    "mib": "MiB",
    "gb": "GB",
    "bits": "bits",
    "mtps": "MT/s",
    "gbps": "GB/s",
    "mhz": "MHz",
    "tflops": "TFLOPS",
    "w": "W",
}
"""How the unit that ends a figure's name is written."""
NO_FIGURES = {"name", "vendor", "kind", "core_classes", "sources"}


def print_chips(chips: Sequence[Chip]) -> None:
    """One line for each configuration of each chip."""
    print_table([_row(one) for one in chips], COLUMNS)
    console().print("[dim]Empty: not published. `aya platform CHIP` shows every figure with its source.[/]")


def print_chip(chips: Sequence[Chip]) -> None:
    """Every figure of one chip with its source; of several configurations the values beside one another."""
    first = chips[0]
    console().print(f"[bold]{shown(first.name)}[/]  [dim]{shown(first.vendor)}, {first.kind}[/]")
    figures = [one.name for one in fields(Chip) if one.name not in NO_FIGURES]
    found: list[tuple[str, list[Any], str]] = [
        (name, [getattr(one, name) for one in chips], _source(chips, name)) for name in figures
    ]
    for place, core in enumerate(first.core_classes):
        kind = "cores" if core.name == "all" else f"{core.name} cores"
        for name, source in (
            ("cores", "core_classes"),
            ("code_name", "core_classes.code_name"),
            ("l1_instruction_kib", "core_classes.caches"),
            ("l1_data_kib", "core_classes.caches"),
            ("l2_mib", "core_classes.caches"),
        ):
            values = [getattr(one.core_classes[place], name) for one in chips]
            found.append((kind if name == "cores" else f"{kind}: {name}", values, _source(chips, source)))
    print_table(
        [
            _named(name) | {"value": _beside(values), "source": source}
            for name, values, source in found
            if any(value is not None for value in values)
        ],
        ("figure", "value", "unit", "source"),
    )


def print_expected(node: str, expected: Sequence["Expected"]) -> None:
    """What a node holds beside what is expected of it."""
    print_table(
        [
            {
                "column": one.column,
                "recorded": _plain(one.recorded),
                "expected": " or ".join(_plain(value) for value in one.expected),
                "verdict": {True: "ok", False: "differs", None: "not recorded"}[one.agrees],
                "because": one.because,
                "source": one.source,
            }
            for one in expected
        ],
        ("column", "recorded", "expected", "verdict", "because", "source"),
        empty=f"Nothing is published of the processor, the GPU and the kernel of {node}.",
    )


def print_systems(systems: Sequence[OperatingSystem]) -> None:
    """Kernels and the systems they came with."""
    print_table(
        [
            {"kernel": f"{one.kernel} {one.kernel_major}", "system": f"{one.name} {one.version}", "name": one.code_name}
            for one in systems
        ],
        ("kernel", "system", "name"),
    )


def _row(one: Chip) -> dict[str, str]:
    classes = [f"{core.cores}" + ("" if core.name == "all" else f" {core.name}") for core in one.core_classes]
    return {
        "chip": one.name,
        "released": one.released or "",
        "cores": ", ".join(classes),
        "GPU_cores": _plain(one.gpu_cores),
        "FP32_TFLOPS": _plain(one.gpu_fp32_tflops),
        "memory": " ".join(
            part for part in (f"{one.memory_gb} GB" if one.memory_gb else "", one.memory_type or "") if part
        ),
        "GB/s": _plain(one.memory_bandwidth_gbps),
        "W": _plain(one.tdp_w),
    }


def _named(figure: str) -> dict[str, str]:
    name, _, last = figure.rpartition("_")
    if last not in UNITS:
        return {"figure": figure.replace("_", " "), "unit": ""}
    return {"figure": name.replace("_", " "), "unit": UNITS[last]}


def _source(chips: Sequence[Chip], figure: str) -> str:
    return "; ".join(dict.fromkeys(one.sources[figure] for one in chips if figure in one.sources))


def _beside(values: Sequence[Any]) -> str:
    said = [_plain(value) or "unknown" for value in values]
    return said[0] if len(set(said)) == 1 else " | ".join(said)


def _plain(value: Any) -> str:
    """A figure without the zeros that say nothing."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return "" if value is None else str(value)
