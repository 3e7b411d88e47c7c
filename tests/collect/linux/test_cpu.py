import os
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux.cpu import collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found
from aya.model import Facts, Outcome
from tests.collect.answers import found
from tests.collect.declared import floats, undeclared

ROOT = "/sys/devices/system/cpu"


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


def recorded(recordings: Path, name: str) -> Facts:
    text = (recordings / "linux" / name).read_text("utf-8", "backslashreplace")
    return understood({"lscpu" if "lscpu" in name.rpartition("/")[2] else "/proc/cpuinfo": text})


def thread(number: int, siblings: str, package: int = 0, **more: str) -> dict[str, str]:
    """The kernel's files of one processor; `l1d='32K 0-1'` is a cache and who shares it."""
    folder = f"{ROOT}/cpu{number}"
    files = {
        f"{folder}/topology/thread_siblings_list": f"{siblings}\n",
        f"{folder}/topology/physical_package_id": f"{package}\n",
    }
    kinds = {"l1d": ("1", "Data"), "l1i": ("1", "Instruction"), "l2": ("2", "Unified"), "l3": ("3", "Unified")}
    for index, (key, (level, kind)) in enumerate(kinds.items()):
        if key in more:
            size, shared = more.pop(key).split()
            cache = f"{folder}/cache/index{index}"
            files |= {
                f"{cache}/level": f"{level}\n",
                f"{cache}/type": f"{kind}\n",
                f"{cache}/size": f"{size}\n",
                f"{cache}/shared_cpu_list": f"{shared}\n",
                f"{cache}/coherency_line_size": "64\n",
            }
    names = {"max_khz": "cpufreq/cpuinfo_max_freq", "min_khz": "cpufreq/cpuinfo_min_freq", "capacity": "cpu_capacity"}
    return files | {f"{folder}/{names[key]}": f"{value}\n" for key, value in more.items()}


