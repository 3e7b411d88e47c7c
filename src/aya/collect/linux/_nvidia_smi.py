"""What `nvidia-smi` prints: the XML of `-q -x` in every version of its DTD, and the links of `nvlink --status`."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from decimal import Decimal

from aya.collect.collector import Unreadable
from aya.collect.json_values import integer
from aya.collect.linux._gpu import Device, Told, address, measured, pci_address, said
from aya.model import Json

QUERY = ("nvidia-smi", "-q", "-x")
LINKS = ("nvidia-smi", "nvlink", "--status")

Element = ElementTree.Element


def devices(text: str) -> Told:
    """Each device. Raises Unreadable for what is no such XML, and, after all that are described, where fewer are described
    than are attached or one of them does not answer.
    """
    # A device in trouble makes it print warnings before or after.
    inner = re.search(r"<nvidia_smi_log\b.*</nvidia_smi_log>", text, re.DOTALL)
    try:
        log = ElementTree.fromstring(inner[0] if inner else text)
    except (ElementTree.ParseError, UnicodeError) as error:
        raise Unreadable(f"not XML: {error}") from None
    if log.tag != "nvidia_smi_log":
        raise Unreadable(f"<{log.tag}> instead of <nvidia_smi_log>")
    described = log.findall("gpu")
    troubles = []
    for number, gpu in enumerate(described):
        place = _text(gpu, "pci/pci_bus_id") or gpu.get("id") or ""
        known_by = address(place) or _text(gpu, "uuid") or f"device {number}"
        yield known_by, _device(log, gpu) | {"pci_address": pci_address(place)}, measured(known_by, _numbers(gpu))
        troubles += [f"{known_by}: {trouble}" for trouble in sorted(set(_troubles(gpu)))]
    attached = integer(_text(log, "attached_gpus"))
    if attached is not None and attached != len(described):
        troubles.append(f"{attached} devices are attached, {len(described)} described")
    if troubles:
        raise Unreadable("; ".join(troubles))


def _troubles(gpu: Element) -> Iterator[str]:
    """What stands in place of the figures of a device that does not answer any more: `GPU is lost`."""
    for element in gpu.iter():
        if trouble := re.fullmatch(r"\s*\[?(GPU (?:is lost|requires \w+))\]?\s*", element.text or ""):
            yield trouble[1]


def _device(log: Element, gpu: Element) -> Device:
    # Version 12 of the DTD renamed power_readings, and power_limit in it; what it calls gpu_part_number is the chip's.
    # Version 13 renames the versions of the driver and of CUDA, for now beside the old names.
    limit = _milli(gpu, "gpu_power_readings/current_power_limit", "power_readings/current_power_limit")
    link = "pci/pci_gpu_link_info"
    return {
        "model": _text(gpu, "product_name"),
        "vendor": "NVIDIA",
        "pci_id": _pci_id(_text(gpu, "pci/pci_device_id")),
        "driver": "nvidia",
        "driver_version": _text(log, "driver_version") or _text(log, "kmd_version"),
        "driver_model": _text(gpu, "driver_model/current_dm"),
        "cuda_version": _text(log, "cuda_version") or _text(log, "cuda_umd_version"),
        "memory_mib": _amount(gpu, "MiB", "fb_memory_usage/total"),
        "architecture": _text(gpu, "product_architecture"),
        "uuid": _text(gpu, "uuid"),
        "serial_number": _text(gpu, "serial"),
        "part_number": _text(
            gpu, "board_part_number" if gpu.find("board_part_number") is not None else "gpu_part_number"
        ),
        "minor_number": integer(_text(gpu, "minor_number")),
        "shares_board": _switch(gpu, "multigpu_board"),
        "vbios_version": _text(gpu, "vbios_version"),
        "gsp_firmware_version": _text(gpu, "gsp_firmware_version"),
        "virtualization": _text(gpu, "gpu_virtualization_mode/virtualization_mode"),
        "ecc": _switch(gpu, "ecc_mode/current_ecc"),
        "ecc_pending": _switch(gpu, "ecc_mode/pending_ecc"),
        "memory_repair_pending": _any(
            gpu,
            "remapped_rows/remapped_row_pending",
            "remapped_banks/bank_remapper_pending",
            "ecc_errors/channel_repair_pending",
            "retired_pages/pending_retirement",
            "retired_pages/pending_blacklist",
        ),
        "persistence": _switch(gpu, "persistence_mode"),
        "compute_mode": _text(gpu, "compute_mode"),
        "power_limit_mw": limit or _milli(gpu, "power_readings/power_limit"),
        "power_limit_default_mw": _milli(gpu, *_power("default_power_limit")),
        "power_limit_min_mw": _milli(gpu, *_power("min_power_limit")),
        "power_limit_max_mw": _milli(gpu, *_power("max_power_limit")),
        "clock_max_mhz": _amount(gpu, "MHz", "max_clocks/sm_clock"),
        "memory_clock_max_mhz": _amount(gpu, "MHz", "max_clocks/mem_clock"),
        "pcie_max_generation": integer(_text(gpu, f"{link}/pcie_gen/max_link_gen")),
        "pcie_max_width": integer((_text(gpu, f"{link}/link_widths/max_link_width") or "").removesuffix("x")),
        "fabric_state": _text(gpu, "fabric/state"),
        "mig": _mig(gpu),
    }


def _numbers(gpu: Element) -> Mapping[str, tuple[Decimal | None, str]]:
    draw = ("gpu_power_readings/instant_power_draw", *_power("power_draw"), "gpu_power_readings/average_power_draw")
    return {
        "utilization": (_decimal(gpu, "%", "utilization/gpu_util"), "%"),
        "memory_utilization": (_decimal(gpu, "%", "utilization/memory_util"), "%"),
        "memory_used": (_decimal(gpu, "MiB", "fb_memory_usage/used"), "MiB"),
        "temperature": (_decimal(gpu, "C", "temperature/gpu_temp"), "°C"),
        "memory_temperature": (_decimal(gpu, "C", "temperature/memory_temp"), "°C"),
        "power": (_decimal(gpu, "W", *draw), "W"),
        "fan": (_decimal(gpu, "%", "fan_speed"), "%"),
        "clock": (_decimal(gpu, "MHz", "clocks/sm_clock"), "MHz"),
        "memory_clock": (_decimal(gpu, "MHz", "clocks/mem_clock"), "MHz"),
        "ecc_corrected": (_errors(gpu, "correctable", "single_bit"), "count"),
        "ecc_uncorrected": (_errors(gpu, "uncorrectable", "double_bit"), "count"),
    }


def _power(name: str) -> tuple[str, str]:
    return f"gpu_power_readings/{name}", f"power_readings/{name}"


def _errors(gpu: Element, kind: str, older: str) -> Decimal | None:
    """Errors of all memories over the device's life; None where one of the counters is not known."""
    if (total := _text(gpu, f"ecc_errors/aggregate/{older}/total")) is not None:
        parts: list[str | None] = [total]
    else:
        # sram_uncorrectable, and since version 12 sram_uncorrectable_parity and sram_uncorrectable_secded.
        found = gpu.findall("ecc_errors/aggregate/*")
        parts = [said(one.text) for one in found if re.fullmatch(rf"[sd]ram_{kind}(_parity|_secded)?", one.tag)]
    counts = [integer(one) for one in parts]
    known = [count for count in counts if count is not None]
    return Decimal(sum(known)) if known and len(known) == len(counts) else None


