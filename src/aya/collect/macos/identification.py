"""What Mac this is: model, serial number, hardware UUID, provisioning UDID, firmware, and whether it is virtual.

Sources, best first: `system_profiler SPHardwareDataType` (JSON, property list, text), the registry's
`IOPlatformExpertDevice`, and the kernel's variables. `model_identifier` is Apple's name of the model (`Mac15,14`),
`model_name` the name people use, `model_number` the order number. Identifiers from before 2022 tell the name as well:
`MacBookPro18,1` is a MacBook Pro.
"""

import re
from collections.abc import Mapping
from uuid import UUID

from aya.collect.collector import Collector
from aya.collect.macos import _ioreg, _sysctl, _system_profiler
from aya.collect.macos._system_profiler import Item
from aya.host.reading import Found, Read
from aya.model import Facts, Gap, Json, Node, Outcome

HARDWARE = "SPHardwareDataType"
PLATFORM = "IOPlatformExpertDevice"

MODEL_IDENTIFIER = ("machine_model", "Model Identifier", "Machine Model")
MODEL_NAME = ("machine_name", "Model Name", "Machine Name")
SERIAL = ("serial_number", "Serial Number (system)", "Serial Number")
HARDWARE_UUID = ("platform_UUID", "Hardware UUID")
FIRMWARE = ("boot_rom_version", "System Firmware Version", "Boot ROM Version")

UNDERSTOOD = frozenset(
    name.lower()
    for name in (
        *MODEL_IDENTIFIER,
        *MODEL_NAME,
        *SERIAL,
        *HARDWARE_UUID,
        *FIRMWARE,
        *("model_number", "Model Number", "provisioning_UDID", "Provisioning UDID"),
        *("activation_lock_status", "Activation Lock Status", "os_loader_version", "OS Loader Version"),
        *("SMC_version_system", "SMC Version (system)", "SMC Version", "chip_type", "Chip", "cpu_type", "CPU Type"),
        *("Processor Name", "current_processor_speed", "Processor Speed", "CPU Speed", "number_processors"),
        *("Number of Processors", "Number Of CPUs", "Number of Cores", "Total Number of Cores", "packages"),
        *("physical_memory", "Memory", "bus_speed", "Bus Speed", "platform_cpu_htt", "Hyper-Threading Technology"),
        *("l2_cache", "l2_cache_core", "l2_cache_share", "l2_cache_processor", "l3_cache", "L3 Cache", "L2 Cache"),
        *("L2 Cache (per Core)", "L2 Cache (per CPU)", "L2 Cache (per Processor)", "L3 Cache (per Processor)"),
        *("Model Part Number", "processor_speed"),
    )
)
"""What the overview says that has a place here or with the collectors of processor and memory."""

NAMED_MODELS = {
    "iMacPro": "iMac Pro",
    "iMac": "iMac",
    "MacBookPro": "MacBook Pro",
    "MacBookAir": "MacBook Air",
    "MacBook": "MacBook",
    "Macmini": "Mac mini",
    "MacPro": "Mac Pro",
    "Xserve": "Xserve",
}
"""Identifiers that tell what people call the model; `Mac15,14` does not."""

HYPERVISORS = (
    ("virtualmac", "apple"),
    ("apple virtual machine", "apple"),
    ("vmware", "vmware"),
    ("parallels", "parallels"),
    ("virtualbox", "virtualbox"),
    ("qemu", "kvm"),
)


def more(found: Found) -> tuple[Read, ...]:
    """The other forms of what did not answer."""
    return _system_profiler.alternatives(found, HARDWARE) + _ioreg.alternatives(found, PLATFORM)


def parse(found: Found) -> Facts:
    """Columns of the identity and `metadata.identity`."""
    described = _system_profiler.section(found, HARDWARE)
    overview = _system_profiler.overview(described, *MODEL_IDENTIFIER, *MODEL_NAME, *SERIAL, *HARDWARE_UUID)
    platform = next(iter(_ioreg.objects(found, PLATFORM)), {})
    kernel = _sysctl.variables(found, "hw", "kern", "machdep")
    identifier = (
        overview.get(*MODEL_IDENTIFIER) or _ioreg.letters(platform.get("model")) or kernel.get("hw.model") or None
    )
    name = overview.get(*MODEL_NAME) or _name_in(identifier)
    node = Node(
        model_name=name,
        model_identifier=identifier,
        model_number=overview.get("model_number", "Model Number"),
        serial_number=_serial(overview.get(*SERIAL)) or _serial(_ioreg.letters(platform.get("IOPlatformSerialNumber"))),
        hardware_uuid=_uuid(overview.get(*HARDWARE_UUID)) or _uuid(platform.get("IOPlatformUUID")),
    )
    identity: dict[str, Json] = {
        "hostname": kernel.get("kern.hostname") or None,
        "vendor": _ioreg.letters(platform.get("manufacturer")) or ("Apple Inc." if _is_apple(identifier) else None),
        "provisioning_udid": overview.get("provisioning_UDID", "Provisioning UDID"),
        "activation_lock": overview.flag("activation_lock_status", "Activation Lock Status"),
        "virtualization": _virtualization(kernel, name, identifier, overview.get("chip_type", "Chip")),
        "firmware": {"version": overview.get(*FIRMWARE)},
        "os_loader_version": overview.get("os_loader_version", "OS Loader Version"),
        "smc_version": overview.get("SMC_version_system", "SMC Version (system)", "SMC Version"),
        "board": {"name": _board(kernel.get("hw.targettype")) or _ioreg.letters(platform.get("board-id"))},
        "unknown": _unknown(overview),
    }
    return Facts(node=node, metadata={"identity": identity}, gaps=tuple(_gaps(found, described, overview, node)))


