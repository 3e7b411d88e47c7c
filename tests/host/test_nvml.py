import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aya.collect.linux.gpu import collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Call, Found
from aya.model import Outcome

SOURCE = Path(__file__).with_name("nvml.c")
ASKING = "from aya.host.nvml import ask; a = ask(); print(a.outcome, a.reason, a.text, sep='\\n')"


def asked(folder: Path, *flags: str) -> tuple[Outcome, str, str]:
    """What a process is answered that finds such a library: outcome, reason and text."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler is installed")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", *flags, "-o", library, SOURCE], check=True)
    environment = os.environ | {"LD_LIBRARY_PATH": str(folder)}
    said = subprocess.run([sys.executable, "-c", ASKING], env=environment, capture_output=True, text=True, check=True)
    outcome, reason, text = said.stdout.split("\n", 2)
    return Outcome(outcome), reason, text


def test_a_machine_without_the_library_has_no_answer() -> None:
    if any(Path(folder, "libnvidia-ml.so.1").exists() for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib64")):
        pytest.skip("this machine has it")
    answer = LocalHost().ask(Call("nvml"))["nvml"]
    assert answer.outcome is Outcome.ABSENT
    assert "libnvidia-ml.so.1" in answer.reason


def test_a_library_without_a_driver_is_not_a_machine_without_devices(tmp_path: Path) -> None:
    outcome, reason, _ = asked(tmp_path, "-DWITHOUT_DRIVER")
    assert outcome is Outcome.UNSUPPORTED
    assert "Driver Not Loaded" in reason


def test_what_the_library_says_is_understood_and_a_lost_device_is_a_gap(tmp_path: Path) -> None:
    outcome, _, text = asked(tmp_path)
    assert outcome is Outcome.OK
    first = Found(collector.reads, {"nvml": Answer(Outcome.OK, text.encode())})
    assert collector.more is not None
    facts = collector.parse(first + Found(collector.more(first)))
    (device,) = facts.metadata["gpu"]["devices"]
    assert {name: value for name, value in device.items() if value is not None} == {
        "model": "NVIDIA A100-SXM4-80GB",
        "vendor": "NVIDIA",
        "pci_address": "0000:c1:00.0",
        "pci_id": "10de:20b2",
        "driver": "nvidia",
        "driver_version": "535.54.03",
        "cuda_version": "12.2",
        "cuda_cores": 6912,
        "cuda_capability": "8.0",
        "architecture": "Ampere",
        "memory_mib": 81920,
        "uuid": "GPU-1234",
        "ecc": True,
        "ecc_pending": False,
        "power_limit_mw": 400000,
        "power_limit_min_mw": 100000,
        "power_limit_max_mw": 400000,
        "nvlink": {"links": 12, "active": 11, "mb_per_s": None},
        "mig": {
            "enabled": True,
            "pending": True,
            "devices": [{"gpu_instance": 2, "compute_instance": 0, "memory_mib": 19968, "multiprocessors": 42}],
        },
    }
    assert facts.node.gpu_cores == 6912
    assert {one.name: str(one.value) for one in facts.measurements} == {"power": "66.92", "memory_used": "87"}
    assert [(gap.outcome, gap.reason) for gap in facts.gaps] == [
        (Outcome.UNREADABLE, "nvml: device 1: HandleByIndex: GPU is lost")
    ]