# --- recordings. Model, architecture, cores, performance, efficiency, L1 data KiB, L2 MiB, sockets, threads:
# read off each file by hand.
RECORDED = [
    # lscpu 2.33 and older: the size is that of one cache.
    (
        "hwbench-cpustorage/lscpu.txt",
        ("Intel(R) Xeon(R) Gold 6240 CPU @ 2.60GHz", "x86_64", 36, None, None, 32, "1", 2, 72),
    ),
    (
        "linuxhw-amd-epyc-7642-48-core/lscpu.txt",
        ("AMD EPYC 7642 48-Core Processor", "x86_64", 96, None, None, 32, "0.5", 2, 192),
    ),
    (
        "linuxhw-intel-atom-230/lscpu.txt",
        ("Intel(R) Atom(TM) CPU 230 @ 1.60GHz", "i686", 1, None, None, 24, "0.5", 1, 2),
    ),
    (
        "linuxhw-intel-core-i7-1060ng7/lscpu.txt",
        ("Intel(R) Core(TM) i7-1060NG7 CPU @ 1.20GHz", "x86_64", 4, None, None, 48, "0.5", 1, 8),
    ),
    (
        "linuxhw-nvidia-armv8-rev-0-v8l/lscpu.txt",
        ("ARMv8 Processor rev 0 (v8l)", "ARM64", 6, None, None, 64, "2", None, 6),
    ),
    # lscpu 2.34 to 2.36: the size is that of all together.
    (
        "linuxhw-amd-epyc-7262-8-core/lscpu.txt",
        ("AMD EPYC 7262 8-Core Processor", "x86_64", 16, None, None, 32, "0.5", 2, 32),
    ),
    (
        "linuxhw-amd-epyc-7401p-24-core/lscpu.txt",
        ("AMD EPYC 7401P 24-Core Processor", "x86_64", 24, None, None, 32, "0.5", 1, 48),
    ),
    (
        "linuxhw-intel-xeon-e5-2680-v4/lscpu.txt",
        ("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", "x86_64", 28, None, None, 32, "0.25", 2, 56),
    ),
    # Two cores of a Xeon 3040 share its L2: the sum does not tell that.
    (
        "linuxhw-intel-xeon-3040/lscpu.txt",
        ("Intel(R) Xeon(R) CPU 3040 @ 1.86GHz", "x86_64", 2, None, None, 32, None, 1, 2),
    ),
    ("linuxhw-hisilicon-kunpeng-920/lscpu.txt", ("Kunpeng-920", "ARM64", 8, None, None, 64, "0.5", 1, 8)),
    ("ohai-aarch64-graviton2/lscpu.txt", ("Neoverse-N1", "ARM64", 2, None, None, 64, "1", 1, 2)),
    # Two classes of cores may hide behind a sum: a part of it is the size of none.
    (
        "linuxhw-qualcomm-armv8-rev-12-v8l/lscpu.txt",
        ("ARMv8 Processor rev 12 (v8l)", "ARM64", 8, None, None, None, None, None, 8),
    ),
    # lscpu 2.37 and newer: all together, and how many.
    (
        "ohai-x86-host/lscpu-rhel9.txt",
        ("Intel(R) Xeon(R) CPU X5680 @ 3.33GHz", "x86_64", 12, None, None, 32, "0.25", 2, 12),
    ),
    (
        "util-linux-x86_64-epyc_7451/lscpu-testout.txt",
        ("AMD EPYC 7451 24-Core Processor", "x86_64", 48, None, None, 32, "0.5", 2, 96),
    ),
    (
        "util-linux-x86_64-64cpu-linux6.2/lscpu-testout.txt",
        ("11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz", "x86_64", 4, None, None, 48, "1.25", 1, 8),
    ),
    ("util-linux-rv64-visionfive2/lscpu-testout.txt", ("sifive,u74-mc", "riscv64", 4, None, None, 32, "2", 1, 4)),
    ("util-linux-rv64-milkvpioneer/lscpu-testout.txt", (None, "riscv64", 64, None, None, None, None, 1, 64)),
    (
        "util-linux-arm-a510-a710-a715-x3/lscpu-testout.txt",
        ("Cortex-X3 + Cortex-A710 + Cortex-A715 + Cortex-A510", "ARM64", 8, 5, 3, None, None, 1, 8),
    ),
    # 16 processors of which 4 are online, and an impossible "Thread(s) per core: 0".
    (
        "ohai-x86-guest-vtx/lscpu.txt",
        ("Intel(R) Xeon(R) CPU X5570 @ 2.93GHz", "x86_64", 8, None, None, 32, "0.25", 2, 4),
    ),
    # /proc/cpuinfo of whole machines.
    (
        "ansible-x86_64-4cpu/proc-cpuinfo.txt",
        ("Dual-Core AMD Opteron(tm) Processor 2216", "x86_64", 4, None, None, None, None, 2, 4),
    ),
    (
        "glpi-rhel-5.6/proc-cpuinfo.txt",
        ("Intel(R) Xeon(R) CPU E5620 @ 2.40GHz", "x86_64", 8, None, None, None, None, 2, 16),
    ),
    (
        "node-exporter-fixture/proc-cpuinfo.txt",
        ("Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz", "x86_64", 4, None, None, None, None, 1, 8),
    ),
    ("ansible-armv7-rev4-4cpu/proc-cpuinfo.txt", ("Cortex-A53", "armv7l", 4, None, None, None, None, None, 4)),
    ("checkbox-aarch64/proc-cpuinfo.txt", ("X-Gene", "ARM64", 8, None, None, None, None, None, 8)),
    ("glpi-linux-armel-1/proc-cpuinfo.txt", ("XScale-80219", "armv5tel", None, None, None, None, None, None, None)),
    # One block out of a larger machine is no machine with one core.
    (
        "archspec-rocky8.5-zen4/proc-cpuinfo.txt",
        ("AMD EPYC 9654 96-Core Processor", "x86_64", None, None, None, None, None, None, None),
    ),
    ("archspec-asahi-m1/proc-cpuinfo.txt", ("Icestorm-M1", "ARM64", None, None, None, None, None, None, None)),
    ("archspec-sifive-u74mc/proc-cpuinfo.txt", ("sifive,u74-mc", "riscv64", None, None, None, None, None, None, None)),
]


