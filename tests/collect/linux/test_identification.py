import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux._dmi import known, known_serial, known_uuid, structures
from aya.collect.linux.identification import collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found
from aya.model import Facts, Outcome
from tests.collect.answers import found, refused
from tests.collect.declared import floats, undeclared

DMI = "/sys/class/dmi/id"
NAMESPACES = {
    "/proc/self/ns/pid": "pid:[4026531836]",
    "/proc/self/ns/uts": "uts:[4026531838]",
    "/proc/self/ns/cgroup": "cgroup:[4026531835]",
}
CLOCKS = "/sys/devices/system/clocksource/clocksource0/available_clocksource"


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


def recorded(recordings: Path, name: str) -> Facts:
    return understood({"dmidecode": (recordings / "linux" / name / "dmidecode.txt").read_bytes()})


# Name, identifier, order number, serial number, UUID, kind of virtualization: read off each file by hand.
RECORDED = [
    (
        "checkbox-lenovo-systemx",
        ("System x3550 M5", "5463AC1", None, "06EEEAR", "7b75005c-d029-11e4-9aa6-40f2e9b938a0", "none"),
    ),
    (
        "glpi-lenovo-thinkpad",
        (
            "ThinkPad Edge E320",
            "1298A8G",
            "ThinkPad Edge E320",
            "LR9NKZ7",
            "725ba801-507b-11cb-95e6-c66052aac597",
            "none",
        ),
    ),
    (
        "glpi-dell-r640",
        ("PowerEdge R640", "PowerEdge R640", None, "2RJF153", "4c4c4544-0052-4a10-8046-b2c04f313533", "none"),
    ),
    (
        "glpi-hp-dl360-gen8",
        (
            "ProLiant DL360p Gen8",
            "ProLiant DL360p Gen8",
            "654081-B21",
            "USE2236835",
            "30343536-3138-5355-4532-323336383335",
            "none",
        ),
    ),
    # Serial number XXXXXXXXXX, UUID EEEEEEEE-..., order number 000000-000: nobody filled them in.
    ("glpi-hp-proliant-dl120-g6", ("ProLiant DL120 G6", "ProLiant DL120 G6", None, None, None, "none")),
    # "System Product Name", "System Serial Number", "To Be Filled By O.E.M."
    ("glpi-linux-1", (None, None, None, None, "40eb001e-8c00-01ce-8e2c-00248c590a84", None)),
    # The serial number is nine dots.
    ("glpi-s5000vsa", ("MP Server", "MP Server", None, None, "ccf82081-7966-11db-bdb3-00151716fbac", "none")),
    (
        "glpi-surface-go-2",
        (
            "Surface Go 2",
            "Surface Go 2",
            "Surface_Go_2_1926",
            "48368130c2f8",
            "0e985de7-da00-4662-a18c-a957308c3ad7",
            "none",
        ),
    ),
    (
        "jc-centos-7.7",
        (
            "VMware Virtual Platform",
            "VMware Virtual Platform",
            None,
            "VMware-56 4d fd 28 89 33 f8 e2-64 74 01 59 92 3b 58 0e",
            "28fd4d56-3389-e2f8-6474-0159923b580e",
            "vmware",
        ),
    ),
    # The layout of dmidecode 2.0 and that of VMware ESX 2.5.
    ("glpi-rhel-3.9", ("VirtualBox", "VirtualBox", None, None, "ae698cfc-492a-4c7b-848f-8c17d24bc76e", "virtualbox")),
    (
        "glpi-vmware-esx-2.5",
        (
            "VMware Virtual Platform",
            "VMware Virtual Platform",
            None,
            "VMware-56 4d db dd 11 e3 8d 66-84 9e 15 8e 49 23 7c 97",
            None,
            "vmware",
        ),
    ),
]


