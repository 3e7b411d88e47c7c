import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux._processors import as_list, processors
from aya.collect.linux.memory import collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found
from aya.model import Facts, Outcome
from tests.collect.answers import found, refused
from tests.collect.declared import floats, undeclared

BLOCKS = "/sys/devices/system/memory"
NODE = "/sys/devices/system/node/node0"
VIRTUAL = {"/proc/cpuinfo": "processor: 0\nflags : fpu hypervisor sse\n"}
MEMINFO = (
    "MemTotal:       24683656 kB\nMemAvailable:   24402112 kB\nSwapTotal:      3996668 kB\nSwapFree:       3996668 kB\n"
)


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


def recorded(recordings: Path, name: str) -> Facts:
    return understood({"dmidecode": (recordings / "linux" / name / "dmidecode.txt").read_bytes()})


# GiB, type, maker, error correction, populated, slots: counted in each file by hand.
RECORDED = [
    ("checkbox-lenovo-systemx", (64, "DDR4", "Hynix", "multi-bit", 4, 24)),
    ("glpi-dell-fx170", (2, "DDR2", None, "none", 1, 4)),
    # Makers as bytes of their JEDEC numbers: 00AD00B300AD and 00CE00B300CE.
    ("glpi-dell-r620", (256, "DDR3", "SK Hynix", "multi-bit", 16, 24)),
    ("glpi-dell-r640", (256, "DDR4", "Samsung", "multi-bit", 8, 24)),
    # "<OUT OF SPEC>" is no type, "Manufacturer01" and "ModulePartNumber01" name nothing.
    ("glpi-hp-dl180", (4, None, "Micron", "single-bit", 2, 12)),
    ("glpi-hp-dl360-gen8", (64, "DDR3", "HP", "single-bit", 8, 24)),
    ("glpi-lenovo-thinkpad", (8, "DDR3", "Samsung", "none", 2, 4)),
    ("glpi-linux-1", (4, "DDR2", None, "none", 4, 4)),
    ("glpi-linux-2.6", (2, "DDR", "Infineon", "none", 2, 2)),
    ("glpi-rhel-3.4", ("1.5", "DDR", None, "single-bit", 3, 3)),
    ("glpi-rhel-4.6", (5, None, None, "single-bit", 6, 8)),
    ("glpi-s3000ahlx", (4, "DDR2", "Kingston + Samsung", "none", 3, 4)),
    # Two arrays of eight.
    ("glpi-sun-x2200-m2", (32, "DDR2", None, "single-bit", 16, 16)),
    # What VMware calls DRAM names no type.
    ("glpi-rhel-6.3-esx-1vcpu", ("0.5", None, None, "none", 1, 64)),
    ("jc-centos-7.7", (4, None, None, "none", 1, 128)),
    ("glpi-surface-go-2", (None, None, None, None, 0, None)),
    ("glpi-vmware-esx-2.5", (None, None, None, None, 0, None)),
]


@pytest.mark.parametrize(("name", "expected"), RECORDED)
def test_recorded_modules_are_understood(recordings: Path, name: str, expected: tuple[Any, ...]) -> None:
    facts = recorded(recordings, name)
    memory = facts.metadata["memory"]
    size, *rest = expected
    assert facts.node.ram_gb == (Decimal(size) if size else None)
    assert [
        facts.node.ram_type,
        facts.node.ram_manufacturer,
        memory["ecc"],
        sum(module["size_mib"] is not None for module in memory["modules"]),
        memory["slots"],
    ] == rest


def test_a_module_is_described(recordings: Path) -> None:
    assert recorded(recordings, "checkbox-lenovo-systemx").metadata["memory"]["modules"][0] == {
        "locator": "Dimm 1",
        "bank": "CPU 1",
        "size_mib": 16384,
        "type": "DDR4",
        "form_factor": "DIMM",
        "speed_mts": 2133,
        "configured_mts": 2133,
        "manufacturer": "Hynix",
        "part_number": "HMA42GR7MFR4N-TF",
        "serial_number": "108DEFAD",
        "data_width_bits": 64,
        "total_width_bits": 72,
    }


