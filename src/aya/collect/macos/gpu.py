"""Graphics processors: model, cores, Metal, memory, and what the platform reference expects of an Apple chip.

Sources: `system_profiler SPDisplaysDataType` (JSON, property list, text), and the registry's `AGXAccelerator`, which
knows how many cores are enabled and what the GPU is doing. A MacBook Pro with an M4 Pro of 16 cores has 20 on its chip:
`cores` are those that are enabled, `cores_on_chip` all. `gpu_metal_version` is the version of Metal, or the family that
older systems name instead of it: `Metal 4`, `Metal GPUFamily Apple 7`.

`gpu_model` of an Intel Mac with two is the one that is not part of the processor. `gpu_compute_tflops` is theoretical.
"""

import re
from collections.abc import Iterable
from decimal import Decimal

from aya.collect.collector import Collector
from aya.collect.json_values import dig, integer
from aya.collect.macos import _amount, _ioreg, _system_profiler
from aya.collect.macos._ioreg import Properties
from aya.collect.macos._system_profiler import Item
from aya.host.reading import Found, Read
from aya.model import Facts, Gap, Json, Measurement, Node
from aya.reference import Chip, chip

DISPLAYS = "SPDisplaysDataType"
ACCELERATOR = "AGXAccelerator"
MODEL = ("sppci_model", "Chipset Model")
VENDOR = ("spdisplays_vendor", "spdisplays_vendor-id", "Vendor")
BUS = ("sppci_bus", "Bus")
KIND = ("sppci_device_type", "Type")
CONNECTED = ("spdisplays_ndrvs", "Displays")
VRAM = ("spdisplays_vram", "_spdisplays_vram", "VRAM (Total)", "VRAM (Dynamic, Max)")
"""What is part of the processor has none of its own: there the figure is of the machine's memory."""
CORES = ("sppci_cores", "Total Number of Cores")

VENDORS = {
    "apple": "Apple",
    "0x106b": "Apple",
    "amd": "AMD",
    "ati": "AMD",
    "0x1002": "AMD",
    "nvidia": "NVIDIA",
    "0x10de": "NVIDIA",
    "intel": "Intel",
    "0x8086": "Intel",
    "vmware": "VMware",
    "0x15ad": "VMware",
    "parallels": "Parallels",
    "0x1ab8": "Parallels",
    "0x1234": "QEMU",
}
"""Vendors as macOS writes them: `Apple (0x106b)`, `sppci_vendor_amd`, `nVIDIA (0x10de)`."""


def more(found: Found) -> tuple[Read, ...]:
    """The other forms of what did not answer."""
    return _system_profiler.alternatives(found, DISPLAYS) + _ioreg.alternatives(found, ACCELERATOR)


def parse(found: Found) -> Facts:
    """Columns of the GPU, `metadata.gpu`, and what each device is doing now."""
    described = _system_profiler.section(found, DISPLAYS)
    drivers = _ioreg.objects(found, ACCELERATOR)
    cards = [card for card in (described.items if described else ()) if card.get(*MODEL) or card.name]
    devices = [_device(card, _driver_of(card, drivers)) for card in cards]
    if not devices:
        devices = [_device(Item(), driver) for driver in drivers]
    gaps = tuple(_gaps(found, described))
    if not devices:
        return Facts(absent=not gaps, gaps=gaps)
    chosen = max(devices, key=lambda device: (device["bus"] == "pcie", device["memory_mib"] or 0))
    own_gib = chosen["memory_mib"] / 1024 if chosen["memory_mib"] else None
    expected = chip(chosen["model"], gpu_cores=chosen["cores"], memory_gb=own_gib) if chosen["model"] else None
    return Facts(
        node=Node(
            gpu_model=chosen["model"],
            gpu_cores=chosen["cores"],
            gpu_metal_version=chosen["metal_version"] or chosen["metal_family"],
            gpu_compute_tflops=expected.gpu_fp32_tflops if expected else None,
        ),
        metadata={
            "gpu": {
                "devices": devices,
                "reference": _reference(expected),
            }
        },
        measurements=tuple(_measurements(drivers)),
        gaps=gaps,
    )


