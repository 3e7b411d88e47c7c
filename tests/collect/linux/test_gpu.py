import json
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux.gpu import collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found, name_of
from aya.model import Facts, Outcome
from tests.collect.answers import found, refused
from tests.collect.declared import floats, undeclared

PCI = "/sys/bus/pci/devices"
NVIDIA = "nvidia-smi -q -x"
ROCM = "rocm-smi -a --showmeminfo all --json"
NAMES = (
    "# a list\n1002  Advanced Micro Devices, Inc. [AMD/ATI]\n\t164e  Raphael\n\t73bf  Navi 21 [Radeon RX 6800]\n"
    "10de  NVIDIA Corporation\n\t2204  GA102 [GeForce RTX 3090]\n\t\t10de 1454  Founders\n"
    "8086  Intel Corporation\n\t4680  AlderLake-S GT1\nC 03  Display controller\n\t2204  not a device\n"
)


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


def pci(address: str, vendor: str, device: str, kind: str = "0x030000", driver: str = "") -> dict[str, str]:
    folder = f"{PCI}/{address}"
    files = {f"{folder}/class": f"{kind}\n", f"{folder}/vendor": f"0x{vendor}\n", f"{folder}/device": f"0x{device}\n"}
    return files | ({f"{folder}/driver": f"../../../bus/pci/drivers/{driver}"} if driver else {})


def measured(facts: Facts, address: str) -> dict[str, Decimal]:
    return {m.name: m.value for m in facts.measurements if m.conditions["pci_address"] == address}


# Model, MiB, driver, CUDA, ECC, milliwatts, address: read off each file by hand.
RECORDED = [
    ("netdata-a100-sxm4-mig", ("NVIDIA A100-SXM4-40GB", 40960, "510.47.03", "11.6", True, 400000, "0000:00:04.0")),
    (
        "netdata-rtx-4090-driver-535",
        ("NVIDIA GeForce RTX 4090", 24564, "535.86.05", "12.2", False, 450000, "0000:84:00.0"),
    ),
    ("telegraf-a100-sxm4-v12", ("NVIDIA A100-SXM4-80GB", 81920, "535.54.03", "12.2", True, 500000, "0000:01:00.0")),
    ("telegraf-gtx-1070-ti", ("GeForce GTX 1070 Ti", 4096, None, None, None, None, "0000:01:00.0")),
    ("telegraf-quadro-p2000-v12", ("Quadro P2000", 5120, "525.125.06", "12.0", None, 75000, "0000:17:00.0")),
    ("telegraf-rtx-3060-v12", ("NVIDIA GeForce RTX 3060", 12288, "570.124.04", "12.8", None, 170000, "0000:2d:00.0")),
    ("telegraf-rtx-3080-v12", ("NVIDIA GeForce RTX 3080", 10240, "536.40", "12.2", None, 336000, "0000:04:00.0")),
    ("telegraf-rtx-3080-v13", ("NVIDIA GeForce RTX 3080", 10240, "595.58.03", "13.2", None, 320000, "0000:0c:00.0")),
    (
        "telegraf-rtx-4000-sff-ada-v13",
        ("NVIDIA RTX 4000 SFF Ada Generation", 20475, "595.84", "13.2", False, 70000, "0000:06:00.0"),
    ),
]


@pytest.mark.parametrize(("name", "expected"), RECORDED)
def test_a_recorded_nvidia_device_is_understood(recordings: Path, name: str, expected: tuple[Any, ...]) -> None:
    facts = understood({NVIDIA: (recordings / "linux" / name / "nvidia-smi-q-x.xml").read_bytes()})
    (device,) = facts.metadata["gpu"]["devices"]
    keys = ("model", "memory_mib", "driver_version", "cuda_version", "ecc", "power_limit_mw", "pci_address")
    assert tuple(device[key] for key in keys) == expected
    assert facts.node.gpu_model == expected[0]
    assert facts.node.gpu_cores is None


