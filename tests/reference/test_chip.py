import re
from decimal import Decimal
from pathlib import Path

import pytest

from aya.reference import chip, chips, variants
from aya.reference.chip import FIGURES, derived_gbps, derived_tflops
from aya.reference.data import platform

EVERY = [one for known in chips() for one in variants(known.name)]


def near(one: Decimal, other: Decimal, share: Decimal = Decimal("0.05")) -> bool:
    return abs(one - other) <= share * other


def test_every_figure_has_a_source() -> None:
    for one in EVERY:
        known = {name for name in FIGURES if getattr(one, name) not in (None, ())}
        told = {name.split(".")[0] for name in one.sources}
        assert known == told, one.name
        assert all(one.sources.values())


def test_every_source_is_used_and_says_something() -> None:
    sources = platform()["sources"]
    used = {text for one in EVERY for text in one.sources.values()}
    used |= {sources[one["source"]] for one in platform()["operating_system"]}
    assert used == set(sources.values())
    assert all(len(text) > 20 and "://" not in text for text in sources.values())


def test_every_name_is_that_of_one_chip() -> None:
    names = [entry["name"] for family in platform()["family"] for entry in family["chip"]]
    assert len(names) == len(set(names)) == len(chips())


def test_what_is_in_the_file_is_a_figure() -> None:
    spare = {"name", "vendor", "kind", "source", "sources", "core", "cores", "variant", "chip"}
    spare |= {"gpu_lanes_per_core", "gpu_fp16_per_fp32"}
    for family in platform()["family"]:
        for entry in [family, *family["chip"], *(v for one in family["chip"] for v in one.get("variant", []))]:
            assert set(entry) <= spare | set(FIGURES), entry


def test_half_precision_is_a_small_multiple_of_single_precision() -> None:
    for one in EVERY:
        if one.gpu_fp16_tflops and one.gpu_fp32_tflops:
            assert any(near(one.gpu_fp16_tflops, one.gpu_fp32_tflops * times) for times in (1, 2, 4)), one.name
        if one.gpu_fp16_matrix_tflops and one.gpu_fp16_tflops:
            assert one.gpu_fp16_matrix_tflops >= one.gpu_fp16_tflops, one.name


def test_bandwidth_is_what_bus_and_rate_give() -> None:
    stated = [one for one in EVERY if one.memory_bus_bits and one.memory_rate_mtps and one.memory_bandwidth_gbps]
    assert stated
    for one in stated:
        given = derived_gbps(one.memory_bus_bits or 0, one.memory_rate_mtps or 0)
        assert near(given, one.memory_bandwidth_gbps or Decimal(0)), one.name


def test_tflops_are_what_lanes_and_clock_give() -> None:
    stated = [one for one in EVERY if one.gpu_lanes and one.gpu_clock_mhz and one.gpu_fp32_tflops]
    assert stated
    for one in stated:
        given = derived_tflops(one.gpu_lanes or 0, one.gpu_clock_mhz or 0)
        assert near(given, one.gpu_fp32_tflops or Decimal(0)), one.name


@pytest.mark.parametrize("generation", ["M1", "M2", "M3"])
def test_an_ultra_is_two_max(generation: str) -> None:
    ultra, double = variants(f"Apple {generation} Ultra")[-1], variants(f"Apple {generation} Max")[-1]
    for name in ("cpu_cores", "gpu_cores", "gpu_lanes", "memory_bus_bits"):
        assert getattr(ultra, name) == 2 * getattr(double, name)
    for figure in ("gpu_fp32_tflops", "memory_bandwidth_gbps"):
        assert near(getattr(ultra, figure), 2 * getattr(double, figure))
    assert [one.cores for one in ultra.core_classes] == [2 * (one.cores or 0) for one in double.core_classes]


def test_cores_of_all_classes_are_the_cores() -> None:
    for one in EVERY:
        if one.core_classes:
            assert one.cpu_cores == sum(cores.cores or 0 for cores in one.core_classes), one.name


