"""What machine this is: model, serial number, hardware UUID, firmware, board, and whether it is virtual.

Sources, best first: the kernel's copy of the firmware tables (`/sys/class/dmi/id`), the device tree of ARM and RISC-V
boards, `dmidecode`, `lshw`, and `/proc/cpuinfo` of boards that have nothing else. What a vendor left unfilled ("To Be Filled By
O.E.M.", a serial number of noughts) is not known. Serial numbers and the UUID are for root only: refused to others.

`model_identifier` is the model as the firmware spells it, `model_name` the name people use (the same, except where a
vendor like Lenovo or Apple keeps the two apart), `model_number` the order number (SKU).
A virtual machine without firmware tables is recognised by its clock source, device tree, hypervisor files and the
processor's `hypervisor` flag; what runs it, by the maker's mark in its ACPI tables, which only root may read.
"""

import re
from collections.abc import Mapping
from uuid import UUID

from aya.collect.asked import asked, refused
from aya.collect.collector import Collector
from aya.collect.json_values import dig, words
from aya.collect.linux import _container, _dmi, _hostname
from aya.collect.linux._dmi import known, known_serial, known_uuid
from aya.collect.linux._hostname import host_name
from aya.collect.linux._lshw import LSHW, nodes_in_lshw
from aya.host.reading import Command, File, Files, Found, Read
from aya.model import Facts, Gap, Json, Node, Outcome

DMI = "/sys/class/dmi/id"
TREE = "/proc/device-tree"
ACPI = "/sys/firmware/acpi/tables/FACP"
CLOCKS = "/sys/devices/system/clocksource/clocksource0/available_clocksource"

DMIDECODE_FIELDS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "bios_vendor": (_dmi.FIRMWARE, ("Vendor",)),
    "bios_version": (_dmi.FIRMWARE, ("Version",)),
    "bios_date": (_dmi.FIRMWARE, ("Release Date", "Release")),
    "sys_vendor": (_dmi.SYSTEM, ("Manufacturer", "Vendor")),
    "product_name": (_dmi.SYSTEM, ("Product Name", "Product")),
    "product_version": (_dmi.SYSTEM, ("Version",)),
    "product_serial": (_dmi.SYSTEM, ("Serial Number",)),
    "product_uuid": (_dmi.SYSTEM, ("UUID",)),
    "product_sku": (_dmi.SYSTEM, ("SKU Number",)),
    "product_family": (_dmi.SYSTEM, ("Family",)),
    "board_vendor": (_dmi.BOARD, ("Manufacturer", "Vendor")),
    "board_name": (_dmi.BOARD, ("Product Name", "Product")),
    "board_version": (_dmi.BOARD, ("Version",)),
    "board_serial": (_dmi.BOARD, ("Serial Number",)),
    "chassis_vendor": (_dmi.CHASSIS, ("Manufacturer", "Vendor")),
    "chassis_type": (_dmi.CHASSIS, ("Type", "Chassis Type")),
    "chassis_serial": (_dmi.CHASSIS, ("Serial Number",)),
    "chassis_asset_tag": (_dmi.CHASSIS, ("Asset Tag",)),
}
"""The kernel's names of the fields, and where `dmidecode` prints them."""

CHASSIS_TYPES = (
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosing",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
)
"""SMBIOS, table of chassis types: the first is number 1."""

HYPERVISORS = (
    ("vmware", "vmware"),
    ("innotek gmbh", "virtualbox"),
    ("virtualbox", "virtualbox"),
    ("xen", "xen"),
    ("parallels", "parallels"),
    ("bhyve", "bhyve"),
    ("bochs", "bochs"),
    ("apple virtualization", "apple-virtualization"),
    ("google compute engine", "kvm"),
    ("amazon ec2", "kvm"),
    ("kvm", "kvm"),
    ("qemu", "qemu"),
)
"""What the firmware of a virtual machine calls itself, in lower case, and the hypervisor that is behind it."""

CLOUDS = (
    ("sys_vendor", "amazon ec2", "aws"),
    ("bios_version", "amazon", "aws"),
    ("sys_vendor", "google", "gcp"),
    ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", "azure"),
    ("chassis_asset_tag", "oraclecloud.com", "oracle"),
    ("sys_vendor", "digitalocean", "digitalocean"),
    ("sys_vendor", "hetzner", "hetzner"),
    ("sys_vendor", "alibaba cloud", "alibaba"),
    ("sys_vendor", "tencent cloud", "tencent"),
    ("sys_vendor", "scaleway", "scaleway"),
    ("sys_vendor", "vultr", "vultr"),
    ("sys_vendor", "linode", "linode"),
    ("sys_vendor", "akamai", "linode"),
    ("sys_vendor", "upcloud", "upcloud"),
    ("sys_vendor", "exoscale", "exoscale"),
    ("sys_vendor", "openstack", "openstack"),
    ("product_name", "openstack", "openstack"),
)
"""The field, a word in it in lower case, and the provider that writes it so."""