# Device, part number, generation, highest clock and clock of memory, lanes; limits of power: as it comes, lowest, highest.
LIMITS = {
    "netdata-a100-sxm4-mig": (
        ("10de:20b0", "692-2G506-0200-003", "Ampere", 1410, 1215, 4, 16),
        (400000, 100000, 400000),
    ),
    "netdata-rtx-4090-driver-535": (("10de:2684", None, "Ada Lovelace", 3120, 10501, 3, 16), (450000, 10000, 600000)),
    "telegraf-a100-sxm4-v12": (
        ("10de:20b2", "692-2G506-0212-002", "Ampere", 1410, 1593, 4, 16),
        (500000, 100000, 500000),
    ),
    "telegraf-gtx-1070-ti": ((None, None, None, None, None, None, None), (None, None, None)),
    "telegraf-quadro-p2000-v12": (
        ("10de:1c30", "900-5G410-0100-000", "Pascal", 1721, 3504, 3, 16),
        (75000, 75000, 75000),
    ),
    "telegraf-rtx-3060-v12": (("10de:2487", None, "Ampere", 2145, 7501, 4, 16), (170000, 100000, 190000)),
    "telegraf-rtx-3080-v12": (("10de:2216", None, "Ampere", 2100, 9501, 4, 16), (320000, 100000, 336000)),
    "telegraf-rtx-3080-v13": (("10de:2216", None, "Ampere", 2100, 9501, 4, 16), (320000, 100000, 336000)),
    "telegraf-rtx-4000-sff-ada-v13": (
        ("10de:27b0", "900-5G192-1770-000", "Ada Lovelace", 3105, 7001, 4, 16),
        (70000, 30000, 70000),
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_what_a_recorded_nvidia_device_can_at_most_is_understood(recordings: Path, name: str) -> None:
    what, power = LIMITS[name]
    facts = understood({NVIDIA: (recordings / "linux" / name / "nvidia-smi-q-x.xml").read_bytes()})
    (device,) = facts.metadata["gpu"]["devices"]
    keys = ("pci_id", "part_number", "architecture", "clock_max_mhz", "memory_clock_max_mhz")
    assert tuple(device[key] for key in (*keys, "pcie_max_generation", "pcie_max_width")) == what
    assert tuple(device[f"power_limit_{key}_mw"] for key in ("default", "min", "max")) == power


# What the reference has for each recorded device; the recorded GTX 1070 Ti has half the memory of any that was sold.
@pytest.mark.parametrize(
    ("name", "tflops"),
    [
        ("netdata-a100-sxm4-mig", "19.5"),
        ("netdata-rtx-4090-driver-535", "82.58"),
        ("telegraf-a100-sxm4-v12", "19.5"),
        ("telegraf-gtx-1070-ti", None),
        ("telegraf-quadro-p2000-v12", "3.0"),
        ("telegraf-rtx-3060-v12", "12.74"),
        ("telegraf-rtx-3080-v12", "29.77"),
        ("telegraf-rtx-3080-v13", "29.77"),
        ("telegraf-rtx-4000-sff-ada-v13", "19.2"),
    ],
)
def test_a_recorded_device_computes_what_is_published(recordings: Path, name: str, tflops: str | None) -> None:
    facts = understood({NVIDIA: (recordings / "linux" / name / "nvidia-smi-q-x.xml").read_bytes()})
    assert facts.node.gpu_compute_tflops == (None if tflops is None else Decimal(tflops))
    assert (facts.metadata["gpu"]["compute_tflops_source"] is None) == (tflops is None)


def test_a_device_with_error_correction_counts_its_errors(recordings: Path) -> None:
    facts = understood({NVIDIA: (recordings / "linux/netdata-a100-sxm4-mig/nvidia-smi-q-x.xml").read_bytes()})
    numbers = measured(facts, "0000:00:04.0")
    assert (numbers["ecc_corrected"], numbers["ecc_uncorrected"]) == (0, 0)
    assert numbers["memory_temperature"] == 44


@pytest.mark.parametrize(
    ("counters", "uncorrected"),
    [
        ("<double_bit><device_memory>2</device_memory><total>3</total></double_bit>", 3),
        ("<sram_uncorrectable>1</sram_uncorrectable><dram_uncorrectable>4</dram_uncorrectable>", 5),
        (
            "<sram_uncorrectable_parity>1</sram_uncorrectable_parity>"
            "<sram_uncorrectable_secded>2</sram_uncorrectable_secded><dram_uncorrectable>4</dram_uncorrectable>",
            7,
        ),
        ("<sram_uncorrectable>1</sram_uncorrectable><dram_uncorrectable>N/A</dram_uncorrectable>", None),
    ],
)
def test_errors_are_counted_by_every_version_and_never_in_part(counters: str, uncorrected: int | None) -> None:
    text = f"<gpu id='00000000:01:00.0'><ecc_errors><aggregate>{counters}</aggregate></ecc_errors></gpu>"
    facts = understood({NVIDIA: f"<nvidia_smi_log>{text}</nvidia_smi_log>"})
    assert measured(facts, "0000:01:00.0").get("ecc_uncorrected") == uncorrected


def test_warnings_around_the_xml_are_passed_over() -> None:
    inner = "<nvidia_smi_log><gpu id='00000000:01:00.0'><product_name>NVIDIA L4</product_name></gpu></nvidia_smi_log>"
    said = f"WARNING: infoROM is corrupted\n<?xml version='1.0' ?>\n{inner}\nWARNING: infoROM is corrupted at 0000:01:00.0\n"
    assert understood({NVIDIA: said}).node.gpu_model == "NVIDIA L4"


def test_the_links_of_a_device_are_told_by_its_tool() -> None:
    text = (
        "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-1a2b)\n\t Link 0: 25 GB/s\n\t Link 1: <inactive>\n"
        "GPU 1: NVIDIA A100-SXM4-80GB (UUID: GPU-3c4d)\n\t Link 0: 26.562 GB/s\n"
    )
    gpus = "".join(
        f"<gpu id='00000000:0{n}:00.0'><uuid>GPU-{u}</uuid></gpu>" for n, u in ((1, "1a2b"), (2, "3c4d"), (3, "5e"))
    )
    given = pci("0000:01:00.0", "10de", "20b2") | {NVIDIA: f"<nvidia_smi_log>{gpus}</nvidia_smi_log>"}
    facts = understood(given | {"nvidia-smi nvlink --status": text})
    assert [device["nvlink"] for device in facts.metadata["gpu"]["devices"]] == [
        {"links": 2, "active": 1, "mb_per_s": 25000},
        {"links": 1, "active": 1, "mb_per_s": 26562},
        None,
    ]


def test_devices_without_an_address_are_not_mixed_up() -> None:
    gpus = "<gpu><product_name>A</product_name></gpu><gpu><product_name>B</product_name></gpu>"
    facts = understood({NVIDIA: f"<nvidia_smi_log>{gpus}</nvidia_smi_log>"})
    assert [(d["model"], d["pci_address"]) for d in facts.metadata["gpu"]["devices"]] == [("A", None), ("B", None)]


def test_the_parts_of_a_divided_device_are_listed(recordings: Path) -> None:
    facts = understood({NVIDIA: (recordings / "linux/netdata-a100-sxm4-mig/nvidia-smi-q-x.xml").read_bytes()})
    assert facts.metadata["gpu"]["devices"][0]["mig"] == {
        "enabled": True,
        "pending": True,
        "devices": [
            {"gpu_instance": 1, "compute_instance": 0, "memory_mib": 19968, "multiprocessors": 42},
            {"gpu_instance": 2, "compute_instance": 0, "memory_mib": 19968, "multiprocessors": 42},
        ],
    }


def test_a_device_that_cannot_be_divided_has_no_parts(recordings: Path) -> None:
    facts = understood({NVIDIA: (recordings / "linux/telegraf-rtx-3080-v13/nvidia-smi-q-x.xml").read_bytes()})
    assert facts.metadata["gpu"]["devices"][0]["mig"] is None


def test_what_a_device_does_now_is_measured_and_not_state(recordings: Path) -> None:
    facts = understood({NVIDIA: (recordings / "linux/telegraf-rtx-3080-v13/nvidia-smi-q-x.xml").read_bytes()})
    assert measured(facts, "0000:0c:00.0") == {
        "utilization": 65,
        "memory_used": 9184,
        "temperature": 27,
        "power": Decimal("142.33"),
        "fan": 0,
        "clock": 1950,
        "memory_clock": 9251,
        "memory_utilization": 9,
    }
    assert "9184" not in str(facts.metadata)


def test_a_redacted_serial_number_is_not_known(recordings: Path) -> None:
    facts = understood({NVIDIA: (recordings / "linux/telegraf-rtx-4000-sff-ada-v13/nvidia-smi-q-x.xml").read_bytes()})
    assert facts.metadata["gpu"]["devices"][0]["serial_number"] is None


def test_devices_that_are_attached_but_not_described_are_a_gap(recordings: Path) -> None:
    facts = understood({NVIDIA: (recordings / "linux/telegraf-a100-sxm4-v12/nvidia-smi-q-x.xml").read_bytes()})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]
    assert "4 devices are attached, 1 described" in facts.gaps[0].reason


def test_several_nvidia_devices_are_listed_in_order_of_address() -> None:
    gpus = "".join(
        f"<gpu id='00000000:{bus}:00.0'><fb_memory_usage><total>{mib} MiB</total></fb_memory_usage></gpu>"
        for bus, mib in (("C1", 81559), ("0A", 40000))
    )
    text = f"<nvidia_smi_log><attached_gpus>2</attached_gpus>{gpus}</nvidia_smi_log>"
    facts = understood({NVIDIA: text})
    assert [d["pci_address"] for d in facts.metadata["gpu"]["devices"]] == ["0000:0a:00.0", "0000:c1:00.0"]
    assert facts.gaps == ()


def test_recorded_amd_devices_are_understood(recordings: Path) -> None:
    facts = understood({ROCM: (recordings / "linux/telegraf-mi100_rocm571/rocm-smi.json").read_bytes()})
    devices = facts.metadata["gpu"]["devices"]
    assert len(devices) == 6
    first = devices[0]
    assert (first["model"], first["vendor"]) == ("Arcturus GL-XL [Instinct MI100]", "AMD")
    assert (first["pci_address"], first["pci_id"], first["driver_version"]) == ("0000:1e:00.0", "1002:738c", "6.2.4")
    # 34342961152 bytes; unique identity N/A and serial number 0 say nothing.
    assert (first["memory_mib"], first["uuid"], first["serial_number"]) == (32752, None, None)
    assert first["power_limit_mw"] == 290000
    assert measured(facts, "0000:1e:00.0") == {
        "utilization": 0,
        "memory_utilization": 0,
        "memory_used": 6,
        "temperature": 31,
        "memory_temperature": 30,
        "power": 39,
        "clock": 300,
        "memory_clock": 1200,
    }
    # Instinct MI100, 32 GB: 23.1 TFLOPS.
    assert facts.node.gpu_compute_tflops == Decimal("23.1")


def test_a_newer_rocm_is_understood(recordings: Path) -> None:
    facts = understood({ROCM: (recordings / "linux/telegraf-mi100_rocm602/rocm-smi.json").read_bytes()})
    first = facts.metadata["gpu"]["devices"][0]
    assert len(facts.metadata["gpu"]["devices"]) == 4
    assert (first["pci_address"], first["pci_id"], first["uuid"]) == ("0000:83:00.0", "1002:738c", "0x79ccd55167a2124a")


def test_a_compute_board_is_as_hot_as_its_hottest_place() -> None:
    card = {
        "Device ID": "0x74a1",
        "Temperature (Sensor junction) (C)": "41.0",
        "Current Socket Graphics Package Power (W)": "132.0",
        "Card Series": "AMD Instinct MI300X",
        "GFX Version": "gfx942",
        "PCI Bus": "0000:05:00.0",
        "VRAM Total Memory (B)": "206141652992",
        "Max Graphics Package Power (W)": "750.0",
    }
    facts = understood(
        {ROCM: json.dumps({"card0": card}) + "\nWARNING: AMD GPU device(s) is/are in a low-power state.\n"}
    )
    assert measured(facts, "0000:05:00.0") == {"temperature": 41, "power": 132}
    assert (facts.node.gpu_model, facts.node.gpu_compute_tflops) == ("AMD Instinct MI300X", Decimal("163.4"))


def test_a_tool_and_the_bus_speak_of_one_device(recordings: Path) -> None:
    given = pci("0000:04:00.0", "1002", "6861", driver="amdgpu") | pci("0000:00:02.0", "8086", "4680", driver="i915")
    text = (recordings / "linux/telegraf-vega-10-xt/rocm-smi.json").read_bytes()
    facts = understood(given | {ROCM: text, "/usr/share/misc/pci.ids": NAMES})
    assert [(d["pci_address"], d["model"], d["memory_mib"]) for d in facts.metadata["gpu"]["devices"]] == [
        ("0000:00:02.0", "AlderLake-S GT1", None),
        ("0000:04:00.0", None, 16368),
    ]


# --- the kernel's own files


def test_devices_on_the_bus_are_named_by_pci_ids() -> None:
    given = pci("0000:01:00.0", "10de", "2204", driver="nouveau") | pci("0000:00:02.0", "8086", "4680", driver="i915")
    facts = understood(
        given | pci("0000:02:00.0", "1002", "73bf", kind="0x038000") | {"/usr/share/misc/pci.ids": NAMES}
    )
    devices = facts.metadata["gpu"]["devices"]
    assert [(d["model"], d["vendor"], d["driver"]) for d in devices] == [
        ("AlderLake-S GT1", "Intel", "i915"),
        ("GA102 [GeForce RTX 3090]", "NVIDIA", "nouveau"),
        ("Navi 21 [Radeon RX 6800]", "AMD", None),
    ]


def test_a_device_without_a_name_is_not_given_one() -> None:
    facts = understood(pci("0000:01:00.0", "10de", "ffff") | {"/usr/share/misc/pci.ids": NAMES})
    assert facts.metadata["gpu"]["devices"][0]["model"] is None
    assert facts.node.gpu_model is None


def test_the_model_is_that_of_the_device_with_the_most_memory() -> None:
    given = pci("0000:03:00.0", "1002", "73bf", driver="amdgpu") | pci("0000:0e:00.0", "1002", "164e", driver="amdgpu")
    given |= {
        f"{PCI}/0000:03:00.0/mem_info_vram_total": "17163091968",
        f"{PCI}/0000:0e:00.0/mem_info_vram_total": "536870912",
    }
    facts = understood(given | {"/usr/share/misc/pci.ids": NAMES})
    assert facts.node.gpu_model == "Navi 21 [Radeon RX 6800]"


def test_the_compute_units_of_amd_are_its_cores() -> None:
    given = pci("0000:03:00.0", "1002", "73bf", driver="amdgpu")
    nodes = "/sys/class/kfd/kfd/topology/nodes"
    given |= {
        f"{nodes}/0/properties": "cpu_cores_count 16\nsimd_count 0\nlocation_id 0\n",
        f"{nodes}/1/properties": "simd_count 120\nsimd_per_cu 2\nlocation_id 768\ndomain 0\n",
    }
    assert understood(given).node.gpu_cores == 60


def test_nvidias_driver_tells_the_model_without_its_tool() -> None:
    given = pci("0000:01:00.0", "10de", "2204", driver="nvidia") | {
        "/proc/driver/nvidia/gpus/0000:01:00.0/information": (
            "Model: \t\t NVIDIA GeForce RTX 3090\nGPU UUID: \t GPU-1234\nVideo BIOS: \t ??.??.??.??.??\n"
        ),
        "/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.86.05  Fri Jul 14\n",
    }
    (device,) = understood(given).metadata["gpu"]["devices"]
    assert (device["model"], device["uuid"], device["vbios_version"], device["driver_version"]) == (
        "NVIDIA GeForce RTX 3090",
        "GPU-1234",
        None,
        "535.86.05",
    )


def test_the_gpu_of_a_chip_is_named_by_its_device_tree() -> None:
    given = {
        "/sys/class/drm/card0/device": "../../../soc/gpu",
        "/sys/class/drm/card0/device/driver": "../../bus/platform/drivers/vc4-drm",
        "/sys/class/drm/card0/device/of_node/compatible": "brcm,bcm2711-vc5\0",
        "/sys/class/drm/card0-HDMI-A-1/device": "../../card0",
    }
    (device,) = understood(given).metadata["gpu"]["devices"]
    assert (device["model"], device["driver"], device["pci_address"]) == ("brcm,bcm2711-vc5", "vc4-drm", None)


def test_a_machine_without_a_gpu_has_none() -> None:
    facts = understood(pci("0000:00:00.0", "8086", "0d57", kind="0x060000"))
    assert (facts.absent, facts.metadata, facts.gaps) == (True, {}, ())


def test_a_bus_that_may_not_be_looked_at_is_not_a_bus_without_gpus() -> None:
    assert understood({f"{PCI}/0000:01:00.0/class": refused()}).absent is False


def test_a_driver_that_does_not_answer_is_a_gap_only_where_there_is_a_device() -> None:
    failed = Answer(Outcome.FAILED, reason="nvidia-smi -q -x ended with 9: couldn't communicate with the NVIDIA driver")
    assert understood({NVIDIA: failed}).gaps == ()
    facts = understood(pci("0000:01:00.0", "10de", "2204") | {NVIDIA: failed})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.FAILED]
    assert facts.metadata["gpu"]["devices"][0]["pci_id"] == "10de:2204"


