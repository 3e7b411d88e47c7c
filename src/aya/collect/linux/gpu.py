"""Graphics and compute processors: model, driver, memory, what they can at most, and how NVIDIA's are divided and limited.

Sources: the PCI bus and `/sys/class/drm` (every device, its vendor and driver), the names in `pci.ids`, NVIDIA's management
library (NVML) or, where it does not answer, `nvidia-smi`; `nvidia-smi nvlink` for the speed of links; `rocm-smi`; the kernel's
topology of AMD compute devices (`/sys/class/kfd`), `/proc/driver/nvidia` where there is a driver but no tool, and `lshw` where
nobody kept `/sys`. Devices are one and the same by their PCI address.

`gpu_model` is the device with the most memory of its own, the first of equals. `gpu_cores` are its compute units (AMD) or its
CUDA cores where NVML tells them (NVIDIA). `gpu_compute_tflops` is what the platform reference has for that one device: it is
unknown where the name, with the memory and compute units found, is not that of exactly one. A display adapter that a
hypervisor or a board controller offers counts as a GPU: it is one to the operating system.
"""

from collections.abc import Callable, Mapping

from aya import reference
from aya.collect.asked import asked
from aya.collect.collector import Collector, Unreadable
from aya.collect.linux import _nvidia_smi, _nvml, _rocm_smi
from aya.collect.linux._display_bus import (
    DRM,
    KFD,
    NAMES,
    PCI,
    add_amd_files,
    add_listed,
    add_names,
    add_nvidia_files,
    add_platform,
    on_bus,
)
from aya.collect.linux._gpu import DEVICE, Device, Told
from aya.collect.linux._lshw import LSHW
from aya.host.reading import Call, Command, File, Files, Found, Links, Names, Read, name_of
from aya.model import Facts, Gap, Measurement, Node, Outcome

NVML = Call("nvml", optional=True)
NVIDIA_SMI = Command(_nvidia_smi.QUERY, timeout_s=20.0, optional=True)
NVLINK = Command(_nvidia_smi.LINKS, timeout_s=20.0, optional=True)
LISTS = (LSHW, "lshw -class display -json")
ROCM_SMI = Command(_rocm_smi.QUERY, timeout_s=20.0, optional=True)

Tool = tuple[Call | Command, Callable[[str], Told]]
TOOLS: Mapping[str, tuple[Tool, ...]] = {
    "NVIDIA": ((NVML, _nvml.devices), (NVIDIA_SMI, _nvidia_smi.devices)),
    "AMD": ((ROCM_SMI, _rocm_smi.devices),),
}
"""Who can tell of the devices of a vendor, and who understands that."""


def more(found: Found) -> tuple[Read, ...]:
    """The names of devices, if there are any, for the file has more than a megabyte; NVIDIA's tool for what its library left."""
    bus = on_bus(found).values()
    reads: list[Read] = [File(path, optional=True) for path in NAMES] if bus else []
    if not any(found.matches(f"{PCI}/*/class")):
        reads += [Command(tuple(form.split()), timeout_s=20.0, optional=True) for form in LISTS]
    if found.answer(name_of(NVML)).outcome is not Outcome.OK:
        reads.append(NVIDIA_SMI)
    if any(device["vendor"] == "NVIDIA" for device in bus):
        reads.append(NVLINK)
    return tuple(reads)


def parse(found: Found) -> Facts:
    """Columns of the GPU, `metadata.gpu`, and what each device is doing now."""
    devices = on_bus(found)
    gaps: list[Gap] = []
    measurements: list[Measurement] = []
    for vendor, tools in TOOLS.items():
        read, understand = _answering(found, tools)
        answer = found.answer(name_of(read))
        if answer.outcome is Outcome.OK:
            try:
                for known_by, device, numbers in understand(answer.text):
                    known = {name: value for name, value in device.items() if value is not None}
                    devices[known_by] = devices.get(known_by, DEVICE) | known
                    measurements.extend(numbers)
            except Unreadable as error:
                gaps.append(Gap(Outcome.UNREADABLE, f"{name_of(read).split()[0]}: {error}"))
        elif answer.outcome is not Outcome.ABSENT and any(device["vendor"] == vendor for device in devices.values()):
            gaps.append(Gap(answer.outcome, answer.reason or name_of(read)))
    _add_links(found, devices)
    add_nvidia_files(found, devices)
    add_amd_files(found, devices)
    add_listed((asked(found, form) for form in LISTS), devices)
    add_names(found, devices)
    add_platform(found, devices)
    if not devices:
        return Facts(absent=not gaps and not found.gaps(), gaps=tuple(gaps))
    ordered = [devices[known_by] for known_by in sorted(devices)]
    chosen = max(ordered, key=lambda device: device["memory_mib"] or 0)
    published = _published(chosen)
    return Facts(
        node=Node(
            gpu_model=chosen["model"],
            gpu_cores=chosen["compute_units"] or chosen["cuda_cores"],
            gpu_compute_tflops=published.gpu_fp32_tflops if published else None,
        ),
        metadata={
            "gpu": {
                "devices": ordered,
                "compute_tflops_source": published.sources.get("gpu_fp32_tflops") if published else None,
            }
        },
        measurements=tuple(measurements),
        gaps=tuple(gaps),
    )


def _answering(found: Found, tools: tuple[Tool, ...]) -> Tool:
    """The first that answers; else the last that is there and cannot say anything, so that it says why."""
    for tool in tools:
        if found.answer(name_of(tool[0])).outcome is Outcome.OK:
            return tool
    there = [tool for tool in tools if found.answer(name_of(tool[0])).outcome is not Outcome.ABSENT]
    return there[-1] if there else tools[-1]


