"""What is expected of a machine by what is published of its chips and its kernel, beside what is recorded of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aya.reference.chip import Chip, fitting, variants
from aya.reference.operating_system import operating_system

Value = Decimal | int | str

TOLERANCE = Decimal("0.05")
"""How far a recorded figure may be from a theoretical one that is rounded: 800 GB/s for 819."""
OF_A_CHIP = {
    "cpu_cores_total": "cpu_cores",
    "gpu_cores": "gpu_cores",
    "gpu_compute_tflops": "gpu_fp32_tflops",
    "ram_type": "memory_type",
    "ram_bandwidth_gbps": "memory_bandwidth_gbps",
}
"""Columns of a node whose processor, GPU and memory are one chip, and the figures they hold."""
OF_THE_FASTEST_CORES = {"cpu_l1_cache_kb": "l1_data_kib", "cpu_l2_cache_mb": "l2_mib"}
COUNTS = {"cpu_cores_performance": "performance", "cpu_cores_efficiency": "efficiency"}


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one column of a node should hold."""

    column: str
    values: tuple[Value, ...]
    """One value; several where it depends on a variant that what is recorded does not tell."""
    because: str
    """The chip or the kernel."""
    source: str

    def holds(self, recorded: Value | None) -> bool | None:
        """Whether what is recorded is one of these; None where nothing is recorded."""
        if recorded is None:
            return None
        return any(_agrees(self.column, recorded, value) for value in self.values)


def expectations(node: Mapping[str, Any]) -> tuple[Expectation, ...]:
    """What is expected of a node, given as its columns and its `metadata`; empty where nothing is published of its parts."""
    return (*_of_the_processor(node), *_of_the_gpu(node), *_of_the_kernel(node))


def _agrees(column: str, recorded: Value, value: Value) -> bool:
    if column == "os_version":
        return f"{recorded}.".startswith(f"{value}.")
    if isinstance(recorded, str) or isinstance(value, str):
        return str(recorded).casefold() == str(value).casefold()
    if isinstance(value, int):
        return recorded == value
    return abs(recorded - value) <= value * TOLERANCE


def _of_the_processor(node: Mapping[str, Any]) -> Iterator[Expectation]:
    name = node.get("cpu_model") or ""
    known = variants(name)
    if not known:
        return
    if known[0].kind != "soc":
        yield from _of_the_fastest(known)
        sockets = _metadata(node, "cpu", "sockets")
        # A virtual machine is given some of the cores.
        if isinstance(sockets, int) and _metadata(node, "identity", "virtualization", "hypervisor") == "none":
            for one in _figures(known, "cpu_cores_total", "cpu_cores"):
                counts = tuple(value * sockets for value in one.values if isinstance(value, int))
                yield Expectation(one.column, counts, f"{sockets} x {one.because}", one.source)
        return
    known = fitting(name, node.get("gpu_cores"), node.get("cpu_cores_total")) or known
    for column, figure in OF_A_CHIP.items():
        yield from _figures(known, column, figure)
    classes = {one.name for one in known[0].core_classes}
    if classes == set(COUNTS.values()):
        for column, name in COUNTS.items():
            counts = tuple(
                dict.fromkeys(c.cores for one in known for c in one.core_classes if c.name == name and c.cores)
            )
            yield Expectation(column, counts, known[0].name, known[0].sources["core_classes"])
    yield from _of_the_fastest(known)


def _of_the_gpu(node: Mapping[str, Any]) -> Iterator[Expectation]:
    name = node.get("gpu_model") or ""
    devices = [
        one for one in _metadata(node, "gpu", "devices") or () if isinstance(one, dict) and one.get("model") == name
    ]
    memory, units = (devices[0].get(key) if devices else None for key in ("memory_mib", "compute_units"))
    known = fitting(name, units, None, memory / 1024 if memory else None)
    if known and known[0].kind == "gpu":
        yield from _figures(known, "gpu_compute_tflops", "gpu_fp32_tflops")


def _of_the_kernel(node: Mapping[str, Any]) -> Iterator[Expectation]:
    kernel = node.get("kernel_version") or ""
    if "darwin" in kernel.lower() or "mac" in (node.get("os_name") or "").lower():
        system = operating_system(kernel)
        if system is not None:
            because = f"{system.kernel} {system.kernel_major} is of {system.name} {system.version} {system.code_name}"
            yield Expectation("os_version", (system.version,), because, system.source)


def _figures(known: Sequence[Chip], column: str, figure: str) -> Iterator[Expectation]:
    values = tuple(dict.fromkeys(getattr(one, figure) for one in known))
    if values and None not in values:
        yield Expectation(column, values, known[0].name, known[0].sources[figure])


def _of_the_fastest(known: Sequence[Chip]) -> Iterator[Expectation]:
    for column, size in OF_THE_FASTEST_CORES.items():
        values = [getattr(one.core_classes[0], size) for one in known if one.core_classes]
        if values and None not in values:
            yield Expectation(
                column, tuple(dict.fromkeys(values)), known[0].name, known[0].sources["core_classes.caches"]
            )


def _metadata(node: Mapping[str, Any], *keys: str) -> Any:
    value = node.get("metadata")
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