def test_a_library_without_its_driver_is_a_gap_where_there_is_a_device_and_no_tool() -> None:
    without = Answer(Outcome.UNSUPPORTED, reason="nvml: Driver Not Loaded")
    assert understood({"nvml": without}).gaps == ()
    facts = understood(pci("0000:01:00.0", "10de", "2204") | {"nvml": without})
    assert [(gap.outcome, gap.reason) for gap in facts.gaps] == [(Outcome.UNSUPPORTED, "nvml: Driver Not Loaded")]
    tool = "<nvidia_smi_log><gpu id='00000000:01:00.0'><product_name>NVIDIA L4</product_name></gpu></nvidia_smi_log>"
    facts = understood(pci("0000:01:00.0", "10de", "27b8") | {"nvml": without, NVIDIA: tool})
    assert (facts.gaps, facts.node.gpu_model) == ((), "NVIDIA L4")


@pytest.mark.parametrize(
    "answers",
    [{NVIDIA: "NVIDIA-SMI has failed"}, {NVIDIA: "<html/>"}, {ROCM: "WARNING: x\n[1, 2"}, {ROCM: "[]"}, {ROCM: "{"}],
)
def test_an_answer_of_another_kind_is_a_gap(answers: dict[str, str]) -> None:
    facts = understood(answers)
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]
    assert facts.absent is False