MONITORS = {
    b"FIRECK": "firecracker",
    b"CLOUDH": "cloud-hypervisor",
    b"BOCHS ": "qemu",
    b"CROSVM": "crosvm",
    b"VBOX  ": "virtualbox",
    b"BHYVE ": "bhyve",
    b"AMAZON": "nitro",
}
"""The makers that virtual machine monitors write into bytes 10 to 15 of their ACPI tables."""


def more(found: Found) -> tuple[Read, ...]:
    """Without the kernel's copy of the firmware tables: ask `dmidecode`, and look who made the ACPI tables."""
    others = _hostname.questions(found)
    if _machine_id(found) is None:
        others = (*others, Command(("hostnamectl",), optional=True))
    if _kernel_dmi(found):
        return others
    # lshw takes seconds, and knows no more than a device tree.
    tree = found.line(f"{TREE}/model") or found.line(f"{TREE}/compatible")
    return (
        Command(("dmidecode",), optional=True),
        *(() if tree else (Command(tuple(LSHW.split()), optional=True),)),
        File(ACPI, optional=True),
        *others,
    )


def parse(found: Found) -> Facts:
    """Columns of identification and `metadata.identity`."""
    dmi = _kernel_dmi(found) or _dmidecode(found) or _lshw(found)
    board = _board_file(found)
    vendor = known(dmi.get("sys_vendor"))
    name, identifier = _model(dmi, vendor)
    serial = known_serial(dmi.get("product_serial")) or known_serial(found.line(f"{TREE}/serial-number"))
    uuid = known_uuid(dmi.get("product_uuid"))
    compatible = (found.text(f"{TREE}/compatible") or "").split("\0")[0].strip()
    identity: dict[str, Json] = {
        "hostname": host_name(found),
        "machine_id": _machine_id(found),
        "vendor": vendor,
        "virtualization": _virtualization(found, dmi),
        "cloud_provider": _cloud(found, dmi),
        "chassis": {
            "type": _chassis_type(dmi.get("chassis_type")),
            "vendor": known(dmi.get("chassis_vendor")),
            "serial_number": known_serial(dmi.get("chassis_serial")),
            "asset_tag": known_serial(dmi.get("chassis_asset_tag")),
        },
        "firmware": {
            "vendor": known(dmi.get("bios_vendor")),
            "version": known(dmi.get("bios_version")),
            "date": _date(dmi.get("bios_date")),
        },
        "board": {
            "vendor": known(dmi.get("board_vendor")),
            "name": known(dmi.get("board_name")),
            "version": known(dmi.get("board_version")),
            "serial_number": known_serial(dmi.get("board_serial")),
        },
    }
    node = Node(
        model_name=name or known(found.line(f"{TREE}/model")) or known(board.get("Model")) or _power_system(board),
        model_identifier=identifier or known(compatible),
        model_number=_order_number(dmi.get("product_sku")),
        serial_number=serial or known_serial(board.get("Serial")),
        hardware_uuid=UUID(uuid) if uuid else None,
    )
    return Facts(node=node, metadata={"identity": identity}, gaps=_gaps(found))


def _kernel_dmi(found: Found) -> Mapping[str, str]:
    return {path.rpartition("/")[2]: text.strip() for path, text in found.matches(f"{DMI}/*")}


def _dmidecode(found: Found) -> Mapping[str, str]:
    answer = found.answers().get("dmidecode")
    tables = _dmi.structures(answer.text) if answer is not None else ()
    return {
        key: value
        for key, (kind, names) in DMIDECODE_FIELDS.items()
        if (value := next((table.get(*names) for table in tables if table.kind == kind), None)) is not None
    }