def test_a_part_number_written_in_codes_is_spelled(recordings: Path) -> None:
    modules = recorded(recordings, "glpi-s3000ahlx").metadata["memory"]["modules"]
    assert [module["part_number"] for module in modules] == ["M3 78T2953EZ3-CE6", None, "M3 78T2953EZ3-CE6", None]


def test_channels_are_counted_where_the_slots_are_named_after_them(recordings: Path) -> None:
    assert recorded(recordings, "glpi-lenovo-thinkpad").metadata["memory"]["channels"] == 2
    assert recorded(recordings, "glpi-dell-r640").metadata["memory"]["channels"] is None


def test_what_udev_kept_tells_the_modules_to_everybody() -> None:
    kept = (
        "I:1234\nE:MEMORY_ARRAY_EC_TYPE=Multi-bit ECC\nE:MEMORY_ARRAY_NUM_DEVICES=2\n"
        "E:MEMORY_DEVICE_0_SIZE=17179869184\nE:MEMORY_DEVICE_0_TYPE=DDR5\nE:MEMORY_DEVICE_0_LOCATOR=DIMM 0\n"
        "E:MEMORY_DEVICE_0_SPEED_MTS=5600\nE:MEMORY_DEVICE_0_MANUFACTURER=Micron Technology\n"
        "E:MEMORY_DEVICE_1_PRESENT=0\nE:MEMORY_DEVICE_1_LOCATOR=DIMM 1\nG:systemd\n"
    )
    facts = understood({"/run/udev/data/+dmi:id": kept, "/sys/class/dmi": "", "/proc/meminfo": MEMINFO})
    assert facts.node.ram_gb == 16
    assert (facts.node.ram_type, facts.node.ram_manufacturer) == ("DDR5", "Micron Technology")
    assert facts.metadata["memory"]["ecc"] == "multi-bit"
    assert [module["size_mib"] for module in facts.metadata["memory"]["modules"]] == [16384, None]
    assert facts.gaps == ()


# --- installed, or only usable


def blocks(online: int, offline: int = 0) -> dict[str, str]:
    states = ["1"] * online + ["0"] * offline
    files = {f"{BLOCKS}/memory{n}/online": f"{state}\n" for n, state in enumerate(states)}
    return files | {f"{BLOCKS}/block_size_bytes": "8000000\n"}


def test_the_blocks_of_a_virtual_machine_are_its_memory() -> None:
    facts = understood(VIRTUAL | blocks(192, offline=3) | {"/proc/meminfo": MEMINFO})
    assert facts.node.ram_gb == 24
    assert facts.metadata["memory"]["installed_source"] == "memory blocks"
    assert facts.metadata["memory"]["usable_kib"] == 24683656


def test_usable_memory_is_never_taken_for_installed_memory() -> None:
    facts = understood(blocks(192) | {"/proc/meminfo": MEMINFO})
    assert (facts.node.ram_gb, facts.metadata["memory"]["usable_kib"]) == (None, 24683656)
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNSUPPORTED]


def test_modules_that_only_root_may_see_are_a_gap() -> None:
    given = {
        "/proc/meminfo": MEMINFO,
        "/sys/class/dmi": "",
        "dmidecode": refused("dmidecode ended with 1: Permission denied"),
    }
    facts = understood(given)
    assert [(gap.outcome, gap.reason) for gap in facts.gaps] == [
        (Outcome.DENIED, "memory modules: dmidecode ended with 1: Permission denied")
    ]


def test_firmware_that_cannot_be_asked_is_a_gap() -> None:
    facts = understood({"/proc/meminfo": MEMINFO, "/sys/firmware/dmi": ""})
    assert [(gap.outcome, gap.reason) for gap in facts.gaps] == [
        (Outcome.UNSUPPORTED, "memory modules: dmidecode is not installed")
    ]