@pytest.mark.parametrize(("name", "expected"), RECORDED)
def test_a_recorded_machine_is_identified(recordings: Path, name: str, expected: tuple[str | None, ...]) -> None:
    facts = recorded(recordings, name)
    node = facts.node
    assert (
        node.model_name,
        node.model_identifier,
        node.model_number,
        node.serial_number,
        str(node.hardware_uuid) if node.hardware_uuid else None,
        facts.metadata["identity"]["virtualization"]["kind"],
    ) == expected


def test_every_recorded_firmware_is_read_and_leaves_no_filler(recordings: Path) -> None:
    folders = sorted(path.parent.name for path in (recordings / "linux").glob("*/dmidecode.txt"))
    assert len(folders) > 20
    for name in folders:
        facts = recorded(recordings, name)
        said = repr((facts.node, facts.metadata["identity"])).lower()
        for filler in (
            "o.e.m.",
            "not specified",
            "system serial",
            "'none'!",
            "xxxx",
            "no asset",
            "<bad index>",
            "0123456789",
        ):
            assert filler not in said, name
        assert facts.metadata["identity"]["firmware"]["vendor"], name


def test_board_and_firmware_are_described(recordings: Path) -> None:
    identity = recorded(recordings, "glpi-linux-1").metadata["identity"]
    assert identity["board"] == {
        "vendor": "ASUSTeK Computer INC.",
        "name": "P5Q",
        "version": "Rev 1.xx",
        "serial_number": "MS1C93BB0H00980",
    }
    assert identity["firmware"] == {"vendor": "American Megatrends Inc.", "version": "2102", "date": "2009-04-07"}
    assert identity["chassis"] == {"type": "Desktop", "vendor": None, "serial_number": None, "asset_tag": None}


def test_the_kernels_tables_come_first_and_refused_ones_are_gaps() -> None:
    given: dict[str, Any] = {
        f"{DMI}/sys_vendor": "Dell Inc.\n",
        f"{DMI}/product_name": "PowerEdge R640\n",
        f"{DMI}/product_sku": "SKU=0716;ModelName=PowerEdge R640\n",
        f"{DMI}/chassis_type": "23\n",
        f"{DMI}/product_serial": refused(f"{DMI}/product_serial: Permission denied"),
        f"{DMI}/product_uuid": refused(f"{DMI}/product_uuid: Permission denied"),
        "dmidecode": "must not be asked",
    }
    answers = found(collector, given)
    facts = collector.parse(answers)
    assert (facts.node.model_name, facts.node.model_number) == ("PowerEdge R640", "0716")
    assert facts.metadata["identity"]["chassis"]["type"] == "Rack Mount Chassis"
    assert (facts.node.serial_number, facts.node.hardware_uuid) == (None, None)
    assert [(gap.outcome, gap.reason) for gap in (*answers.gaps(), *facts.gaps)] == [
        (Outcome.DENIED, f"{DMI}/product_serial: Permission denied"),
        (Outcome.DENIED, f"{DMI}/product_uuid: Permission denied"),
    ]


def test_a_mac_has_a_name_and_an_identifier() -> None:
    names = {"sys_vendor": "Apple Inc.", "product_name": "MacBookPro11,4", "product_family": "MacBook Pro"}
    node = understood({f"{DMI}/{key}": value for key, value in names.items()}).node
    assert (node.model_name, node.model_identifier) == ("MacBook Pro", "MacBookPro11,4")


def test_a_board_is_identified_by_its_device_tree() -> None:
    given = {
        "/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
        "/proc/device-tree/compatible": "raspberrypi,4-model-b\0brcm,bcm2711\0",
        "/proc/device-tree/serial-number": "10000000a3b1c2d4\0",
    }
    node = understood(given).node
    assert (node.model_name, node.model_identifier, node.serial_number) == (
        "Raspberry Pi 4 Model B Rev 1.4",
        "raspberrypi,4-model-b",
        "10000000a3b1c2d4",
    )


def test_a_board_without_a_device_tree_is_identified_by_cpuinfo(recordings: Path) -> None:
    folder = recordings / "linux/glpi-linux-raspberry-pi-3-model-b-on-bookworm"
    node = understood({"/proc/cpuinfo": (folder / "proc-cpuinfo.txt").read_bytes()}).node
    assert (node.model_name, node.serial_number) == ("Raspberry Pi 3 Model B Rev 1.2", "00000000438df421")


