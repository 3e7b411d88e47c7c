"""The kernel's own view of graphics and compute devices: the PCI bus, DRM, and what drivers put into files."""

import re
from collections.abc import Iterable, Mapping

from aya.collect.json_values import dig, words
from aya.collect.linux._gpu import DEVICE, Device, address, hexadecimal, mib, pci_address, said
from aya.collect.linux._lshw import nodes_in_lshw
from aya.host.reading import Found

PCI = "/sys/bus/pci/devices"
DRM = "/sys/class/drm"
KFD = "/sys/class/kfd/kfd/topology/nodes"
NAMES = ("/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids")

VENDORS = {
    "1002": "AMD",
    "10de": "NVIDIA",
    "8086": "Intel",
    "102b": "Matrox",
    "1a03": "ASPEED",
    "1234": "QEMU",
    "1af4": "Red Hat",
    "1b36": "Red Hat",
    "15ad": "VMware",
    "80ee": "Oracle",
    "1414": "Microsoft",
    "106b": "Apple",
}
"""PCI vendors of GPUs, by the short name people use."""


def on_bus(found: Found) -> dict[str, Device]:
    """Display controllers and accelerators on the PCI bus, by address."""
    devices = {}
    for path, text in found.matches(f"{PCI}/*/class"):
        if not re.match(r"0x(03|12)", text.strip()):
            continue
        folder = path.removesuffix("/class")
        vendor, device = (hexadecimal(found.line(f"{folder}/{name}")) for name in ("vendor", "device"))
        driver = next((target for _, target in found.matches(f"{folder}/driver")), "")
        place = folder.rpartition("/")[2]
        devices[place] = DEVICE | {
            "pci_address": place,
            "pci_id": f"{vendor}:{device}" if vendor and device else None,
            "vendor": VENDORS.get(vendor or ""),
            "driver": driver.rpartition("/")[2] or None,
            "memory_mib": mib(found.line(f"{folder}/mem_info_vram_total")),
            "vbios_version": found.line(f"{folder}/vbios_version"),
        }
    return devices


def add_nvidia_files(found: Found, devices: dict[str, Device]) -> None:
    """What the driver itself says, where its tool is not there."""
    version = re.search(r"Kernel Module.*?\s(\d+\.\d+(?:\.\d+)?)\s", found.text("/proc/driver/nvidia/version") or "")
    for path, text in found.matches("/proc/driver/nvidia/gpus/*/information"):
        device = devices.get(address(path.split("/")[-2]))
        told = dict(re.findall(r"^([\w ]+?):\s*(.*?)\s*$", text, re.MULTILINE))
        if device is None:
            continue
        device["model"] = device["model"] or said(told.get("Model"))
        device["uuid"] = device["uuid"] or (told.get("GPU UUID") if "?" not in told.get("GPU UUID", "?") else None)
        device["vbios_version"] = device["vbios_version"] or (
            told.get("Video BIOS") if "?" not in told.get("Video BIOS", "?") else None
        )
        device["driver_version"] = device["driver_version"] or (version[1] if version else None)


def add_amd_files(found: Found, devices: dict[str, Device]) -> None:
    """Compute units, from the kernel's topology of compute devices; module version, where it is a module of its own."""
    version = found.line("/sys/module/amdgpu/version")
    for _, text in found.matches(f"{KFD}/*/properties"):
        values = {name: int(number) for name, number in re.findall(r"^(\w+) (\d{1,19})$", text, re.MULTILINE)}
        where, simds, per_unit = values.get("location_id", 0), values.get("simd_count", 0), values.get("simd_per_cu", 0)
        place = f"{values.get('domain', 0):04x}:{where >> 8 & 0xFF:02x}:{where >> 3 & 0x1F:02x}.{where & 7}"
        if place in devices and simds and per_unit:
            devices[place]["compute_units"] = simds // per_unit
    for device in devices.values():
        if device["driver"] == "amdgpu" and version:
            device["driver_version"] = device["driver_version"] or version


def add_names(found: Found, devices: Mapping[str, Device]) -> None:
    """Names out of `pci.ids`, for devices that no tool named."""
    text = next((answer.text for path in NAMES if (answer := found.answers().get(path)) and answer.data), "")
    for device in devices.values():
        vendor, _, number = (device["pci_id"] or "").partition(":")
        start = text.find(f"\n{vendor}  ") if vendor else -1
        if start < 0:
            continue
        name = text[start + 1 : text.find("\n", start + 1)].partition("  ")[2]
        # The devices of a vendor stand below it, indented; its list ends with the next line that is not.
        end = re.compile(r"^[0-9a-fA-F]", re.MULTILINE).search(text, start + 6)
        model = re.compile(rf"^\t{number}  (.+)$", re.MULTILINE).search(text, start, end.start() if end else len(text))
        device["vendor"] = device["vendor"] or name.strip() or None
        device["model"] = device["model"] or (model[1].strip() if model else None)


def add_listed(texts: Iterable[str], devices: dict[str, Device]) -> None:
    """What `lshw -json` lists: for recordings of machines whose /sys nobody kept. What others said of a device stands."""
    for node in (node for text in texts for node in nodes_in_lshw(text, "display")):
        place = pci_address((words(node.get("businfo")) or "").partition("@")[2])
        if place is None:
            continue
        vendor, _ = _without_number(words(node.get("vendor")))
        model, numbers = _without_number(words(node.get("product")))
        told: Device = {
            "pci_address": place,
            "pci_id": numbers,
            # It repeats the vendor for a device whose name it does not know.
            "model": model if model != vendor else None,
            "vendor": next((short for short in VENDORS.values() if re.search(rf"\b{short}\b", vendor or "")), vendor),
            "driver": words(dig(node, "configuration", "driver")),
        }
        known = {name: value for name, value in devices.get(place, DEVICE).items() if value is not None}
        devices[place] = DEVICE | told | known


def _without_number(name: str | None) -> tuple[str | None, str | None]:
    """`UHD Graphics 620 [8086:3ea0]`, as `-numeric` prints it, in its parts."""
    parts = re.fullmatch(r"(.*?)\s*\[([0-9a-f]{4}(?::[0-9a-f]{4})?)\]", name or "")
    return (parts[1] or None, parts[2]) if parts else (name, None)


def add_platform(found: Found, devices: dict[str, Device]) -> None:
    """GPUs of a chip, which are on no bus; the device tree names them: `brcm,bcm2711-vc5`."""
    for path, target in found.matches(f"{DRM}/card*/device"):
        card = path.split("/")[-2]
        place = target.rpartition("/")[2]
        if not re.fullmatch(r"card\d+", card) or address(place) in devices or re.match(r"[0-9a-f]{4}:", place):
            continue
        compatible = (found.text(f"{DRM}/{card}/device/of_node/compatible") or "").split("\0")[0]
        driver = next((link for _, link in found.matches(f"{DRM}/{card}/device/driver")), "")
        if compatible or driver:
            devices[place] = DEVICE | {"model": compatible or None, "driver": driver.rpartition("/")[2] or None}