def test_a_virtual_machine_without_firmware_tables_has_no_gap() -> None:
    failed = Answer(Outcome.FAILED, reason="dmidecode ended with 1: /dev/mem: No such file or directory")
    assert understood(VIRTUAL | blocks(8) | {"/proc/meminfo": MEMINFO, "dmidecode": failed}).gaps == ()


def test_a_meminfo_that_says_nothing_is_a_gap() -> None:
    assert Outcome.UNREADABLE in {gap.outcome for gap in understood({"/proc/meminfo": "garbage\n"}).gaps}


# --- nodes, pages


def test_a_node_is_as_large_as_its_blocks() -> None:
    given = {f"{NODE}/cpulist": "0-1\n", f"{NODE}/distance": "10 21\n", f"{NODE}/memory0": "", f"{NODE}/memory33": ""}
    memory = understood(given | {f"{BLOCKS}/block_size_bytes": "8000000\n"}).metadata["memory"]
    assert memory["numa_nodes"] == [{"node": 0, "cpus": "0-1", "total_kib": 262144, "distances": [10, 21]}]


def test_nodes_are_read_from_numactl_where_the_kernel_shows_none(recordings: Path) -> None:
    text = (recordings / "linux/hwbench-numa-4domains/numactl-hardware.txt").read_text()
    nodes = understood({"numactl --hardware": text}).metadata["memory"]["numa_nodes"]
    assert len(nodes) == 4
    assert nodes[0] == {"node": 0, "cpus": "0-7,32-39", "total_kib": 31820 * 1024, "distances": [10, 12, 12, 12]}
    assert nodes[3]["cpus"] == "24-31,56-63"


def test_swap_and_huge_pages_are_state_and_what_is_free_is_measured() -> None:
    given = {
        "/proc/meminfo": MEMINFO,
        "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages": "4\n",
        "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "0\n",
        "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    }
    facts = understood(given)
    memory = facts.metadata["memory"]
    assert memory["swap_kib"] == 3996668
    assert memory["huge_pages"] == [{"size_kib": 2048, "pages": 0}, {"size_kib": 1048576, "pages": 4}]
    assert memory["transparent_huge_pages"] == "madvise"
    assert {m.name: m.value for m in facts.measurements} == {"available": 24402112, "swap_free": 3996668}
    assert "24402112" not in str(facts.metadata)


def test_a_recorded_meminfo_is_read(recordings: Path) -> None:
    memory = understood({"/proc/meminfo": (recordings / "linux/jc-linux-proc/proc-meminfo.txt").read_bytes()}).metadata
    assert (memory["memory"]["usable_kib"], memory["memory"]["swap_kib"]) == (3997272, 3996668)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0-3,8\n", {0, 1, 2, 3, 8}),
        ("0-6:2", {0, 2, 4, 6}),
        ("", set()),
        ("0-", None),
        ("3-1", None),
        ("0-99999999999", None),
        ("x", None),
        ("1:0", None),
    ],
)
def test_lists_of_processors_are_read(text: str, expected: set[int] | None) -> None:
    assert processors(text) == expected


@given(st.frozensets(st.integers(0, 4096), max_size=40))
def test_a_list_of_processors_that_is_written_reads_the_same(numbers: frozenset[int]) -> None:
    assert processors(as_list(numbers)) == numbers


@given(st.text(max_size=300), st.text(max_size=30))
def test_garbage_is_survived(text: str, short: str) -> None:
    understood({"/proc/meminfo": text, "dmidecode": text, "numactl --hardware": text, "/run/udev/data/+dmi:id": text})
    fields = "\n".join(
        f"\t{name}: {short}" for name in ("Size", "Type", "Speed", "Manufacturer", "Part Number", "Locator")
    )
    understood({"dmidecode": f"Handle 0x1, DMI type 17\nMemory Device\n\tSize: 1 GB\n{fields}\n"})
    understood(
        VIRTUAL | {f"{BLOCKS}/block_size_bytes": short, f"{BLOCKS}/memory0/online": "1", f"{NODE}/cpulist": short}
    )
    understood({"/run/udev/data/+dmi:id": f"E:MEMORY_DEVICE_0_SIZE={short}\nE:MEMORY_DEVICE_0_TYPE={short}\n"})