def test_warnings_before_the_json_are_passed_over() -> None:
    text = 'WARNING: low power\n{"card0": {"Card series": "Navi 31", "PCI Bus": "0000:03:00.0"}}'
    assert understood({ROCM: text}).node.gpu_model == "Navi 31"


def test_a_device_that_is_lost_is_a_gap_and_the_others_are_told() -> None:
    lost = "<fb_memory_usage><total>[GPU is lost]</total></fb_memory_usage><remapped_rows>GPU is lost</remapped_rows>"
    text = (
        "<nvidia_smi_log><attached_gpus>2</attached_gpus>"
        '<gpu id="00000000:01:00.0"><product_name>One</product_name>'
        "<fb_memory_usage><total>100 MiB</total></fb_memory_usage></gpu>"
        f'<gpu id="00000000:02:00.0"><product_name>Other</product_name>{lost}</gpu></nvidia_smi_log>'
    )
    facts = understood({NVIDIA: text})
    assert [device["memory_mib"] for device in facts.metadata["gpu"]["devices"]] == [100, None]
    assert [(gap.outcome, gap.reason) for gap in facts.gaps] == [
        (Outcome.UNREADABLE, "nvidia-smi: 0000:02:00.0: GPU is lost")
    ]


def test_the_names_that_replace_those_of_the_versions_are_read() -> None:
    text = (
        "<nvidia_smi_log><kmd_version>700.10</kmd_version><cuda_umd_version>14.0</cuda_umd_version>"
        '<gpu id="00000000:01:00.0"><ecc_errors><channel_repair_pending>Yes</channel_repair_pending></ecc_errors>'
        "<remapped_banks><bank_remapper_pending>No</bank_remapper_pending></remapped_banks></gpu></nvidia_smi_log>"
    )
    [device] = understood({NVIDIA: text}).metadata["gpu"]["devices"]
    assert (device["driver_version"], device["cuda_version"]) == ("700.10", "14.0")
    assert device["memory_repair_pending"] is True