def _mig(gpu: Element) -> dict[str, Json] | None:
    """How the device is divided; None where it cannot be."""
    enabled = _switch(gpu, "mig_mode/current_mig")
    if enabled is None:
        return None
    parts = [
        {
            "gpu_instance": integer(_text(part, "gpu_instance_id")),
            "compute_instance": integer(_text(part, "compute_instance_id")),
            "memory_mib": _amount(part, "MiB", "fb_memory_usage/total"),
            "multiprocessors": integer(_text(part, "device_attributes/shared/multiprocessor_count")),
        }
        for part in gpu.findall("mig_devices/mig_device")
    ]
    parts.sort(key=lambda part: (part["gpu_instance"] or 0, part["compute_instance"] or 0))
    return {"enabled": enabled, "pending": _switch(gpu, "mig_mode/pending_mig"), "devices": parts}


def links(text: str) -> dict[str, dict[str, Json]]:
    """The links between devices, by the UUID of the device: how many, how many are up, and how fast one is."""
    found: dict[str, dict[str, Json]] = {}
    for block in re.split(r"^(?=GPU \d+:)", text, flags=re.MULTILINE):
        uuid = re.search(r"\(UUID: (GPU-[0-9a-f-]+)\)", block)
        states = re.findall(r"^\s+Link \d+: (.*)$", block, re.MULTILINE)
        if not uuid or not states:
            continue
        speeds = [re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?) GB/s", state.strip()) for state in states]
        up = [int(Decimal(speed[1]) * 1000) for speed in speeds if speed]
        found[uuid[1]] = {"links": len(states), "active": len(up), "mb_per_s": max(up, default=None)}
    return found


def _text(element: Element, path: str) -> str | None:
    return said(element.findtext(path))


def _switch(element: Element, path: str) -> bool | None:
    return {"Enabled": True, "Disabled": False, "Yes": True, "No": False}.get(_text(element, path) or "")


def _any(element: Element, *paths: str) -> bool | None:
    """Whether one of these is on; None where none is known."""
    known = [on for path in paths if (on := _switch(element, path)) is not None]
    return any(known) if known else None


def _decimal(element: Element, unit: str, *paths: str) -> Decimal | None:
    """The first of these that is a number of that unit."""
    for path in paths:
        parts = re.fullmatch(rf"(-?\d{{1,12}}(?:\.\d{{1,6}})?) {unit}", _text(element, path) or "")
        if parts:
            return Decimal(parts[1])
    return None


def _amount(element: Element, unit: str, path: str) -> int | None:
    value = _decimal(element, unit, path)
    return int(value) or None if value is not None else None


def _milli(element: Element, *paths: str) -> int | None:
    value = _decimal(element, "W", *paths)
    return int(value * 1000) or None if value is not None else None


def _pci_id(text: str | None) -> str | None:
    """`268410DE`, device before vendor, as `10de:2684`."""
    parts = re.fullmatch(r"(?:0x)?([0-9A-Fa-f]{4})([0-9A-Fa-f]{4})", text or "")
    return f"{parts[2]}:{parts[1]}".lower() if parts else None
