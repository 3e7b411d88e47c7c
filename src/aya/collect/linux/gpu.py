"""Graphics and compute processors: model, driver, memory, and how NVIDIA's are divided and limited.

Sources: the PCI bus and `/sys/class/drm` (every device, its vendor and driver), the names in `pci.ids`, `nvidia-smi`
and `rocm-smi` where they are installed, the kernel's topology of AMD compute devices (`/sys/class/kfd`), and
`/proc/driver/nvidia` where there is a driver but no tool. Devices are one and the same by their PCI address.

`gpu_model` is the device with the most memory of its own, the first of equals. `gpu_cores` are its compute units where
the kernel tells them (AMD); NVIDIA's and Intel's are in no file and stay NULL. A display adapter that a hypervisor or a
board controller offers counts as a GPU: it is one to the operating system.
"""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from aya.collect.collector import Collector, Unreadable
from aya.collect.json_values import integer
from aya.host.reading import Command, File, Files, Found, Links, Names, Read
from aya.model import Facts, Gap, Json, Measurement, Node, Outcome

PCI = "/sys/bus/pci/devices"
DRM = "/sys/class/drm"
KFD = "/sys/class/kfd/kfd/topology/nodes"
NVIDIA = ("nvidia-smi", "-q", "-x")
ROCM = ("rocm-smi", "-a", "--showmeminfo", "all", "--json")
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

DEVICE: dict[str, Json] = {
    "model": None,
    "vendor": None,
    "pci_address": None,
    "pci_id": None,
    "driver": None,
    "driver_version": None,
    "memory_mib": None,
    "compute_units": None,
    "architecture": None,
    "uuid": None,
    "serial_number": None,
    "vbios_version": None,
    "cuda_version": None,
    "ecc": None,
    "persistence": None,
    "compute_mode": None,
    "power_limit_mw": None,
    "power_limit_max_mw": None,
    "pcie_max_generation": None,
    "pcie_max_width": None,
    "mig": None,
}


def more(found: Found) -> tuple[Read, ...]:
    """The names of devices, if there are any; the file has more than a megabyte."""
    return tuple(File(path, optional=True) for path in NAMES) if _pci(found) else ()


def parse(found: Found) -> Facts:
    """Columns of the GPU, `metadata.gpu`, and what each device is doing now."""
    devices: dict[str, dict[str, Json]] = _pci(found)
    gaps: list[Gap] = []
    measurements: list[Measurement] = []
    for tool, read in ((NVIDIA, _nvidia), (ROCM, _rocm)):
        answer = found.answer(" ".join(tool))
        vendor = "NVIDIA" if tool is NVIDIA else "AMD"
        if answer.outcome is Outcome.OK:
            try:
                for address, device, numbers in read(answer.text):
                    devices[address] = devices.get(address, DEVICE) | {k: v for k, v in device.items() if v is not None}
                    measurements.extend(numbers)
            except Unreadable as error:
                gaps.append(Gap(Outcome.UNREADABLE, f"{tool[0]}: {error}"))
        elif answer.outcome is not Outcome.ABSENT and any(device["vendor"] == vendor for device in devices.values()):
            gaps.append(Gap(answer.outcome, answer.reason or tool[0]))
    _add_nvidia_files(found, devices)
    _add_amd_files(found, devices)
    _add_names(found, devices)
    _add_platform(found, devices)
    if not devices:
        return Facts(absent=not gaps and not found.gaps(), gaps=tuple(gaps))
    ordered = [devices[address] for address in sorted(devices)]
    chosen = max(ordered, key=lambda device: device["memory_mib"] or 0)
    return Facts(
        node=Node(gpu_model=chosen["model"], gpu_cores=chosen["compute_units"]),
        metadata={"gpu": {"devices": ordered}},
        measurements=tuple(measurements),
        gaps=tuple(gaps),
    )


def _address(text: str) -> str:
    """`0000:01:00.0`; NVIDIA writes the domain with eight digits and in capitals."""
    parts = re.fullmatch(r"([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])", text.strip().lower())
    return f"{parts[1][-4:]}:{parts[2]}" if parts else text.strip().lower()


