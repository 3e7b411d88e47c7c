import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.macos.cpu import collector
from aya.model import Facts, Outcome
from tests.collect.macos.macs import STUDIO, ULTRA, profile, told, understood

HARDWARE = "SPHardwareDataType"


def of_overview(cores: object, chip: str = "Apple M3 Ultra") -> Facts:
    return understood(collector, profile(HARDWARE, STUDIO | {"number_processors": cores, "chip_type": chip}))


def classes(facts: Facts) -> dict[str, int]:
    return {one["name"]: one["cores"] for one in facts.metadata["cpu"]["classes"]}


def test_an_ultra_says_all_that_the_source_document_records_of_alpha() -> None:
    brand = "machdep.cpu.brand_string: Apple M3 Ultra\nmachdep.cpu.core_count: 32\n"
    facts = understood(
        collector, {"sysctl hw": ULTRA, "sysctl machdep": brand, "sysctl -n sysctl.proc_translated": "0\n"}
    )
    node, cpu = facts.node, facts.metadata["cpu"]
    assert (node.cpu_model, node.cpu_architecture) == ("Apple M3 Ultra", "ARM64")
    assert (node.cpu_cores_total, node.cpu_cores_performance, node.cpu_cores_efficiency) == (32, 24, 8)
    assert (node.cpu_l1_cache_kb, node.cpu_l2_cache_mb) == (128, 16)
    assert cpu["classes"][0]["l1i_kib"] == 192
    assert cpu["classes"][0]["l2_shared_by_cores"] == 6
    assert cpu["classes"][1] == {
        "name": "Efficiency",
        "role": "efficiency",
        "cores": 8,
        "threads": 8,
        "l1d_kib": 64,
        "l1i_kib": 128,
        "l2_kib": 4096,
        "l2_shared_by_cores": 4,
    }
    assert cpu["family_id"] == "1912690738"
    assert (cpu["cache_line_bytes"], cpu["page_size_bytes"], cpu["sockets"]) == (128, 16384, 1)
    assert (cpu["breakpoints"], cpu["watchpoints"]) == (6, 4)
    assert cpu["features"] == ["FEAT_BF16"]
    assert facts.observed == {"cpu": {"translated": False}}
    # Four clusters of six cores.
    assert next(c["instances"] for c in cpu["caches"] if (c["level"], c["class"]) == (2, 0)) == 4
    assert not facts.gaps


@pytest.mark.parametrize(
    ("said", "chip", "total", "performance", "efficiency", "all_classes"),
    [
        ("proc 32:24:8", "Apple M3 Ultra", 32, 24, 8, {"Performance": 24, "Efficiency": 8}),
        ("proc 10:4:6", "Apple M5", 10, 4, 6, {"Performance": 4, "Efficiency": 6}),
        # Three places: systems put the classes in different orders.
        ("proc 24:16:8:0", "Apple M2 Ultra", 24, 16, 8, {"Performance": 16, "Efficiency": 8}),
        ("proc 12:0:8:4", "Apple M2 Pro", 12, 8, 4, {"Performance": 8, "Efficiency": 4}),
        ("proc 12:0:8:0:4", "Apple M2 Pro", 12, 8, 4, {"Performance": 8, "Efficiency": 4}),
        ("proc 18:6:0:12", "Apple M5 Max", 18, 12, None, {"Super": 6, "Performance": 12}),
        ("proc 18:6:12:0", "Apple M5 Max", 18, 12, None, {"Super": 6, "Performance": 12}),
        ("proc 10:4:6:0", "Apple M5", 10, None, 6, {"Super": 4, "Efficiency": 6}),
        ("proc 10:4:0:6", "Apple M5", 10, None, 6, {"Super": 4, "Efficiency": 6}),
        # Virtual machines give a number.
        (4, "Apple M4 (Virtual)", 4, None, None, {}),
        ("8", "Apple M1", 8, None, None, {}),
    ],
)
def test_the_short_form_of_the_overview(
    said: object, chip: str, total: int, performance: int | None, efficiency: int | None, all_classes: dict[str, int]
) -> None:
    facts = of_overview(said, chip)
    assert facts.node.cpu_cores_total == total
    assert facts.node.cpu_cores_performance == performance
    assert facts.node.cpu_cores_efficiency == efficiency
    assert classes(facts) == all_classes
    assert not facts.gaps