@pytest.mark.parametrize(("name", "expected"), RECORDED)
def test_a_recorded_machine_is_understood(recordings: Path, name: str, expected: tuple[Any, ...]) -> None:
    facts = recorded(recordings, name)
    node, cpu = facts.node, facts.metadata["cpu"]
    assert (
        node.cpu_model,
        node.cpu_architecture,
        node.cpu_cores_total,
        node.cpu_cores_performance,
        node.cpu_cores_efficiency,
        node.cpu_l1_cache_kb,
        node.cpu_l2_cache_mb,
        cpu["sockets"],
        cpu["threads"],
    ) == tuple(Decimal(value) if index == 6 and value else value for index, value in enumerate(expected))


def test_every_recording_is_read_and_names_its_processor_or_its_cores(recordings: Path) -> None:
    names = [path for path in sorted((recordings / "linux").glob("*/*.txt")) if re.search("lscpu|cpuinfo", path.name)]
    assert len(names) > 100
    for path in names:
        facts = recorded(recordings, f"{path.parent.name}/{path.name}")
        partial = path.parent.name.startswith("archspec") or path.parent.name == "ohai-x86-guest-vtx"
        assert facts.node.cpu_model or facts.node.cpu_cores_total or partial, path
        cores, threads = facts.node.cpu_cores_total, facts.metadata["cpu"]["threads"]
        assert cores is None or cores >= 1, path
        assert cores is None or threads is None or threads <= cores * 8, path
        assert bool(facts.gaps) == (cores is None), path


def test_frequencies_are_the_rated_ones_also_with_a_decimal_comma(recordings: Path) -> None:
    cpu = recorded(recordings, "linuxhw-intel-xeon-e5-1603-0/lscpu.txt").metadata["cpu"]
    assert (cpu["max_mhz"], cpu["min_mhz"]) == (2800, 1200)


def test_classes_of_a_phone_come_fastest_first(recordings: Path) -> None:
    classes = recorded(recordings, "util-linux-arm-a510-a710-a715-x3/lscpu-testout.txt").metadata["cpu"]["classes"]
    assert [(c["name"], c["role"], c["cores"], c["max_mhz"]) for c in classes] == [
        ("Cortex-X3", "performance", 1, 3187),
        ("Cortex-A710", "performance", 2, 2803),
        ("Cortex-A715", "performance", 2, 2803),
        ("Cortex-A510", "efficiency", 3, 2016),
    ]


# --- the kernel's own files


def test_cores_are_counted_once_when_threads_share_them() -> None:
    threads = [thread(n, siblings) for n, siblings in enumerate(["0,2", "1,3", "0,2", "1,3"])]
    facts = understood({path: text for files in threads for path, text in files.items()})
    assert facts.node.cpu_cores_total == 2
    assert (facts.metadata["cpu"]["threads"], facts.metadata["cpu"]["threads_per_core"]) == (4, 2)
    assert (facts.node.cpu_cores_performance, facts.node.cpu_cores_efficiency) == (None, None)


def test_cores_of_all_sockets_are_counted() -> None:
    files = thread(0, "0", 0) | thread(1, "1", 0) | thread(2, "2", 1) | thread(3, "3", 1)
    facts = understood(files | {"/proc/cpuinfo": "processor : 0\nvendor_id : GenuineIntel\n"})
    assert (facts.node.cpu_cores_total, facts.metadata["cpu"]["sockets"]) == (4, 2)


def test_an_intel_hybrid_has_performance_and_efficiency_cores() -> None:
    files: dict[str, str] = {"/sys/devices/cpu_core/cpus": "0-3\n", "/sys/devices/cpu_atom/cpus": "4-7\n"}
    for n in (0, 1, 2, 3):
        pair = f"{n // 2 * 2}-{n // 2 * 2 + 1}"
        files |= thread(n, pair, l1d=f"48K {pair}", l1i=f"32K {pair}", l2=f"1280K {pair}", max_khz="5000000")
    for n in (4, 5, 6, 7):
        files |= thread(n, f"{n}", l1d=f"32K {n}", l1i=f"64K {n}", l2="2048K 4-7", max_khz="3800000")
    facts = understood(files)
    node = facts.node
    assert (node.cpu_cores_total, node.cpu_cores_performance, node.cpu_cores_efficiency) == (6, 2, 4)
    assert (node.cpu_l1_cache_kb, node.cpu_l2_cache_mb) == (48, Decimal("1.25"))
    slow = facts.metadata["cpu"]["classes"][1]
    assert (slow["processors"], slow["l1d_kib"], slow["l2_kib"], slow["l2_shared_by_cores"]) == ("4-7", 32, 2048, 4)
    assert [
        (c["level"], c["type"], c["class"], c["size_kib"], c["instances"]) for c in facts.metadata["cpu"]["caches"]
    ] == [
        (1, "Data", 0, 48, 2),
        (1, "Data", 1, 32, 4),
        (1, "Instruction", 0, 32, 2),
        (1, "Instruction", 1, 64, 4),
        (2, "Unified", 0, 1280, 2),
        (2, "Unified", 1, 2048, 1),
    ]