def test_lshw_alone_names_the_devices_and_leaves_what_a_tool_said() -> None:
    nodes = [
        {
            "class": "display",
            "product": "UHD Graphics 620 [8086:3ea0]",
            "vendor": "Intel Corporation [8086]",
            "businfo": "pci@0000:00:02.0",
            "configuration": {"driver": "i915"},
        },
        {
            "class": "display",
            "product": "TU102 [GeForce RTX 2080 Ti]",
            "vendor": "NVIDIA Corporation",
            "businfo": "pci@0000:06:00.0",
        },
        {
            "class": "display",
            "product": "Microsoft Corporation",
            "vendor": "Microsoft Corporation",
            "businfo": "pci@1234:00:00.0",
        },
    ]
    smi = (
        '<nvidia_smi_log><gpu id="00000000:06:00.0"><product_name>NVIDIA GeForce RTX 2080 Ti</product_name></gpu>'
        "</nvidia_smi_log>"
    )
    assert collector.more is not None
    asked = [name_of(read) for read in collector.more(Found(collector.reads, {}))]
    assert not any("lshw" in name_of(read) for read in collector.more(found(collector, pci("0:", "8086", "4680"))))
    for form in ("lshw -json", "lshw -class display -json"):
        assert form in asked
        facts = understood({form: json.dumps(nodes), NVIDIA: smi})
        told = [(one["model"], one["vendor"], one["pci_id"], one["driver"]) for one in facts.metadata["gpu"]["devices"]]
        assert told == [
            ("UHD Graphics 620", "Intel", "8086:3ea0", "i915"),
            ("NVIDIA GeForce RTX 2080 Ti", "NVIDIA", None, "nvidia"),
            (None, "Microsoft", None, None),
        ]