@pytest.mark.parametrize(
    ("said", "chip"),
    [
        ("proc 12:2:4:6", "Apple M9"),
        ("proc 12:0:8:4", "Apple M9"),
        ("proc 12:8:5", "Apple M2 Pro"),
        ("proc 12:3:3:3:3", "Apple M9"),
    ],
)
def test_cores_whose_class_cannot_be_told_are_kept_and_reported_once(said: str, chip: str) -> None:
    facts = of_overview(said, chip)
    assert facts.node.cpu_cores_performance is facts.node.cpu_cores_efficiency is None
    assert facts.metadata["cpu"]["unknown"] == said
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]


def test_the_kernel_tells_the_classes_that_the_short_form_does_not() -> None:
    levels = "".join(
        f"hw.perflevel{place}.name: {name}\nhw.perflevel{place}.physicalcpu: {cores}\n"
        for place, (name, cores) in enumerate([("Super", 2), ("Performance", 4), ("Efficiency", 6)])
    )
    given = profile(HARDWARE, STUDIO | {"chip_type": "Apple M9", "number_processors": "proc 12:2:4:6"})
    facts = understood(collector, given | {"sysctl hw": levels + "hw.physicalcpu_max: 12\nhw.optional.arm64: 1\n"})
    assert (facts.node.cpu_cores_performance, facts.node.cpu_cores_efficiency) == (4, 6)
    assert classes(facts) == {"Super": 2, "Performance": 4, "Efficiency": 6}
    assert not facts.gaps


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("18 (6 Super and 12 Performance)", {"Super": 6, "Performance": 12}),
        ("12 (2 super, 4 performance, and 6 efficiency)", {"Super": 2, "Performance": 4, "Efficiency": 6}),
        ("8 (4 performance and 4 efficiency)", {"Performance": 4, "Efficiency": 4}),
    ],
)
def test_the_text_names_its_classes(said: str, expected: dict[str, int]) -> None:
    text = f"Hardware:\n\n    Hardware Overview:\n\n      Chip: Apple M9\n      Total Number of Cores: {said}\n"
    facts = understood(collector, told(HARDWARE, text))
    assert classes(facts) == expected
    assert facts.node.cpu_cores_total == sum(expected.values())


def test_under_rosetta_the_machine_is_still_what_it_is() -> None:
    hw = ULTRA.replace("hw.cputype: 16777228", "hw.cputype: 7").replace("pagesize: 16384", "pagesize: 4096")
    machdep = (
        "machdep.cpu.brand_string: VirtualApple @ 2.50GHz\nmachdep.cpu.vendor: GenuineIntel\nmachdep.cpu.family: 6\n"
    )
    given = {"sysctl hw": hw, "sysctl machdep": machdep, "sysctl -n sysctl.proc_translated": "1\n"}
    facts = understood(collector, given | profile(HARDWARE, STUDIO))
    assert (facts.node.cpu_model, facts.node.cpu_architecture) == ("Apple M3 Ultra", "ARM64")
    assert facts.metadata["cpu"]["page_size_bytes"] is facts.metadata["cpu"]["family"] is None
    assert facts.metadata["cpu"]["vendor"] == "Apple"
    assert facts.observed == {"cpu": {"translated": True}}


INTEL = {
    "_name": "hardware_overview",
    "cpu_type": "Quad-Core Intel Core i7",
    "current_processor_speed": "2.2 GHz",
    "l2_cache_core": "256 KB",
    "l3_cache": "6 MB",
    "number_processors": 4,
    "packages": 1,
    "platform_cpu_htt": "htt_enabled",
}


def test_an_intel_mac_by_its_overview() -> None:
    facts = understood(collector, profile(HARDWARE, INTEL))
    assert (facts.node.cpu_model, facts.node.cpu_architecture) == ("Quad-Core Intel Core i7", "x86_64")
    assert (facts.node.cpu_cores_total, str(facts.node.cpu_l2_cache_mb)) == (4, "0.25")
    assert (facts.metadata["cpu"]["base_mhz"], facts.metadata["cpu"]["sockets"]) == (2200, 1)
    assert not facts.gaps


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("Intel Core Duo", "i386"),
        ("Intel Core 2 Duo", "x86_64"),
        ("Dual-Core Intel Xeon", "x86_64"),
        ("PowerPC G4  (1.2)", "ppc"),
    ],
)
def test_the_architecture_by_the_name_of_the_processor(name: str, architecture: str) -> None:
    assert understood(collector, profile(HARDWARE, INTEL | {"cpu_type": name})).node.cpu_architecture == architecture


def test_an_unknown_processor_has_no_name() -> None:
    facts = understood(collector, profile(HARDWARE, INTEL | {"cpu_type": "Unknown"}))
    assert facts.node.cpu_model is facts.node.cpu_architecture is None