# --- the kernel's own files


def _pci(found: Found) -> dict[str, dict[str, Json]]:
    """Display controllers and accelerators on the PCI bus, by address."""
    devices = {}
    for path, text in found.matches(f"{PCI}/*/class"):
        if not re.match(r"0x(03|12)", text.strip()):
            continue
        folder = path.removesuffix("/class")
        vendor, device = (_hex(found.line(f"{folder}/{name}")) for name in ("vendor", "device"))
        driver = next((target for _, target in found.matches(f"{folder}/driver")), "")
        address = folder.rpartition("/")[2]
        devices[address] = DEVICE | {
            "pci_address": address,
            "pci_id": f"{vendor}:{device}" if vendor and device else None,
            "vendor": VENDORS.get(vendor or ""),
            "driver": driver.rpartition("/")[2] or None,
            "memory_mib": _mib(found.line(f"{folder}/mem_info_vram_total")),
            "vbios_version": found.line(f"{folder}/vbios_version"),
        }
    return devices


def _add_nvidia_files(found: Found, devices: dict[str, dict[str, Json]]) -> None:
    """What the driver itself says, where its tool is not there."""
    version = re.search(r"Kernel Module.*?\s(\d+\.\d+(?:\.\d+)?)\s", found.text("/proc/driver/nvidia/version") or "")
    for path, text in found.matches("/proc/driver/nvidia/gpus/*/information"):
        device = devices.get(_address(path.split("/")[-2]))
        said = dict(re.findall(r"^([\w ]+?):\s*(.*?)\s*$", text, re.MULTILINE))
        if device is None:
            continue
        device["model"] = device["model"] or _said(said.get("Model"))
        device["uuid"] = device["uuid"] or (said.get("GPU UUID") if "?" not in said.get("GPU UUID", "?") else None)
        device["vbios_version"] = device["vbios_version"] or (
            said.get("Video BIOS") if "?" not in said.get("Video BIOS", "?") else None
        )
        device["driver_version"] = device["driver_version"] or (version[1] if version else None)


def _add_amd_files(found: Found, devices: dict[str, dict[str, Json]]) -> None:
    """Compute units, from the kernel's topology of compute devices; module version, where it is a module of its own."""
    version = found.line("/sys/module/amdgpu/version")
    for _, text in found.matches(f"{KFD}/*/properties"):
        values = {name: int(number) for name, number in re.findall(r"^(\w+) (\d{1,19})$", text, re.MULTILINE)}
        place, simds, per_unit = values.get("location_id", 0), values.get("simd_count", 0), values.get("simd_per_cu", 0)
        address = f"{values.get('domain', 0):04x}:{place >> 8 & 0xFF:02x}:{place >> 3 & 0x1F:02x}.{place & 7}"
        if address in devices and simds and per_unit:
            devices[address]["compute_units"] = simds // per_unit
    for device in devices.values():
        if device["driver"] == "amdgpu" and version:
            device["driver_version"] = device["driver_version"] or version


def _add_names(found: Found, devices: Mapping[str, dict[str, Json]]) -> None:
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


def _add_platform(found: Found, devices: dict[str, dict[str, Json]]) -> None:
    """GPUs of a chip, which are on no bus; the device tree names them: `brcm,bcm2711-vc5`."""
    for path, target in found.matches(f"{DRM}/card*/device"):
        card = path.split("/")[-2]
        place = target.rpartition("/")[2]
        if not re.fullmatch(r"card\d+", card) or _address(place) in devices or re.match(r"[0-9a-f]{4}:", place):
            continue
        compatible = (found.text(f"{DRM}/{card}/device/of_node/compatible") or "").split("\0")[0]
        driver = next((link for _, link in found.matches(f"{DRM}/{card}/device/driver")), "")
        if compatible or driver:
            devices[place] = DEVICE | {"model": compatible or None, "driver": driver.rpartition("/")[2] or None}


# --- nvidia-smi