def _reference(expected: Chip | None) -> dict[str, Json] | None:
    """Which chip of the reference gave the figure, and where that is from; None where it gave none."""
    if expected is None or expected.gpu_fp32_tflops is None:
        return None
    return {"chip": expected.name, "gpu_compute_tflops": expected.sources["gpu_fp32_tflops"]}


def _gaps(found: Found, described: Item | None) -> Iterable[Gap]:
    if described is None:
        yield _system_profiler.gap(found, DISPLAYS)
    elif described.items and not any(
        card.get(*MODEL, *VENDOR, *BUS, *KIND) or card.item(*CONNECTED).items for card in described.items
    ):
        yield _system_profiler.not_understood(DISPLAYS)


def _driver_of(card: Item, drivers: Iterable[Properties]) -> Properties:
    """What the registry has of an Apple GPU: the one of its name, or the only one of a card of Apple's."""
    known = list(drivers)
    named = [driver for driver in known if _ioreg.letters(driver.get("model")) == card.get(*MODEL)]
    if named:
        return named[0]
    return known[0] if len(known) == 1 and _vendor(card) == "Apple" else {}


def _device(card: Item, driver: Properties) -> dict[str, Json]:
    model = _model(card) or _ioreg.letters(driver.get("model"))
    apple = bool(driver) or re.match(r"Apple [AM]\d", model or "") is not None
    vendor = _vendor(card) or ("Apple" if apple else None)
    bus = _bus(card) or ("built-in" if apple else None)
    configuration = driver.get("GPUConfigurationVariable")
    version, family = _metal(card)
    return {
        "model": model,
        "vendor": vendor,
        "pci_id": _pci_id(card),
        "bus": bus,
        "pcie_width": _number(r"x(\d{1,2})", card.get("spdisplays_pcie_width", "PCIe Lane Width")),
        "cores": card.number(*CORES) or integer(driver.get("gpu-core-count")),
        "cores_on_chip": integer(dig(configuration, "num_cores")),
        "metal_version": version,
        "metal_family": family,
        "memory_mib": _amount.mib(card.get(*VRAM)) if bus != "built-in" else None,
        "unified_memory": True if vendor == "Apple" and bus == "built-in" else None,
        "driver": driver.get("IOClass") or None,
        "driver_version": driver.get("IOSourceVersion") or None,
        "vbios_version": card.get(
            "spdisplays_rom-revision", "spdisplays_vbios-version", "ROM Revision", "VBIOS Version"
        ),
    }


def _model(card: Item) -> str | None:
    """The chipset; the heading where that is a driver's name: `ATI,RadeonHD2600`. `spdisplays_display` is no name."""
    chipset = card.get(*MODEL)
    if chipset is None or re.fullmatch(r"\w+,\S+", chipset):
        chipset = card.name if card.name and not card.name.startswith("kHW_") else chipset
    return None if chipset is None or chipset.startswith("spdisplays_") else chipset


def _vendor(card: Item) -> str | None:
    said = card.get(*VENDOR)
    if said is None:
        return None
    words = re.findall(r"0x[0-9a-f]{4}|[a-z]+", said.lower().replace("sppci_vendor_", ""))
    return next((VENDORS[word] for word in words if word in VENDORS), None) or said


def _pci_id(card: Item) -> str | None:
    device = _hexadecimal(card.get("spdisplays_device-id", "Device ID"))
    vendor = _hexadecimal(card.get("spdisplays_vendor-id")) or _hexadecimal(card.get("spdisplays_vendor", "Vendor"))
    ids = {"AMD": "1002", "NVIDIA": "10de", "Intel": "8086"}
    vendor = vendor or ids.get(_vendor(card) or "")
    return f"{vendor}:{device}" if vendor and device else None


def _hexadecimal(text: str | None) -> str | None:
    parts = re.search(r"\b0x([0-9a-fA-F]{4})\b", text or "")
    return parts[1].lower() if parts else None