@pytest.mark.parametrize(
    ("name", "cores", "bandwidth", "tflops"),
    [
        ("Apple M3 Ultra", 80, "819", "28.26"),
        ("Apple M3 Ultra", 60, "819", "21.20"),
        ("Apple M3 Max", 30, "300", "10.60"),
        ("Apple M3 Max", 40, "400", "14.13"),
        ("Apple M1", 8, "68.25", "2.6"),
        ("Apple M1 Max", 32, "400", "10.62"),
        ("Apple M4 Max", 40, "546", "16.16"),
        ("Apple M2", 10, "100", "3.6"),
    ],
)
def test_an_apple_chip_of_known_gpu_cores(name: str, cores: int, bandwidth: str, tflops: str) -> None:
    found = chip(name, gpu_cores=cores)
    assert found is not None
    assert (found.memory_bandwidth_gbps, found.gpu_fp32_tflops) == (Decimal(bandwidth), Decimal(tflops))


def test_what_depends_on_an_unknown_variant_is_not_known() -> None:
    found = chip("Apple M3 Max")
    assert found is not None
    assert found.memory_bandwidth_gbps is None
    assert found.gpu_fp32_tflops is None
    assert found.gpu_cores is None
    assert found.cpu_cores is None
    assert "memory_bandwidth_gbps" not in found.sources
    assert found.memory_type == "LPDDR5"
    assert [(one.name, one.cores) for one in found.core_classes] == [("performance", None), ("efficiency", 4)]


def test_another_count_narrows_the_variants_as_well() -> None:
    found = chip("M3 Max", cpu_cores=14)
    assert found is not None
    assert (found.gpu_cores, found.memory_bandwidth_gbps) == (30, Decimal(300))


def test_a_configuration_that_is_not_sold_is_not_known() -> None:
    assert chip("Apple M3 Ultra", gpu_cores=70) is None
    assert {one.gpu_cores for one in variants("Apple M3 Ultra")} == {60, 80}


@pytest.mark.parametrize(
    "name",
    ["Apple M1 (Virtual)", "Apple M9", "Apple processor", "", "Apple", "M", "Apple M3 Maxx", "VirtualApple @ 2.50GHz"],
)
def test_another_name_is_not_known(name: str) -> None:
    assert chip(name) is None


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", "Intel Xeon E5-2680 v4"),
        ("Intel(R) Xeon(R) CPU E5-1603 0 @ 2.80GHz", "Intel Xeon E5-1603"),
        ("Intel(R) Xeon(R) Gold 6132 CPU @ 2.60GHz", "Intel Xeon Gold 6132"),
        ("Intel(R) Xeon(R) Platinum 8480+", "Intel Xeon Platinum 8480+"),
        ("INTEL(R) XEON(R) PLATINUM 8592+", "Intel Xeon Platinum 8592+"),
        ("AMD EPYC 7502P 32-Core Processor", "AMD EPYC 7502P"),
        ("AMD EPYC 7502P 32-Core Processor                ", "AMD EPYC 7502P"),
        ("NVIDIA GeForce RTX 3080", "NVIDIA GeForce RTX 3080"),
        ("GeForce RTX 3080", "NVIDIA GeForce RTX 3080"),
        ("RTX 3080", "NVIDIA GeForce RTX 3080"),
        ("Tesla V100-SXM2-16GB", "NVIDIA Tesla V100-SXM2-16GB"),
        ("NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"),
        ("GA102 [GeForce RTX 3090]", "NVIDIA GeForce RTX 3090"),
        ("Arcturus GL-XL [Instinct MI100]", "AMD Instinct MI100"),
        ("AMD Instinct MI300X", "AMD Instinct MI300X"),
        ("Radeon RX 7900 XTX", "AMD Radeon RX 7900 XTX"),
        ("Ampere(R) Altra(R) Processor Q80-30", "Ampere Altra Q80-30"),
        ("graviton2", "AWS Graviton2"),
        ("m1 pro", "Apple M1 Pro"),
    ],
)
def test_a_chip_is_known_by_the_names_that_tools_give_it(name: str, known: str) -> None:
    found = chip(name)
    assert found is not None
    assert found.name == known