def _nvidia(text: str) -> Iterable[tuple[str, dict[str, Json], list[Measurement]]]:
    """Address, facts and numbers of each device in the XML of `nvidia-smi -q -x`, of all versions of its DTD."""
    try:
        log = ElementTree.fromstring(text)
    except (ElementTree.ParseError, UnicodeError) as error:
        raise Unreadable(f"not XML: {error}") from None
    if log.tag != "nvidia_smi_log":
        raise Unreadable(f"<{log.tag}> instead of <nvidia_smi_log>")
    described = log.findall("gpu")
    for gpu in described:
        address = _address(_text(gpu, "pci/pci_bus_id") or gpu.get("id") or "")
        # Version 12 of the DTD renamed power_readings, and power_limit in it.
        limit = _milli(gpu, "gpu_power_readings/current_power_limit", "power_readings/current_power_limit")
        link = "pci/pci_gpu_link_info"
        device: dict[str, Json] = {
            "model": _text(gpu, "product_name"),
            "vendor": "NVIDIA",
            "pci_address": address,
            "pci_id": _pci_id(_text(gpu, "pci/pci_device_id")),
            "driver": "nvidia",
            "driver_version": _text(log, "driver_version"),
            "cuda_version": _text(log, "cuda_version"),
            "memory_mib": _amount(gpu, "fb_memory_usage/total", "MiB"),
            "architecture": _text(gpu, "product_architecture"),
            "uuid": _text(gpu, "uuid"),
            "serial_number": _text(gpu, "serial"),
            "vbios_version": _text(gpu, "vbios_version"),
            "ecc": _switch(gpu, "ecc_mode/current_ecc"),
            "persistence": _switch(gpu, "persistence_mode"),
            "compute_mode": _text(gpu, "compute_mode"),
            "power_limit_mw": limit or _milli(gpu, "power_readings/power_limit"),
            "power_limit_max_mw": _milli(gpu, "gpu_power_readings/max_power_limit", "power_readings/max_power_limit"),
            "pcie_max_generation": integer(_text(gpu, f"{link}/pcie_gen/max_link_gen")),
            "pcie_max_width": integer((_text(gpu, f"{link}/link_widths/max_link_width") or "").removesuffix("x")),
            "mig": _mig(gpu),
        }
        numbers = {
            "utilization": (_decimal(gpu, "%", "utilization/gpu_util"), "%"),
            "memory_used": (_decimal(gpu, "MiB", "fb_memory_usage/used"), "MiB"),
            "temperature": (_decimal(gpu, "C", "temperature/gpu_temp"), "°C"),
            "power": (_decimal(gpu, "W", *_POWER), "W"),
            "fan": (_decimal(gpu, "%", "fan_speed"), "%"),
        }
        yield address, device, _measured(address, numbers)
    attached = integer(_text(log, "attached_gpus"))
    if attached is not None and attached != len(described):
        raise Unreadable(f"{attached} devices are attached, {len(described)} described")


_POWER = (
    "gpu_power_readings/instant_power_draw",
    "gpu_power_readings/power_draw",
    "gpu_power_readings/average_power_draw",
    "power_readings/power_draw",
)


def _mig(gpu: ElementTree.Element) -> dict[str, Json] | None:
    """How the device is divided; None where it cannot be."""
    enabled = _switch(gpu, "mig_mode/current_mig")
    if enabled is None:
        return None
    parts = [
        {
            "gpu_instance": integer(_text(part, "gpu_instance_id")),
            "compute_instance": integer(_text(part, "compute_instance_id")),
            "memory_mib": _amount(part, "fb_memory_usage/total", "MiB"),
            "multiprocessors": integer(_text(part, "device_attributes/shared/multiprocessor_count")),
        }
        for part in gpu.findall("mig_devices/mig_device")
    ]
    parts.sort(key=lambda part: (part["gpu_instance"] or 0, part["compute_instance"] or 0))
    return {"enabled": enabled, "devices": parts}