# --- this machine


def live() -> Facts:
    host = LocalHost()
    first = Found.of(host, collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(host, collector.more(first)))


def test_this_machine_is_as_psutil_says() -> None:
    facts = live()
    memory = facts.metadata["memory"]
    assert not undeclared(collector, facts)
    assert memory["usable_kib"] * 1024 == psutil.virtual_memory().total
    assert memory["swap_kib"] * 1024 == psutil.swap_memory().total
    # Firmware and kernel keep some of what is installed; nobody has more than that.
    assert facts.node.ram_gb is None or facts.node.ram_gb * 1048576 >= memory["usable_kib"]
    seen = [processors(node["cpus"]) or frozenset() for node in memory["numa_nodes"]]
    if seen:
        assert sum(map(len, seen)) == len(os.sched_getaffinity(0)) or sum(map(len, seen)) == psutil.cpu_count()


def test_two_looks_at_this_machine_are_equal() -> None:
    one, other = live(), live()
    assert (one.node, one.metadata, one.gaps) == (other.node, other.metadata, other.gaps)


@pytest.mark.parametrize(
    ("text", "available"),
    [
        (
            "               total  used  free  shared  buff/cache  available\nMem:  1000 1 2 3 4 900\nSwap: 50 0 50\n",
            900,
        ),
        (
            "   total  used  free  shared  buffers  cached\nMem:  1000 1 2 3 4 900\n-/+ buffers/cache: 5 6\nSwap: 50 0 50\n",
            None,
        ),
        ("   gesamt benutzt frei gemns. Puffer/Cache verfügbar\nSpeicher:  1000 1 2 3 4 900\nSwap: 50 0 50\n", 900),
    ],
    ids=["new", "old", "German"],
)
def test_free_tells_what_the_kernel_has(text: str, available: int | None) -> None:
    facts = understood({"free": text})
    assert (facts.metadata["memory"]["usable_kib"], facts.metadata["memory"]["swap_kib"]) == (1000, 50)
    assert {m.name: int(m.value) for m in facts.measurements}.get("available") == available


@pytest.mark.parametrize(
    ("memory", "swap"),
    [
        ("Speicher", "Auslager"),
        ("Память", "Подкачка"),
        ("Mem", "Partition d'échange"),
        ("Mem", "Intercambio"),
    ],
)
def test_free_is_understood_in_every_language(memory: str, swap: str) -> None:
    facts = understood({"free": f"   a b c d e f\n{memory}: 1000 1 2 3 4 900\n{swap}: 50 0 50\n"})
    assert (facts.metadata["memory"]["usable_kib"], facts.metadata["memory"]["swap_kib"]) == (1000, 50)
    assert {one.name: one.value for one in facts.measurements} == {"available": 900, "swap_free": 50}


def test_free_that_tells_buffers_apart_has_what_is_available_last() -> None:
    facts = understood({"free": "   a b c d e f g\nMem: 1000 1 2 3 4 5 900\nSwap: 50 0 50\n"})
    assert {one.name: one.value for one in facts.measurements} == {"available": 900, "swap_free": 50}


def test_the_nodes_of_lscpu_are_those_of_the_machine() -> None:
    text = "CPU(s): 8\nNUMA node(s): 2\nNUMA node0 CPU(s): 0-3\nNUMA node1 CPU(s): 4-7\n"
    nodes = understood({"lscpu": text}).metadata["memory"]["numa_nodes"]
    assert [(node["node"], node["cpus"]) for node in nodes] == [(0, "0-3"), (1, "4-7")]
