from decimal import Decimal

import pytest

from aya.reference import chip, chips, variants
from aya.reference.chip import FIGURES, derived_tflops
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
    spare = {"name", "vendor", "kind", "source", "sources", "core", "cores", "variant", "chip", "gpu_lanes_per_core"}
    for family in platform()["family"]:
        for entry in [family, *family["chip"], *(v for one in family["chip"] for v in one.get("variant", []))]:
            assert set(entry) <= spare | set(FIGURES), entry


def test_bandwidth_is_what_bus_and_rate_give() -> None:
    stated = [one for one in EVERY if one.memory_bus_bits and one.memory_rate_mtps and one.memory_bandwidth_gbps]
    assert stated
    for one in stated:
        given = Decimal(one.memory_bus_bits or 0) / 8 * (one.memory_rate_mtps or 0) / 1000
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