def _lshw(found: Found) -> Mapping[str, str]:
    """The fields out of `lshw -json`, which puts the order number in brackets behind the product's name."""
    text = asked(found, LSHW)
    machine: Json = next(nodes_in_lshw(text, "system"), None)
    board: Json = next((node for node in nodes_in_lshw(text, "bus") if node.get("id") == "core"), None)
    bios: Json = next((node for node in nodes_in_lshw(text, "memory") if node.get("id") == "firmware"), None)
    sku = words(dig(machine, "configuration", "sku"))
    said = {
        "sys_vendor": words(dig(machine, "vendor")),
        "product_name": (words(dig(machine, "product")) or "").removesuffix(f"({sku})").strip(),
        "product_version": words(dig(machine, "version")),
        "product_serial": words(dig(machine, "serial")),
        "product_uuid": words(dig(machine, "configuration", "uuid")),
        "product_sku": sku,
        "product_family": words(dig(machine, "configuration", "family")),
        "board_vendor": words(dig(board, "vendor")),
        "board_name": words(dig(board, "product")),
        "board_version": words(dig(board, "version")),
        "board_serial": words(dig(board, "serial")),
        "bios_vendor": words(dig(bios, "vendor")),
        "bios_version": words(dig(bios, "version")),
        "bios_date": words(dig(bios, "date")),
        "chassis_type": (words(dig(machine, "configuration", "chassis")) or "").capitalize(),
    }
    return {key: value for key, value in said.items() if value}


def _board_file(found: Found) -> Mapping[str, str]:
    pairs = (line.partition(":") for line in (found.text("/proc/cpuinfo") or "").splitlines())
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def _power_system(board: Mapping[str, str]) -> str | None:
    """The model of an IBM Power machine, behind the kind of its firmware: `CHRP IBM,9008-22L`."""
    said = re.fullmatch(r"(?:CHRP|PowerNV) (\S.*)", board.get("machine", ""))
    return said[1] if said else None


def _model(dmi: Mapping[str, str], vendor: str | None) -> tuple[str | None, str | None]:
    """The name people use, and the model as the firmware spells it."""
    product = known(dmi.get("product_name"))
    if product is None:
        return None, None
    # IBM and Lenovo servers put the machine type behind the name: "System x3550 M5: -[5463AC1]-".
    if typed := re.fullmatch(r"(.+?):? ?-\[(\w+)\]-", product):
        return typed[1], typed[2]
    # Lenovo's product name is the machine type (1298A8G), its version the name (ThinkPad Edge E320).
    version = known(dmi.get("product_version"))
    if vendor is not None and vendor.lower() == "lenovo" and version and re.search(r"[A-Za-z]{4}", version):
        return version, product
    if vendor is not None and vendor.lower().startswith("apple"):
        return known(dmi.get("product_family")) or product, product
    return product, product


def _order_number(sku: str | None) -> str | None:
    """The SKU; Dell writes `SKU=0716;ModelName=PowerEdge R640`."""
    parts = re.fullmatch(r"SKU=([^;]*)(;.*)?", sku or "")
    return known_serial(parts[1] if parts else sku)


def _machine_id(found: Found) -> str | None:
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        value = (found.line(path) or "").lower()
        if re.fullmatch(r"[0-9a-f]{32}", value) and known_serial(value):
            return value
    said = re.search(r"^ *Machine ID: ([0-9a-f]{32})$", asked(found, "hostnamectl"), re.MULTILINE)
    return said[1] if said else None


def _chassis_type(value: str | None) -> str | None:
    number = value.strip() if value else ""
    if number.isascii() and number.isdigit():
        index = int(number[:4]) - 1
        return known(CHASSIS_TYPES[index]) if 0 <= index < len(CHASSIS_TYPES) else None
    return known(value)


def _date(value: str | None) -> str | None:
    """`MM/DD/YYYY`, as SMBIOS has it, in the order of ISO 8601; anything else as it is."""
    parts = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", known(value) or "")
    return f"{parts[3]}-{parts[1]}-{parts[2]}" if parts else known(value)


def _virtualization(found: Found, dmi: Mapping[str, str]) -> dict[str, Json]:
    hypervisor, source = _hypervisor(found, dmi)
    container = _container.container(found)
    if container not in (None, "none"):
        return {"kind": container, "hypervisor": hypervisor, "monitor": _monitor(found), "source": "namespaces"}
    return {"kind": hypervisor, "hypervisor": hypervisor, "monitor": _monitor(found), "source": source}