@pytest.mark.parametrize(
    ("given", "kind", "cloud"),
    [
        ({f"{DMI}/sys_vendor": "Amazon EC2", f"{DMI}/product_name": "m5.large"}, "kvm", "aws"),
        (
            {
                f"{DMI}/sys_vendor": "Amazon EC2",
                f"{DMI}/product_name": "m5.metal",
                "/proc/cpuinfo": "processor: 0\nflags : fpu sse\n",
            },
            "none",
            "aws",
        ),
        ({f"{DMI}/sys_vendor": "Google", f"{DMI}/product_name": "Google Compute Engine"}, "kvm", "gcp"),
        (
            {
                f"{DMI}/sys_vendor": "Microsoft Corporation",
                f"{DMI}/product_name": "Virtual Machine",
                f"{DMI}/chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77",
            },
            "hyper-v",
            "azure",
        ),
        ({f"{DMI}/sys_vendor": "Microsoft Corporation", f"{DMI}/product_name": "Surface Go 2"}, "none", None),
        (
            {
                f"{DMI}/sys_vendor": "Xen",
                f"{DMI}/bios_version": "4.11.amazon",
                f"{DMI}/product_name": "HVM domU",
                "/sys/hypervisor/type": "xen\n",
            },
            "xen",
            "aws",
        ),
        ({f"{DMI}/sys_vendor": "QEMU", f"{DMI}/product_name": "Standard PC", CLOCKS: "kvm-clock tsc\n"}, "kvm", None),
        ({f"{DMI}/sys_vendor": "QEMU", f"{DMI}/product_name": "Standard PC"}, "qemu", None),
        ({"/proc/cpuinfo": "processor: 0\nflags : fpu hypervisor sse\n"}, "other", None),
        ({"/proc/cpuinfo": "processor: 0\nflags : fpu sse\n"}, "none", None),
        ({"/proc/xen/capabilities": "control_d\n", f"{DMI}/product_name": "PowerEdge"}, "none", None),
        ({"/proc/device-tree/hypervisor/compatible": "linux,kvm\0"}, "kvm", None),
        ({}, None, None),
    ],
)
def test_hypervisor_and_cloud_are_recognised(given: dict[str, str], kind: str | None, cloud: str | None) -> None:
    identity = understood(given).metadata["identity"]
    assert (identity["virtualization"]["kind"], identity["cloud_provider"]) == (kind, cloud)


def test_firecracker_is_recognised_by_its_acpi_tables() -> None:
    table = b"FACP\x14\x01\x00\x00\x06\x66FIRECKFCVMFADT"
    given = {CLOCKS: "tsc kvm-clock \n", "/sys/firmware/acpi/tables/FACP": Answer(Outcome.OK, table)}
    virtualization = understood(given).metadata["identity"]["virtualization"]
    assert (virtualization["kind"], virtualization["monitor"]) == ("kvm", "firecracker")


def test_a_virtual_machine_made_from_a_container_image_is_no_container() -> None:
    identity = understood(NAMESPACES | {"/.dockerenv": "", CLOCKS: "kvm-clock"}).metadata["identity"]
    assert identity["virtualization"]["kind"] == "kvm"


def test_a_container_is_the_innermost_layer() -> None:
    given = NAMESPACES | {"/proc/self/ns/pid": "pid:[4026532447]", "/.dockerenv": "", CLOCKS: "kvm-clock"}
    virtualization = understood(given).metadata["identity"]["virtualization"]
    assert (virtualization["kind"], virtualization["hypervisor"]) == ("docker", "kvm")


def test_the_machine_id_of_an_image_that_never_started_is_not_known() -> None:
    assert understood({"/etc/machine-id": "uninitialized\n"}).metadata["identity"]["machine_id"] is None
    kept = "3d1219c7c4c5404aaa1f6d2a48adfda4"
    assert understood({"/etc/machine-id": f"{kept}\n"}).metadata["identity"]["machine_id"] == kept


