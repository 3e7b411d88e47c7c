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
from aya.host.reading import Answer, Found
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


def test_the_parts_of_a_divided_device_are_listed(recordings: Path) -> None:
    facts = understood({NVIDIA: (recordings / "linux/netdata-a100-sxm4-mig/nvidia-smi-q-x.xml").read_bytes()})
    assert facts.metadata["gpu"]["devices"][0]["mig"] == {
        "enabled": True,
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
    assert measured(facts, "0000:1e:00.0") == {"utilization": 0, "memory_used": 6, "temperature": 31, "power": 39}


def test_a_newer_rocm_is_understood(recordings: Path) -> None:
    facts = understood({ROCM: (recordings / "linux/telegraf-mi100_rocm602/rocm-smi.json").read_bytes()})
    first = facts.metadata["gpu"]["devices"][0]
    assert len(facts.metadata["gpu"]["devices"]) == 4
    assert (first["pci_address"], first["pci_id"], first["uuid"]) == ("0000:83:00.0", "1002:738c", "0x79ccd55167a2124a")


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