def test_the_kernel_that_runs_tells_the_architecture_of_the_machine() -> None:
    kernel = "Darwin Kernel Version 25.0.0: Mon Aug 25 21:17:54 PDT 2025; root:xnu-12377.1.9~3/RELEASE_ARM64_T6031"
    # Under Rosetta 2 its last word is what the program was built for.
    uname = f"Darwin alpha 25.0.0 {kernel} x86_64\n"
    assert understood(collector, {"uname -a": uname}).node.cpu_architecture == "ARM64"


def test_a_virtual_machine_has_one_class_of_cores() -> None:
    hw = (
        "hw.nperflevels: 1\nhw.perflevel0.name: Standard\nhw.perflevel0.physicalcpu_max: 3\nhw.physicalcpu_max: 3\n"
        "hw.perflevel0.l1dcachesize: 131072\nhw.optional.arm64: 1\nhw.cputype: 16777228\n"
    )
    facts = understood(collector, {"sysctl hw": hw, "sysctl machdep": "machdep.cpu.brand_string: Apple M1 (Virtual)\n"})
    assert facts.node.cpu_model == "Apple M1 (Virtual)"
    assert facts.node.cpu_cores_total == 3
    assert facts.node.cpu_cores_performance is facts.node.cpu_cores_efficiency is None
    assert facts.metadata["cpu"]["classes"] == []


@pytest.mark.parametrize(
    ("model", "packages", "total"),
    [
        ("Intel(R) Xeon(R) CPU X5670 @ 2.93GHz", "", None),
        ("Intel(R) Xeon(R) CPU X5670 @ 2.93GHz", "hw.packages: 2\n", 12),
    ],
)
def test_cores_of_one_package_are_not_taken_for_all(model: str, packages: str, total: int | None) -> None:
    machdep = f"machdep.cpu.brand_string: {model}\nmachdep.cpu.core_count: 6\n"
    facts = understood(collector, {"sysctl hw": packages, "sysctl machdep": machdep})
    assert facts.node.cpu_cores_total == total


@given(
    st.lists(
        st.tuples(st.sampled_from(["Performance", "Efficiency", "Super"]), st.integers(1, 64)), min_size=2, max_size=3
    )
)
def test_cores_of_all_classes_are_all_cores(levels: list[tuple[str, int]]) -> None:
    hw = "hw.optional.arm64: 1\n" + "".join(
        f"hw.perflevel{place}.name: {name}\nhw.perflevel{place}.physicalcpu_max: {cores}\n"
        for place, (name, cores) in enumerate(levels)
    )
    facts = understood(collector, {"sysctl hw": hw})
    assert facts.node.cpu_cores_total == sum(cores for _, cores in levels)
    for column, name in (("cpu_cores_performance", "Performance"), ("cpu_cores_efficiency", "Efficiency")):
        assert getattr(facts.node, column) == (sum(cores for one, cores in levels if one == name) or None)


def test_without_any_answer_everything_that_was_asked_is_named() -> None:
    facts = understood(collector, {})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNSUPPORTED] * 3
    assert not facts.absent


def test_a_virtual_mac_has_arm_cores_whatever_its_chip_is_called() -> None:
    overview = {"chip_type": "Unknown", "machine_model": "VirtualMac2,1", "number_processors": 6}
    node = understood(collector, profile(HARDWARE, overview)).node
    assert (node.cpu_architecture, node.cpu_cores_total, node.cpu_model) == ("ARM64", 6, None)


@pytest.mark.parametrize(
    ("name", "cores"),
    [
        ("8-Core Intel Core i7", 8),
        ("Dual-Core Intel Core i5", 2),
        ("Intel Core i5", None),
        ("12-Core Intel Xeon W", None),
    ],
)
def test_the_name_of_an_intel_processor_counts_its_cores_where_nothing_else_does(name: str, cores: int | None) -> None:
    assert understood(collector, profile(HARDWARE, {"cpu_type": name})).node.cpu_cores_total == cores


def test_threads_are_those_of_all_classes_where_the_kernel_gives_no_sum() -> None:
    classes = "".join(
        f"hw.perflevel{place}.name: {name}\nhw.perflevel{place}.physicalcpu: {cores}\nhw.perflevel{place}.logicalcpu: {cores}\n"
        for place, (name, cores) in enumerate((("Super", 6), ("Performance", 12)))
    )
    facts = understood(collector, {"sysctl hw": classes})
    assert facts.metadata["cpu"]["threads"] == 18