@pytest.mark.parametrize(
    "name",
    [
        "NVIDIA GeForce RTX 3080 Laptop GPU",
        "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
        "GRID A100-40C",
        "Navi 31 [Radeon RX 7900 XT/7900 XTX/7900M]",
        "Intel Xeon Processor (Skylake, IBRS)",
        "Intel(R) Xeon(R) CPU @ 2.20GHz",
        "AMD EPYC Processor",
        "AMD EPYC-Rome Processor",
        "Quadro RTX 5000",
        "GeForce GTX 1070",
        "Intel(R) Xeon(R) CPU           5120  @ 1.86GHz",
    ],
)
def test_a_name_that_is_not_that_of_one_chip_is_not_known(name: str) -> None:
    assert chip(name) is None


def test_memory_tells_boards_of_one_name_apart() -> None:
    larger, smaller = (chip("GeForce RTX 3080", memory_gb=size) for size in (12288 / 1024, 10018 / 1024))
    assert larger is not None
    assert smaller is not None
    assert (larger.gpu_lanes, smaller.gpu_lanes) == (8960, 8704)
    assert chip("GeForce RTX 3080", memory_gb=20) is None
    notebook = chip("Quadro P2000", memory_gb=4)
    assert notebook is not None
    assert notebook.gpu_fp32_tflops is None


# --- against recordings of machines


VIRTUAL_OR_OTHER = re.compile(
    r"Core\(TM\)|Celeron|Pentium|Atom|Ryzen|FX\(tm\)|Opteron|[LXE]\d{4}\b|Cortex|Kryo|Neoverse|Kunpeng|ARMv|AArch64"
    r"|XScale|sifive|Spacemit|Xeon\(R\) Platinum 8260M|Apple processor|^\d+$|^-$|^0x"
)
"""What the reference leaves out on purpose: processors of notebooks and desktops, servers before 2012, cores that are not a
chip's name, and what is no name at all.
"""


def recorded_names(recordings: Path) -> set[str]:
    names: set[str] = set()
    pattern = r"^(?:model name|Model name|machdep\.cpu\.brand_string)\s*:\s*(.*?)\s*$"
    for path in (
        *recordings.glob("*/*/lscpu*.txt"),
        *recordings.glob("*/*/proc-cpuinfo.txt"),
        *recordings.glob("macos/*/*sysctl*"),
    ):
        if not path.is_dir():
            names |= set(re.findall(pattern, path.read_text(errors="replace"), re.MULTILINE))
    return names


def test_every_recorded_processor_is_known_or_left_out_on_purpose(recordings: Path) -> None:
    names = recorded_names(recordings)
    known = {name for name in names if chip(name)}
    assert len(known) > 20
    assert {name for name in names - known if not VIRTUAL_OR_OTHER.search(name)} == set()
    assert {name for name in known if VIRTUAL_OR_OTHER.search(name)} <= {"Intel(R) Xeon(R) CPU E5-1603 0 @ 2.80GHz"}


def test_recorded_machines_have_the_cores_and_caches_of_the_reference(recordings: Path) -> None:
    compared = 0
    for path in sorted(recordings.glob("linux/*/lscpu.txt")):
        said = dict(re.findall(r"^([\w() ]+?):\s+(.*?)\s*$", path.read_text(errors="replace"), re.MULTILINE))
        found = chip(said.get("Model name", ""))
        if found is None or "Hypervisor vendor" in said:
            continue
        assert int(said["Core(s) per socket"]) == found.cpu_cores, path
        # Some owners switch their second threads off.
        threads = int(said["Core(s) per socket"]) * int(said["Thread(s) per core"])
        assert threads in (found.cpu_threads, found.cpu_cores), path
        # Newer ones tell the sum of all sockets, older ones one cache of several.
        (core,) = found.core_classes
        sockets, cores = int(said["Socket(s)"]), found.cpu_cores or 0
        for level, one, several in (
            ("L1i", Decimal(core.l1_instruction_kib or 0), cores),
            ("L1d", Decimal(core.l1_data_kib or 0), cores),
            ("L2", (core.l2_mib or 0) * 1024, cores),
            ("L3", (found.l3_mib or 0) * 1024, 1),
        ):
            size = re.match(r"([\d.]+) ?(K|KiB|MiB|M)\b", said.get(f"{level} cache", ""))
            if size and one:
                kib = Decimal(size[1]) * (1 if size[2].startswith("K") else 1024)
                assert kib == one * several * sockets or kib == one or (level == "L3" and one % kib == 0), (path, level)
        compared += 1
    assert compared >= 15