@pytest.mark.parametrize(
    "filler",
    [
        "",
        "  ",
        "To Be Filled By O.E.M.",
        "Default string",
        "Not Specified",
        "None",
        "<BAD INDEX>",
        "(none)",
        "SerNum01",
    ],
)
def test_fillers_say_nothing(filler: str) -> None:
    assert known(filler) is None


@pytest.mark.parametrize("filler", ["0", "00000000", "XXXXXXXX", "1234567890", "0123456789", ".........", "0000-0000"])
def test_serial_numbers_of_nobody_say_nothing(filler: str) -> None:
    assert known_serial(filler) is None


def test_true_values_are_kept() -> None:
    assert known("  PowerEdge   R640 ") == "PowerEdge R640"
    assert known("1.0") == "1.0"
    assert known_serial("2RJF153") == "2RJF153"
    assert known_serial("100000000") == "100000000"
    assert known_uuid("28FD4D56-3389-E2F8-6474-0159923B580E") == "28fd4d56-3389-e2f8-6474-0159923b580e"
    assert known_uuid("03000200-0400-0500-0006-000700080009") is None


@given(st.text(max_size=400), st.binary(max_size=60))
def test_garbage_is_survived(text: str, data: bytes) -> None:
    structures(text)
    structures(f"Handle 0x0001, DMI type 1\nSystem Information\n\tSerial Number: {text}\n")
    raw = Answer(Outcome.OK, data)
    understood(
        {"dmidecode": text, "/sys/firmware/acpi/tables/FACP": raw, "/proc/cpuinfo": raw, "/etc/machine-id": text}
    )
    understood(
        {f"{DMI}/{name}": text for name in ("product_name", "product_uuid", "chassis_type", "bios_date", "product_sku")}
    )


def test_long_and_foreign_values_are_kept_whole() -> None:
    name = 'Wörkstation "Ünïcode" \'' + "x" * 10_000
    assert understood({f"{DMI}/product_name": name}).node.model_name == name


# --- this machine


def live() -> Facts:
    host = LocalHost()
    first = Found.of(host, collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(host, collector.more(first)))


def test_this_machine_is_as_its_files_say() -> None:
    facts = live()
    assert not undeclared(collector, facts)
    assert facts.metadata["identity"]["hostname"] == socket.gethostname()
    machine_id = Path("/etc/machine-id")
    if machine_id.exists():
        assert facts.metadata["identity"]["machine_id"] == machine_id.read_text().strip()
    if os.geteuid() == 0 and Path(f"{DMI}/product_uuid").exists() and facts.node.hardware_uuid:
        assert facts.node.hardware_uuid == UUID(Path(f"{DMI}/product_uuid").read_text().strip())


def test_the_hypervisor_of_this_machine_is_the_one_that_lscpu_sees() -> None:
    if shutil.which("lscpu") is None:
        pytest.skip("lscpu is not installed")
    said = subprocess.run(["lscpu"], env={"LC_ALL": "C", "PATH": os.environ["PATH"]}, capture_output=True, text=True)
    vendor = next(
        (line.split(":")[1].strip() for line in said.stdout.splitlines() if line.startswith("Hypervisor")), None
    )
    if vendor not in (None, "KVM", "Xen", "VMware"):
        pytest.skip(f"no name to compare {vendor} with")
    hypervisor = live().metadata["identity"]["virtualization"]["hypervisor"]
    assert hypervisor == (vendor.lower() if vendor else "none")


def test_two_looks_at_this_machine_are_equal() -> None:
    assert live() == live()


def test_a_power_machine_names_itself_in_cpuinfo() -> None:
    text = "processor\t: 0\ncpu\t\t: POWER9\n\nplatform\t: pSeries\nmodel\t\t: IBM,9008-22L\nmachine\t\t: CHRP IBM,9008-22L\n"
    assert collector.parse(found(collector, {"/proc/cpuinfo": text})).node.model_name == "IBM,9008-22L"