def _said(text: str | None) -> str | None:
    """The text; None for the many ways in which the driver says that it does not know."""
    text = (text or "").strip()
    nothing = re.fullmatch(
        r"\[?(N/A|Not Supported|Unknown.*|REDACTED|Requested functionality.*|GPU .*|Insufficient.*|)\]?", text
    )
    return None if nothing else text


def _text(element: ElementTree.Element, path: str) -> str | None:
    return _said(element.findtext(path))


def _switch(element: ElementTree.Element, path: str) -> bool | None:
    return {"Enabled": True, "Disabled": False}.get(_text(element, path) or "")


def _decimal(element: ElementTree.Element, unit: str, *paths: str) -> Decimal | None:
    """The first of these that is a number of that unit."""
    for path in paths:
        parts = re.fullmatch(rf"(-?\d{{1,12}}(?:\.\d{{1,6}})?) {unit}", _text(element, path) or "")
        if parts:
            return Decimal(parts[1])
    return None


def _amount(element: ElementTree.Element, path: str, unit: str) -> int | None:
    value = _decimal(element, unit, path)
    return int(value) or None if value is not None else None


def _milli(element: ElementTree.Element, *paths: str) -> int | None:
    value = _decimal(element, "W", *paths)
    return int(value * 1000) or None if value is not None else None


def _hex(text: str | None) -> str | None:
    parts = re.fullmatch(r"0x([0-9a-f]{4})", text or "")
    return parts[1] if parts else None


def _pci_id(text: str | None) -> str | None:
    """`268410DE`, device before vendor, as `10de:2684`."""
    parts = re.fullmatch(r"(?:0x)?([0-9A-Fa-f]{4})([0-9A-Fa-f]{4})", text or "")
    return f"{parts[2]}:{parts[1]}".lower() if parts else None


def _mib(size: str | None) -> int | None:
    """Bytes in MiB."""
    return int(size) // 1048576 or None if size and re.fullmatch(r"[0-9]{1,18}", size) else None


def _measured(address: str, numbers: Mapping[str, tuple[Decimal | None, str]]) -> list[Measurement]:
    return [
        Measurement(category="gpu", name=name, value=value, unit=unit, conditions={"pci_address": address})
        for name, (value, unit) in numbers.items()
        if value is not None
    ]


# --- rocm-smi


