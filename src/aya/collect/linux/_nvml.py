"""What NVIDIA's management library says, as `aya.host.nvml` passes it on."""

from decimal import Decimal
from typing import Any

from aya.collect.collector import Unreadable
from aya.collect.json_values import dig, integer, items, parsed, words
from aya.collect.linux._gpu import Device, Told, address, measured, pci_address, said
from aya.model import Json

ARCHITECTURES = {
    2: "Kepler",
    3: "Maxwell",
    4: "Pascal",
    5: "Volta",
    6: "Turing",
    7: "Ampere",
    8: "Ada Lovelace",
    9: "Hopper",
    10: "Blackwell",
    13: "Rubin",
}
COMPUTE_MODES = {0: "Default", 1: "Exclusive_Thread", 2: "Prohibited", 3: "Exclusive_Process"}
VIRTUALIZATION = {1: "Pass-Through", 2: "VGPU", 3: "Host VGPU", 4: "Host VSGA"}


def devices(text: str) -> Told:
    """Each device. Raises Unreadable for what is no such answer, and, after the others, where one could not be asked whole."""
    told = parsed(text)
    if not isinstance(dig(told, "devices"), list):
        raise Unreadable("no list of devices")
    troubles: list[str] = []
    for number, one in enumerate(items(dig(told, "devices"))):
        place = words(dig(one, "PciBusId")) or ""
        known_by = address(place) or words(dig(one, "UUID")) or f"device {number}"
        errors = dig(one, "errors")
        if isinstance(errors, dict) and errors:
            troubles += [f"{known_by}: {name}: {reason}" for name, reason in errors.items()]
        if dig(one, "Name") is not None or pci_address(place):
            yield (
                known_by,
                _device(told, one) | {"pci_address": pci_address(place)},
                measured(known_by, _numbers(one)),
            )
    if troubles:
        raise Unreadable("; ".join(troubles))


def _device(system: Json, one: Json) -> Device:
    capability = [integer(part) for part in items(dig(one, "CudaComputeCapability"))]
    cuda, number = integer(dig(system, "CudaDriverVersion_v2")), integer(dig(one, "PciDeviceId"))
    limits = items(dig(one, "PowerManagementLimitConstraints"))
    ecc, virtual = items(dig(one, "EccMode")), integer(dig(one, "VirtualizationMode"))
    return {
        "model": said(words(dig(one, "Name"))),
        "vendor": "NVIDIA",
        "pci_id": f"{number & 0xFFFF:04x}:{number >> 16 & 0xFFFF:04x}" if number else None,
        "driver": "nvidia",
        "driver_version": words(dig(system, "DriverVersion")),
        "cuda_version": f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else None,
        "cuda_cores": integer(dig(one, "NumGpuCores")) or None,
        "cuda_capability": ".".join(map(str, capability)) if len(capability) == 2 and None not in capability else None,
        "memory_mib": (integer(dig(one, "MemoryTotal")) or 0) // 1048576 or None,
        "architecture": ARCHITECTURES.get(_number(one, "Architecture")),
        "uuid": said(words(dig(one, "UUID"))),
        "serial_number": said(words(dig(one, "Serial"))),
        "part_number": said(words(dig(one, "BoardPartNumber"))),
        "minor_number": integer(dig(one, "MinorNumber")),
        "shares_board": _switch(dig(one, "MultiGpuBoard")),
        "vbios_version": said(words(dig(one, "VbiosVersion"))),
        "virtualization": VIRTUALIZATION.get(virtual) if virtual is not None else None,
        "ecc": _switch(ecc[0]) if len(ecc) == 2 else None,
        "ecc_pending": _switch(ecc[1]) if len(ecc) == 2 else None,
        "persistence": _switch(dig(one, "PersistenceMode")),
        "compute_mode": COMPUTE_MODES.get(_number(one, "ComputeMode")),
        "power_limit_mw": integer(dig(one, "PowerManagementLimit")) or None,
        "power_limit_default_mw": integer(dig(one, "PowerManagementDefaultLimit")) or None,
        "power_limit_min_mw": integer(limits[0]) or None if len(limits) == 2 else None,
        "power_limit_max_mw": integer(limits[1]) or None if len(limits) == 2 else None,
        "clock_max_mhz": integer(dig(one, "MaxClockSM")) or None,
        "memory_clock_max_mhz": integer(dig(one, "MaxClockMEM")) or None,
        "pcie_max_generation": integer(dig(one, "MaxPcieLinkGeneration")) or None,
        "pcie_max_width": integer(dig(one, "MaxPcieLinkWidth")) or None,
        "nvlink": _links(one),
        "mig": _mig(one),
    }


def _numbers(one: Json) -> dict[str, tuple[Decimal | int | None, str]]:
    used, power = integer(dig(one, "MemoryUsed")), integer(dig(one, "PowerUsage"))
    return {
        "utilization": (integer(dig(one, "UtilizationGpu")), "%"),
        "memory_utilization": (integer(dig(one, "UtilizationMemory")), "%"),
        "memory_used": (used // 1048576 if used is not None else None, "MiB"),
        "temperature": (integer(dig(one, "Temperature")), "°C"),
        "power": (Decimal(power) / 1000 if power is not None else None, "W"),
        "fan": (integer(dig(one, "FanSpeed")), "%"),
        "clock": (integer(dig(one, "ClockSM")), "MHz"),
        "memory_clock": (integer(dig(one, "ClockMEM")), "MHz"),
        "ecc_corrected": (integer(dig(one, "EccCorrected")), "count"),
        "ecc_uncorrected": (integer(dig(one, "EccUncorrected")), "count"),
    }


def _links(one: Json) -> dict[str, Json] | None:
    states = [state for state in items(dig(one, "NvLinks")) if integer(state) is not None]
    return {"links": len(states), "active": sum(state == 1 for state in states), "mb_per_s": None} if states else None


def _mig(one: Json) -> dict[str, Json] | None:
    modes = items(dig(one, "MigMode"))
    if len(modes) != 2:
        return None
    parts = [
        {
            "gpu_instance": integer(dig(part, "GpuInstanceId")),
            "compute_instance": integer(dig(part, "ComputeInstanceId")),
            "memory_mib": (integer(dig(part, "MemoryTotal")) or 0) // 1048576 or None,
            "multiprocessors": integer(dig(part, "MultiprocessorCount")),
        }
        for part in items(dig(one, "MigDevices"))
    ]
    parts.sort(key=lambda part: (part["gpu_instance"] or 0, part["compute_instance"] or 0))
    return {"enabled": _switch(modes[0]), "pending": _switch(modes[1]), "devices": parts}


def _number(one: Json, name: str) -> int:
    number = integer(dig(one, name))
    return -1 if number is None else number


def _switch(value: Any) -> bool | None:
    return {0: False, 1: True}.get(value) if integer(value) is not None else None