def test_numbers_may_be_written_as_numbers() -> None:
    card = {"Card Series": "Radeon PRO", "VRAM Total Memory (B)": 17179869184, "GPU use (%)": 73, "Fan speed (%)": 8.5}
    facts = understood({ROCM: json.dumps({"card0": card})})
    assert facts.metadata["gpu"]["devices"][0]["memory_mib"] == 16384
    assert {one.name: one.value for one in facts.measurements} == {"utilization": 73, "fan": Decimal("8.5")}


@given(st.text(max_size=200), st.text(max_size=30))
def test_garbage_is_survived(text: str, short: str) -> None:
    understood({NVIDIA: text, ROCM: text, "/usr/share/misc/pci.ids": text} | pci("0000:01:00.0", "10de", "2204"))
    understood({ROCM: json.dumps({"card0": {"PCI Bus": short, "VRAM Total Memory (B)": short, "GPU use (%)": short}})})
    inner = re.sub(r"[<>&\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "", short)
    understood(
        {NVIDIA: f"<nvidia_smi_log><gpu id='{inner.replace(chr(39), '')}'><uuid>{inner}</uuid></gpu></nvidia_smi_log>"}
    )
    understood(pci("0000:01:00.0", short, short) | {"/usr/share/misc/pci.ids": NAMES})
    understood({"/sys/class/drm/card0/device": text, "/proc/driver/nvidia/version": text})
    understood({"nvml": text, ROCM: "{}"})
    understood({"nvidia-smi nvlink --status": text} | pci("0000:01:00.0", "10de", "2204"))


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_whatever_the_library_says_is_survived(value: Any) -> None:
    names = (
        "Name UUID PciBusId PciDeviceId MemoryTotal EccMode MigMode MigDevices NvLinks Architecture CudaComputeCapability "
        "PowerManagementLimitConstraints PersistenceMode errors Temperature PowerUsage"
    )
    for name in names.split():
        one = {"Name": "NVIDIA L4", "PciBusId": "00000000:01:00.0"} | {name: value}
        understood(
            {"nvml": json.dumps({"DriverVersion": value, "CudaDriverVersion_v2": value, "devices": [one, value]})}
        )


@given(st.data())
def test_half_an_answer_is_survived(recordings: Path, data: st.DataObject) -> None:
    text = (recordings / "linux/telegraf-gtx-1070-ti/nvidia-smi-q-x.xml").read_text()
    facts = understood({NVIDIA: text[: data.draw(st.integers(0, len(text.rstrip()) - 1))]})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]


# --- this machine


def live() -> Facts:
    host = LocalHost()
    first = Found.of(host, collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(host, collector.more(first)))


def test_this_machine_has_the_gpus_that_lspci_lists() -> None:
    if shutil.which("lspci") is None:
        pytest.skip("lspci is not installed")
    said = subprocess.run(["lspci", "-Dn"], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^(\S+) (?:03|12)\w\w:", said, re.MULTILINE)
    facts = live()
    devices = facts.metadata.get("gpu", {}).get("devices", [])
    assert [device["pci_address"] for device in devices if device["pci_address"]] == sorted(listed)
    assert facts.absent == (not devices)