def test_big_little_is_told_by_the_parts_and_ordered_by_capacity() -> None:
    files: dict[str, str] = {}
    cpuinfo = ""
    for n in range(6):
        files |= thread(n, f"{n}", capacity="1024" if n >= 4 else "485")
        part = "0xd08" if n >= 4 else "0xd03"
        cpuinfo += f"processor\t: {n}\nCPU implementer\t: 0x41\nCPU part\t: {part}\n\n"
    facts = understood(files | {"/proc/cpuinfo": cpuinfo})
    assert facts.node.cpu_model == "Cortex-A72 + Cortex-A53"
    assert (facts.node.cpu_cores_performance, facts.node.cpu_cores_efficiency) == (2, 4)


def test_parts_without_an_order_are_classes_without_a_role() -> None:
    cpuinfo = "".join(
        f"processor: {n}\nCPU implementer: 0x41\nCPU part: {p}\n" for n, p in enumerate(["0xd08", "0xfff"])
    )
    facts = understood(thread(0, "0") | thread(1, "1") | {"/proc/cpuinfo": cpuinfo})
    assert (facts.node.cpu_cores_performance, facts.node.cpu_cores_efficiency) == (None, None)
    assert [c["role"] for c in facts.metadata["cpu"]["classes"]] == [None, None]


def test_cores_of_one_model_are_one_class_whatever_their_capacity() -> None:
    cpuinfo = "".join(f"processor: {n}\nCPU implementer: 0x41\nCPU part: 0xd4f\n" for n in range(2))
    files = thread(0, "0", capacity="1024") | thread(1, "1", capacity="1009") | {"/proc/cpuinfo": cpuinfo}
    facts = understood(files)
    assert (facts.node.cpu_model, facts.node.cpu_cores_total) == ("Neoverse-V2", 2)
    assert (facts.node.cpu_cores_performance, facts.node.cpu_cores_efficiency) == (None, None)


def test_capacity_tells_classes_apart_where_no_model_is_known() -> None:
    files = thread(0, "0", capacity="1024") | thread(1, "1", capacity="400") | thread(2, "2", capacity="400")
    node = understood(files).node
    assert (node.cpu_cores_performance, node.cpu_cores_efficiency) == (1, 2)


def test_favoured_cores_of_x86_are_no_class_of_their_own() -> None:
    files = thread(0, "0", capacity="1024") | thread(1, "1", capacity="1009")
    facts = understood(files | {"/proc/cpuinfo": "processor: 0\nvendor_id: GenuineIntel\n"})
    assert len(facts.metadata["cpu"]["classes"]) == 1


def test_cores_are_not_known_while_processors_are_offline() -> None:
    files = thread(0, "0") | thread(1, "1") | {f"{ROOT}/online": "0-1\n", f"{ROOT}/present": "0-3\n"}
    facts = understood(files)
    assert facts.node.cpu_cores_total is None
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNSUPPORTED]
    assert (facts.metadata["cpu"]["threads"], facts.metadata["cpu"]["processors_present"]) == (2, 4)


def test_cores_are_known_when_only_multithreading_is_off() -> None:
    files = thread(0, "0") | thread(1, "1") | {f"{ROOT}/online": "0-1\n", f"{ROOT}/present": "0-3\n"}
    assert understood(files | {f"{ROOT}/smt/control": "off\n"}).node.cpu_cores_total == 2


def test_lscpu_of_a_machine_with_processors_offline_counts_only_what_accounts_for_all() -> None:
    text = "CPU(s): 8\nOn-line CPU(s) list: 0-3\nThread(s) per core: 2\nCore(s) per socket: {}\nSocket(s): 1\n"
    assert understood({"lscpu": text.format(2)}).node.cpu_cores_total is None
    assert understood({"lscpu": text.format(4)}).node.cpu_cores_total == 4