def _hypervisor(found: Found, dmi: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Which hypervisor, `none`, `other` for one that cannot be named, or None; and the source that says so."""
    if "control_d" in (found.text("/proc/xen/capabilities") or ""):
        return "none", "/proc/xen/capabilities"
    clocks = (found.text(CLOCKS) or "").split()
    firmware = " ".join(
        dmi.get(key, "") for key in ("sys_vendor", "product_name", "bios_vendor", "board_vendor")
    ).lower()
    named = next((kind for word, kind in HYPERVISORS if word in firmware), None)
    # A bare-metal instance has the provider's name in its firmware as well, but no hypervisor flag.
    flags = re.search(r"^flags\s*:(.*)$", found.text("/proc/cpuinfo") or "", re.MULTILINE)
    flagged = "hypervisor" in flags[1].split() if flags else None
    if "metal" in dmi.get("product_name", "") and not flagged:
        named = None
    if "kvm-clock" in clocks:
        return "kvm", CLOCKS
    if found.line("/sys/hypervisor/type"):
        return found.line("/sys/hypervisor/type"), "/sys/hypervisor/type"
    if named:
        return named, "firmware"
    if "microsoft corporation" in firmware and "virtual machine" in firmware:
        return "hyper-v", "firmware"
    if any(clock.startswith("hyperv") for clock in clocks):
        return "hyper-v", CLOCKS
    if tree := found.line(f"{TREE}/hypervisor/compatible"):
        return next(
            (kind for kind in ("kvm", "xen", "vmware") if kind in tree), "other"
        ), f"{TREE}/hypervisor/compatible"
    if flagged is not None:
        return ("other" if flagged else "none"), "/proc/cpuinfo"
    if known(dmi.get("product_name")):
        return "none", "firmware"
    return None, None


def _monitor(found: Found) -> str | None:
    answer = found.answers().get(ACPI)
    return MONITORS.get(answer.data[10:16]) if answer is not None and answer.outcome is Outcome.OK else None


def _cloud(found: Found, dmi: Mapping[str, str]) -> str | None:
    for key, word, provider in CLOUDS:
        if word in dmi.get(key, "").lower():
            return provider
    if (found.line("/sys/hypervisor/uuid") or "").lower().startswith("ec2"):
        return "aws"
    return None


def _gaps(found: Found) -> tuple[Gap, ...]:
    """What was refused. Sources that say the same are asked only where the first is not there."""
    answer = found.answers().get("dmidecode")
    denied = answer is not None and answer.outcome is Outcome.DENIED
    gaps = (Gap(Outcome.DENIED, f"firmware tables: {answer.reason}"),) if answer and denied else ()
    return (
        *gaps,
        *refused(found, DMI),
        *refused(found, TREE),
        *refused(found, ACPI),
        *refused(found, "/etc/machine-id"),
    )


collector = Collector(
    reads=(
        Files(f"{DMI}/*", optional=True),
        File(f"{TREE}/model", optional=True),
        File(f"{TREE}/serial-number", optional=True),
        File(f"{TREE}/compatible", optional=True),
        File(f"{TREE}/hypervisor/compatible", optional=True),
        File("/etc/machine-id", optional=True),
        File("/var/lib/dbus/machine-id", optional=True),
        _hostname.READ,
        File("/proc/cpuinfo", optional=True),
        File("/sys/hypervisor/type", optional=True),
        File("/sys/hypervisor/uuid", optional=True),
        File("/proc/xen/capabilities", optional=True),
        File(CLOCKS, optional=True),
        *_container.READS,
    ),
    more=more,
    parse=parse,
    columns=("model_name", "model_identifier", "model_number", "serial_number", "hardware_uuid"),
    metadata={
        "identity.hostname": "the host name the kernel has now",
        "identity.machine_id": "identity of this installation of the operating system, 32 hexadecimal digits",
        "identity.vendor": "who made the machine, as its firmware says",
        "identity.virtualization.kind": "the innermost layer: a container's kind, else the hypervisor, else none",
        "identity.virtualization.hypervisor": "kvm, vmware, xen, hyper-v, ...; other: not named; none: bare metal",
        "identity.virtualization.monitor": "the program that runs it, by the mark in its ACPI tables: firecracker, ...",
        "identity.virtualization.source": "what says so: a file, the firmware's names, or our namespaces",
        "identity.cloud_provider": "aws, azure, gcp, ...; null where nothing names one",
        "identity.chassis.type": "form of the case, by SMBIOS: Desktop, Notebook, Rack Mount Chassis, ...",
        "identity.chassis.vendor": "who made the case",
        "identity.chassis.serial_number": "serial number of the case",
        "identity.chassis.asset_tag": "the owner's inventory number",
        "identity.firmware.vendor": "who made the firmware (BIOS or UEFI)",
        "identity.firmware.version": "version of the firmware",
        "identity.firmware.date": "date of the firmware, YYYY-MM-DD",
        "identity.board.vendor": "who made the main board",
        "identity.board.name": "model of the main board",
        "identity.board.version": "revision of the main board",
        "identity.board.serial_number": "serial number of the main board",
    },
)