def _bus(card: Item) -> str | None:
    said = (card.get(*BUS) or "").lower().removeprefix("spdisplays_").removesuffix("_device")
    if "built" in said:
        return "built-in"
    return "pcie" if "pcie" in said else "pci" if "pci" in said else "agp" if "agp" in said else None


def _metal(card: Item) -> tuple[str | None, str | None]:
    """Version and family: `spdisplays_metal4`, `spdisplays_mtlgpufamilyapple7`, and what the text makes of them."""
    said = [
        card.get(name)
        for name in (
            "spdisplays_mtlgpufamilysupport",
            "Metal Support",
            "spdisplays_metalfamily",
            "Metal Family",
            "spdisplays_metal",
            "Metal",
        )
    ]
    version = family = None
    for text in filter(None, said):
        if parts := re.fullmatch(r"(?:spdisplays_)?metal ?(\d{1,2})", text, re.IGNORECASE):
            version = version or f"Metal {parts[1]}"
        elif parts := re.search(r"gpufamily ?(apple|macos|mac|common) ?(\d{1,2})", text, re.IGNORECASE):
            kind = {"apple": "Apple", "common": "Common"}.get(parts[1].lower(), "macOS")
            family = family or f"Metal GPUFamily {kind} {parts[2]}"
        elif parts := re.search(r"(?:metalfeaturesetfamily|macOS GPUFamily)(\d)(?: v)?(\d)", text, re.IGNORECASE):
            family = family or f"Metal GPUFamily macOS {parts[1]} v{parts[2]}"
    return version, family


def _number(pattern: str, text: str | None) -> int | None:
    parts = re.fullmatch(pattern, text or "")
    return int(parts[1]) if parts else None


def _measurements(drivers: Iterable[Properties]) -> Iterable[Measurement]:
    for driver in drivers:
        statistics = driver.get("PerformanceStatistics")
        where: dict[str, Json] = {"device": _ioreg.letters(driver.get("model"))}
        used = integer(dig(statistics, "In use system memory"))
        busy = integer(dig(statistics, "Device Utilization %"))
        if busy is not None and 0 <= busy <= 100:
            yield Measurement(category="gpu", name="utilization", value=Decimal(busy), unit="%", conditions=where)
        if used is not None and 0 <= used < 1 << 60:
            size = Decimal(used // 1048576)
            yield Measurement(category="gpu", name="memory_used", value=size, unit="MiB", conditions=where)


collector = Collector(
    reads=(_system_profiler.question(DISPLAYS), _ioreg.question(ACCELERATOR)),
    more=more,
    parse=parse,
    columns=("gpu_model", "gpu_cores", "gpu_metal_version", "gpu_compute_tflops"),
    metadata={
        "gpu.devices[].model": "name of the device",
        "gpu.devices[].vendor": "who made it",
        "gpu.devices[].pci_id": "vendor:device, hexadecimal",
        "gpu.devices[].bus": "built-in, pcie, pci, agp",
        "gpu.devices[].pcie_width": "lanes of its PCI Express link",
        "gpu.devices[].cores": "GPU cores that are enabled",
        "gpu.devices[].cores_on_chip": "GPU cores that are on the chip, enabled or not",
        "gpu.devices[].metal_version": "the version of Metal it supports: Metal 4",
        "gpu.devices[].metal_family": "the newest family of Metal features it supports: Metal GPUFamily Apple 7",
        "gpu.devices[].memory_mib": "memory of its own, MiB; null where it uses the machine's",
        "gpu.devices[].unified_memory": "whether it works in the same memory as the processor",
        "gpu.devices[].driver": "class of its driver",
        "gpu.devices[].driver_version": "version of its driver",
        "gpu.devices[].vbios_version": "version of its firmware",
        "gpu.reference.chip": "the chip of the platform reference that was taken for it",
        "gpu.reference.gpu_compute_tflops": "where the figure of that column is from",
    },
    measures={
        "gpu.utilization": "%: share of the last moment in which it computed",
        "gpu.memory_used": "MiB: memory it has in use",
    },
)
