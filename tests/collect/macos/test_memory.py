from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.macos.memory import collector
from aya.model import Outcome
from tests.collect.macos.macs import ULTRA, listed, profile, told, understood

MEMORY = "SPMemoryDataType"
UNIFIED = {"SPMemoryDataType": "512 GB", "dimm_manufacturer": "Samsung", "dimm_type": "LPDDR5"}


def test_an_ultra_says_all_that_the_source_document_records_of_alpha() -> None:
    facts = understood(collector, profile(MEMORY, UNIFIED) | {"sysctl hw": ULTRA})
    assert (facts.node.ram_gb, facts.node.ram_type, facts.node.ram_manufacturer) == (512, "LPDDR5", "Samsung")
    # The document's 547.58 GB, which are decimal, are what is usable.
    assert facts.metadata["memory"]["usable_kib"] == 547_582_164_992 // 1024
    assert facts.metadata["memory"]["installed_source"] == "kernel"
    assert not facts.gaps


def test_the_bandwidth_is_that_of_the_variant_whose_cores_are_there() -> None:
    def bandwidth(gpu_cores: int) -> Decimal | None:
        accelerator = (
            "+-o AGXAcceleratorG15X  <class AGXAcceleratorG15X, id 0x1, registered>\n    {\n"
            f'      "model" = "Apple M3 Max"\n      "gpu-core-count" = {gpu_cores}\n    }}\n'
        )
        kernel = {
            "sysctl hw": "hw.memsize: 68719476736\n",
            "sysctl machdep": "machdep.cpu.brand_string: Apple M3 Max\n",
        }
        facts = understood(collector, kernel | {"ioreg -r -c AGXAccelerator": accelerator} | profile(MEMORY, UNIFIED))
        return facts.node.ram_bandwidth_gbps

    assert (bandwidth(30), bandwidth(40)) == (300, 400)
    kernel = {"sysctl hw": "hw.memsize: 68719476736\n", "sysctl machdep": "machdep.cpu.brand_string: Apple M3 Max\n"}
    assert understood(collector, kernel | profile(MEMORY, UNIFIED)).node.ram_bandwidth_gbps is None


def test_modules_in_json_property_list_and_text_are_the_same() -> None:
    slots = {
        "_name": "global_name",
        "global_ecc_state": "ecc_enabled",
        "is_memory_upgradeable": "Yes",
        "_items": [
            {
                "_name": "DIMM 1",
                "dimm_manufacturer": "0x80CE",
                "dimm_part_number": "0x4D333931423157303030303030",
                "dimm_serial_number": "0x36000001",
                "dimm_size": "8 GB",
                "dimm_speed": "2666 MHz",
                "dimm_status": "ok",
                "dimm_type": "DDR4",
            },
            {
                "_name": "DIMM 2",
                "dimm_size": "empty",
                "dimm_speed": "empty",
                "dimm_type": "empty",
                "dimm_status": "empty",
            },
        ],
    }
    text = (
        "Memory:\n\n    Memory Slots:\n\n      ECC: Enabled\n      Upgradeable Memory: Yes\n\n        DIMM 1:\n\n"
        "          Size: 8 GB\n          Type: DDR4\n          Speed: 2666 MHz\n          Status: OK\n"
        "          Manufacturer: 0x80CE\n          Part Number: 0x4D333931423157303030303030\n"
        "          Serial Number: 0x36000001\n\n        DIMM 2:\n\n          Size: Empty\n          Type: Empty\n"
        "          Speed: Empty\n          Status: Empty\n"
    )
    facts = understood(collector, profile(MEMORY, slots))
    assert understood(collector, listed(MEMORY, slots)) == facts
    assert understood(collector, told(MEMORY, text)) == facts
    memory = facts.metadata["memory"]
    assert (facts.node.ram_gb, facts.node.ram_type, facts.node.ram_manufacturer) == (8, "DDR4", "Samsung")
    assert (memory["ecc"], memory["slots"], memory["upgradeable"]) == ("enabled", 2, True)
    assert memory["modules"][0]["part_number"] == "M391B1W000000"
    assert memory["modules"][1]["size_mib"] is None


@given(st.integers(0, 1 << 40), st.sampled_from([4096, 16384]))
def test_pages_are_counted_in_the_size_that_vm_stat_states(pages: int, size: int) -> None:
    said = (
        f"Mach Virtual Memory Statistics: (page size of {size} bytes)\nPages free: {pages:>20}.\nPages wired down: 3.\n"
    )
    facts = understood(collector, {"vm_stat": said})
    numbers = {measurement.name: measurement.value for measurement in facts.measurements}
    assert numbers == {"free": Decimal(pages * size // 1024), "wired": Decimal(3 * size // 1024)}


@pytest.mark.parametrize(
    ("hw", "gb"),
    [("hw.memsize: 17179869184\n", 16), ("hw.memsize = 536870912\n", Decimal("0.5")), ("hw.memsize: -1\n", None)],
)
def test_the_installed_size_is_exact(hw: str, gb: Decimal | int | None) -> None:
    assert understood(collector, {"sysctl hw": hw}).node.ram_gb == gb


def test_another_language_is_a_gap() -> None:
    given = told(MEMORY, "Mémoire:\n\n      Mémoire : 16 Go\n      Type : LPDDR5\n") | {"sysctl hw": ULTRA}
    facts = understood(collector, given)
    assert facts.node.ram_gb == 512
    assert facts.node.ram_type in (None, "LPDDR5")
    silent = understood(collector, {})
    assert {gap.outcome for gap in silent.gaps} == {Outcome.UNSUPPORTED}


def test_the_overview_tells_chip_and_cores_where_the_kernel_was_not_asked() -> None:
    def bandwidth(cores: str) -> Decimal | None:
        overview = profile("SPHardwareDataType", {"chip_type": "Apple M3 Max", "number_processors": cores})
        return understood(collector, overview | profile(MEMORY, UNIFIED)).node.ram_bandwidth_gbps

    assert (bandwidth("proc 14:10:4"), bandwidth("proc 16:12:4")) == (300, 400)


def test_memory_that_macos_itself_does_not_know_is_no_gap() -> None:
    virtual = {"SPMemoryDataType": "8 GB", "dimm_manufacturer": "Unknown", "dimm_type": "unknown"}
    facts = understood(collector, profile(MEMORY, virtual))
    assert (facts.node.ram_gb, facts.node.ram_type, facts.node.ram_manufacturer) == (8, None, None)
    assert not facts.gaps