def _add_links(found: Found, devices: dict[str, Device]) -> None:
    if not any(device["vendor"] == "NVIDIA" and device["pci_address"] for device in on_bus(found).values()):
        return
    told = _nvidia_smi.links(found.text(name_of(NVLINK)) or "")
    for device in devices.values():
        device["nvlink"] = told.get(device["uuid"] or "") or device["nvlink"]


def _published(device: Device) -> reference.Chip | None:
    """What is published of a device; None where that is not known, or says nothing of what it computes."""
    memory = device["memory_mib"]
    chip = reference.chip(
        device["model"] or "", gpu_cores=device["compute_units"], memory_gb=memory / 1024 if memory else None
    )
    return chip if chip and chip.kind == "gpu" and chip.gpu_fp32_tflops else None


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
        NVML,
        ROCM_SMI,
    ),
    more=more,
    parse=parse,
    columns=("gpu_model", "gpu_cores", "gpu_compute_tflops"),
    metadata={
        "gpu.compute_tflops_source": "where gpu_compute_tflops is from",
        "gpu.devices[].model": "name of the device; of a chip without a name, what its device tree calls it",
        "gpu.devices[].vendor": "who made it",
        "gpu.devices[].pci_address": "domain:bus:device.function",
        "gpu.devices[].pci_id": "vendor:device, hexadecimal",
        "gpu.devices[].driver": "the kernel's driver",
        "gpu.devices[].driver_version": "version of the driver, where it has one of its own",
        "gpu.devices[].driver_model": "how Windows drives it: WDDM, TCC",
        "gpu.devices[].memory_mib": "memory of its own, MiB",
        "gpu.devices[].compute_units": "compute units (AMD)",
        "gpu.devices[].cuda_cores": "CUDA cores (NVIDIA)",
        "gpu.devices[].cuda_capability": "what CUDA can do on it: 8.6 (NVIDIA)",
        "gpu.devices[].architecture": "generation: Ampere, Ada Lovelace, gfx942",
        "gpu.devices[].uuid": "identity of the device",
        "gpu.devices[].serial_number": "serial number of the board",
        "gpu.devices[].part_number": "part number of the board",
        "gpu.devices[].minor_number": "number of its device file, /dev/nvidia0",
        "gpu.devices[].shares_board": "whether its board carries several devices",
        "gpu.devices[].vbios_version": "version of its firmware",
        "gpu.devices[].gsp_firmware_version": "version of the firmware of its system processor, where that is in use (NVIDIA)",
        "gpu.devices[].cuda_version": "the newest CUDA that the driver supports",
        "gpu.devices[].virtualization": "how it is virtualized: Pass-Through, VGPU; null: it is not, or not known",
        "gpu.devices[].ecc": "whether its memory corrects errors; null: it cannot",
        "gpu.devices[].ecc_pending": "whether it will after the next start",
        "gpu.devices[].memory_repair_pending": "whether broken memory waits for the next start to be replaced",
        "gpu.devices[].persistence": "whether the driver stays loaded without a user",
        "gpu.devices[].compute_mode": "how many programs may compute: Default, Exclusive_Process, Prohibited",
        "gpu.devices[].power_limit_mw": "most power it may draw now, milliwatts",
        "gpu.devices[].power_limit_default_mw": "the limit it comes with, milliwatts",
        "gpu.devices[].power_limit_min_mw": "lowest limit that can be set, milliwatts",
        "gpu.devices[].power_limit_max_mw": "highest limit that can be set, milliwatts",
        "gpu.devices[].clock_max_mhz": "highest clock of its processors, MHz",
        "gpu.devices[].memory_clock_max_mhz": "highest clock of its memory, MHz",
        "gpu.devices[].pcie_max_generation": "newest PCI Express generation of the link",
        "gpu.devices[].pcie_max_width": "most lanes of the link",
        "gpu.devices[].nvlink.links": "NVLinks that it has; nvlink is null where there are none or they are not known",
        "gpu.devices[].nvlink.active": "of these, how many are up",
        "gpu.devices[].nvlink.mb_per_s": "speed of one link, megabytes a second",
        "gpu.devices[].fabric_state": "whether it joined the fabric of its NVSwitches: Completed",
        "gpu.devices[].mig.enabled": "whether the device is divided; mig is null where it cannot be",
        "gpu.devices[].mig.pending": "whether it will be after the next reset",
        "gpu.devices[].mig.devices[].gpu_instance": "number of the part",
        "gpu.devices[].mig.devices[].compute_instance": "number of the compute instance in the part",
        "gpu.devices[].mig.devices[].memory_mib": "its memory, MiB",
        "gpu.devices[].mig.devices[].multiprocessors": "its multiprocessors",
    },
    measures={
        "gpu.utilization": "%: share of the last moment in which it computed",
        "gpu.memory_utilization": "%: share of the last moment in which its memory was read or written",
        "gpu.memory_used": "MiB: its memory in use",
        "gpu.temperature": "°C: of the chip",
        "gpu.memory_temperature": "°C: of its memory",
        "gpu.power": "W: drawn now",
        "gpu.fan": "%: of the fan's highest speed",
        "gpu.clock": "MHz: of its processors now",
        "gpu.memory_clock": "MHz: of its memory now",
        "gpu.ecc_corrected": "count: errors of memory corrected in its life",
        "gpu.ecc_uncorrected": "count: errors of memory not corrected in its life",
    },
)