def test_an_average_over_two_classes_of_cores_is_not_taken_for_a_size() -> None:
    # Four cores with 48 KiB and four with 32 KiB: 40 KiB is the L1 of none.
    text = (
        "Architecture: x86_64\nCPU(s): 8\nOn-line CPU(s) list: 0-7\nVendor ID: GenuineIntel\nThread(s) per core: 1\n"
        "Core(s) per socket: 8\nSocket(s): 1\nL1d cache: 320 KiB (8 instances)\nL2 cache: 14 MiB (5 instances)\n"
    )
    node = understood({"lscpu": text}).node
    assert (node.cpu_cores_total, node.cpu_l1_cache_kb, node.cpu_l2_cache_mb) == (8, None, None)


def test_the_kernels_files_are_enough_and_lscpu_is_not_asked() -> None:
    first = Found(collector.reads, {f"{ROOT}/cpu0/topology/thread_siblings_list": Answer(Outcome.OK, b"0\n")})
    assert collector.more is not None
    assert collector.more(first) == ()


def test_an_answer_that_says_nothing_is_a_gap() -> None:
    facts = understood({"lscpu": "Architektur: x86_64\nProzessor(en): 4\n"})
    assert Outcome.UNREADABLE in {gap.outcome for gap in facts.gaps}
    assert facts.node.cpu_cores_total is None


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=20))
def test_garbage_is_survived(lscpu: str, cpuinfo: str, short: str) -> None:
    understood({"lscpu": lscpu, "/proc/cpuinfo": cpuinfo})
    understood({"lscpu": f"CPU(s): {short}\nL1d cache: {short}\nCore(s) per socket: {short}\nSocket(s): {short}\n"})
    understood({"/proc/cpuinfo": f"processor: {short}\nphysical id: {short}\nCPU variant: {short}\nCPU revision: 1\n"})
    understood(thread(0, short, l1d="32K 0") | {f"{ROOT}/cpu0/cache/index0/level": short, f"{ROOT}/online": short})


@given(st.sampled_from([name for name, _ in RECORDED]), st.data())
def test_half_a_recording_is_survived(recordings: Path, name: str, data: st.DataObject) -> None:
    text = (recordings / "linux" / name).read_text("utf-8", "backslashreplace")
    cut = text[: data.draw(st.integers(0, len(text)))].replace("\n", "\r\n")
    understood({"lscpu" if "lscpu" in name.rpartition("/")[2] else "/proc/cpuinfo": cut})


# --- this machine


def live() -> Facts:
    host = LocalHost()
    first = Found.of(host, collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(host, collector.more(first)))


def test_this_machine_is_as_psutil_and_the_kernel_say() -> None:
    facts = live()
    cpu = facts.metadata["cpu"]
    assert not undeclared(collector, facts)
    assert cpu["threads"] == psutil.cpu_count(logical=True)
    assert facts.node.cpu_cores_total in (None, psutil.cpu_count(logical=False))
    assert cpu["page_size_bytes"] == os.sysconf("SC_PAGE_SIZE")


def test_this_machine_is_as_lscpu_says() -> None:
    if shutil.which("lscpu") is None:
        pytest.skip("lscpu is not installed")
    said = subprocess.run(["lscpu"], env={"LC_ALL": "C", "PATH": os.environ["PATH"]}, capture_output=True, text=True)
    by_lscpu, facts = understood({"lscpu": said.stdout}), live()
    for column in ("cpu_model", "cpu_architecture", "cpu_cores_total", "cpu_l1_cache_kb", "cpu_l2_cache_mb"):
        assert getattr(by_lscpu.node, column) in (None, getattr(facts.node, column)), column
    for key in ("vendor", "family", "stepping", "threads", "threads_per_core", "features"):
        assert by_lscpu.metadata["cpu"][key] == facts.metadata["cpu"][key], key
    sizes = {(c["level"], c["type"]): (c["size_kib"], c["instances"]) for c in facts.metadata["cpu"]["caches"]}
    for cache in by_lscpu.metadata["cpu"]["caches"]:
        assert sizes[cache["level"], cache["type"]] == (cache["size_kib"], cache["instances"])


def test_two_looks_at_this_machine_are_equal() -> None:
    assert live() == live()