def _gaps(found: Found, described: Item | None, overview: Item, node: Node) -> list[Gap]:
    """A gap where something is missing that the overview would have told."""
    if None not in (node.model_name, node.model_identifier, node.serial_number, node.hardware_uuid):
        return []
    if described is None:
        return [_system_profiler.gap(found, HARDWARE)]
    if not any(key in UNDERSTOOD for key in overview.values):
        return [_system_profiler.not_understood(HARDWARE)]
    if node.serial_number is None and node.hardware_uuid is None:
        return [Gap(Outcome.UNREADABLE, f"system_profiler {HARDWARE}: it names neither a serial number nor a UUID")]
    return []


def _unknown(overview: Item) -> str | None:
    """What the overview says that nobody here knows."""
    left = [
        f"{key}: {said}" for key in sorted(overview.values) if key not in UNDERSTOOD and (said := overview.get(key))
    ]
    return "; ".join(left)[:1000] or None


def _name_in(identifier: str | None) -> str | None:
    parts = re.fullmatch(r"([A-Za-z]+)\d+,\d+", identifier or "")
    return NAMED_MODELS.get(parts[1]) if parts else None


def _is_apple(identifier: str | None) -> bool:
    return re.fullmatch(r"(i?Mac[A-Za-z]*|Xserve|Power(Mac|Book)|VirtualMac)\d+,\d+", identifier or "") is not None


def _board(text: str | None) -> str | None:
    """`J614c`; what Intel's say is no name."""
    return text if text and text != "Mac" else None


def _serial(text: str | None) -> str | None:
    """The serial number; None for fillers: `Not Available`, `0`, `System Serial#`."""
    return text if text and re.fullmatch(r"(?!0+$)[A-Za-z0-9+/-]{2,64}", text) else None


def _uuid(text: Json) -> UUID | None:
    """The UUID; None for one that is no UUID, or says nothing."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text):
        return None
    return UUID(text) if len(set(text.lower()) - {"-"}) > 1 else None


def _virtualization(
    kernel: Mapping[str, str], name: str | None, identifier: str | None, chip: str | None
) -> dict[str, Json]:
    """Kind, hypervisor and what says so, as on Linux; all None where nothing tells."""
    said = f"{identifier} {name} {chip}".lower()
    hypervisor = next((kind for word, kind in HYPERVISORS if word in said), None)
    present = kernel.get("kern.hv_vmm_present")
    flagged = "VMM" in (kernel.get("machdep.cpu.features") or "").split()
    if hypervisor is not None:
        source: str | None = "model"
    elif present == "1" or flagged or "(virtual)" in said:
        hypervisor = "other"
        source = "kern.hv_vmm_present" if present == "1" else "processor"
    elif present == "0":
        hypervisor, source = "none", "kern.hv_vmm_present"
    else:
        source = None
    return {"kind": hypervisor, "hypervisor": hypervisor, "source": source}


collector = Collector(
    reads=(
        _system_profiler.question(HARDWARE),
        _ioreg.question(PLATFORM),
        _sysctl.question("hw"),
        _sysctl.question("kern"),
        _sysctl.question("machdep"),
    ),
    more=more,
    parse=parse,
    columns=("model_name", "model_identifier", "model_number", "serial_number", "hardware_uuid"),
    metadata={
        "identity.hostname": "the host name the kernel has now",
        "identity.vendor": "who made the machine, as its firmware says",
        "identity.provisioning_udid": "the identifier by which Apple provisions the machine",
        "identity.activation_lock": "whether Activation Lock is on",
        "identity.virtualization.kind": "apple, vmware, parallels, ...; other: not named; none: a real Mac",
        "identity.virtualization.hypervisor": "the same: macOS has no containers",
        "identity.virtualization.source": "what says so: the model, the processor, or a variable of the kernel",
        "identity.firmware.version": "version of the firmware (system firmware, boot ROM)",
        "identity.os_loader_version": "version of what loads the operating system (iBoot)",
        "identity.smc_version": "version of the system management controller (Intel)",
        "identity.board.name": "Apple's name of the board: J614c, Mac-F4208CAA",
        "identity.unknown": "what the overview says besides, as it stands there: keys of a newer macOS",
    },
)