def _rocm(text: str) -> Iterable[tuple[str, dict[str, Json], list[Measurement]]]:
    """Address, facts and numbers of each device in the JSON of `rocm-smi`."""
    # It prints warnings before the JSON.
    start = text.find("{")
    try:
        cards = json.loads(text[start:]) if start >= 0 else None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not isinstance(cards, dict):
        raise Unreadable("no JSON object")
    system = cards.get("system")
    driver = _card_text(system, "Driver version") if isinstance(system, dict) else None
    for name, card in cards.items():
        if not isinstance(card, dict) or not re.fullmatch(r"card\d{1,4}", name):
            continue
        address = _address(_card_text(card, "PCI Bus") or name)
        unique = _card_text(card, "Unique ID")
        identifier = _hex(_card_text(card, "GPU ID", "Device ID"))
        device: dict[str, Json] = {
            "model": _card_text(card, "Card series", "Card Series"),
            "vendor": "AMD",
            "pci_address": address if ":" in address else None,
            "pci_id": f"1002:{identifier}" if identifier else None,
            "driver": "amdgpu",
            "driver_version": driver,
            "memory_mib": _mib(_card_text(card, "VRAM Total Memory (B)")),
            "uuid": unique if unique and unique != "0x0" else None,
            "serial_number": serial if (serial := _card_text(card, "Serial Number")) and serial.strip("0") else None,
            "vbios_version": _card_text(card, "VBIOS version"),
            "power_limit_mw": int(limit * 1000) or None
            if (limit := _card_number(card, "Max Graphics Package Power (W)")) is not None
            else None,
        }
        used = _card_number(card, "VRAM Total Used Memory (B)")
        power = ("Average Graphics Package Power (W)", "Current Socket Graphics Package Power (W)")
        numbers = {
            "utilization": (_card_number(card, "GPU use (%)"), "%"),
            "memory_used": (Decimal(int(used) // 1048576) if used is not None else None, "MiB"),
            "temperature": (_card_number(card, "Temperature (Sensor edge) (C)"), "°C"),
            "power": (_card_number(card, *power), "W"),
            "fan": (_card_number(card, "Fan speed (%)"), "%"),
        }
        yield address, device, _measured(address, numbers)


def _card_text(card: Mapping[str, object], *keys: str) -> str | None:
    return next((said for key in keys if isinstance(value := card.get(key), str) and (said := _said(value))), None)


def _card_number(card: Mapping[str, object], *keys: str) -> Decimal | None:
    text = _card_text(card, *keys)
    try:
        value = Decimal(text) if text and len(text) < 20 else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


collector = Collector(
    reads=(
        Files(f"{PCI}/*/class"),
        Files(f"{PCI}/*/vendor"),
        Files(f"{PCI}/*/device"),
        Links(f"{PCI}/*/driver"),
        Files(f"{PCI}/*/mem_info_vram_total", optional=True),
        Files(f"{PCI}/*/vbios_version", optional=True),
        Names(f"{DRM}/card*"),
        Links(f"{DRM}/card*/device"),
        Links(f"{DRM}/card*/device/driver"),
        Files(f"{DRM}/card*/device/of_node/compatible", optional=True),
        Files(f"{KFD}/*/properties", optional=True),
        Files("/proc/driver/nvidia/gpus/*/information", optional=True),
        File("/proc/driver/nvidia/version", optional=True),
        File("/sys/module/amdgpu/version", optional=True),
        Command(NVIDIA, timeout_s=20.0, optional=True),
        Command(ROCM, timeout_s=20.0, optional=True),
    ),
    more=more,
    parse=parse,
    columns=("gpu_model", "gpu_cores"),
    metadata={
        "gpu.devices[].model": "name of the device; of a chip without a name, what its device tree calls it",
        "gpu.devices[].vendor": "who made it",
        "gpu.devices[].pci_address": "domain:bus:device.function",
        "gpu.devices[].pci_id": "vendor:device, hexadecimal",
        "gpu.devices[].driver": "the kernel's driver",
        "gpu.devices[].driver_version": "version of the driver, where it has one of its own",
        "gpu.devices[].memory_mib": "memory of its own, MiB",
        "gpu.devices[].compute_units": "compute units (AMD)",
        "gpu.devices[].architecture": "generation: Ampere, Ada Lovelace",
        "gpu.devices[].uuid": "identity of the device",
        "gpu.devices[].serial_number": "serial number of the board",
        "gpu.devices[].vbios_version": "version of its firmware",
        "gpu.devices[].cuda_version": "the newest CUDA that the driver supports",
        "gpu.devices[].ecc": "whether its memory corrects errors; null: it cannot",
        "gpu.devices[].persistence": "whether the driver stays loaded without a user",
        "gpu.devices[].compute_mode": "how many programs may compute: Default, Exclusive_Process, Prohibited",
        "gpu.devices[].power_limit_mw": "most power it may draw now, milliwatts",
        "gpu.devices[].power_limit_max_mw": "highest limit that can be set, milliwatts",
        "gpu.devices[].pcie_max_generation": "newest PCI Express generation of the link",
        "gpu.devices[].pcie_max_width": "most lanes of the link",
        "gpu.devices[].mig.enabled": "whether the device is divided; mig is null where it cannot be",
        "gpu.devices[].mig.devices[].gpu_instance": "number of the part",
        "gpu.devices[].mig.devices[].compute_instance": "number of the compute instance in the part",
        "gpu.devices[].mig.devices[].memory_mib": "its memory, MiB",
        "gpu.devices[].mig.devices[].multiprocessors": "its multiprocessors",
    },
    measures={
        "gpu.utilization": "%: share of the last moment in which it computed",
        "gpu.memory_used": "MiB: its memory in use",
        "gpu.temperature": "°C: of the chip",
        "gpu.power": "W: drawn now",
        "gpu.fan": "%: of the fan's highest speed",
    },
)
