from decimal import Decimal

import pytest

from aya.collect.macos.gpu import collector
from aya.model import Outcome
from tests.collect.macos.macs import listed, profile, told, understood

DISPLAYS = "SPDisplaysDataType"
ULTRA = {
    "_name": "Apple M3 Ultra",
    "spdisplays_mtlgpufamilysupport": "spdisplays_metal4",
    "spdisplays_vendor": "sppci_vendor_Apple",
    "sppci_bus": "spdisplays_builtin",
    "sppci_cores": "80",
    "sppci_device_type": "spdisplays_gpu",
    "sppci_model": "Apple M3 Ultra",
}


def test_an_ultra_says_all_that_the_source_document_records_of_alpha() -> None:
    facts = understood(collector, profile(DISPLAYS, ULTRA))
    assert (facts.node.gpu_model, facts.node.gpu_cores, facts.node.gpu_metal_version) == (
        "Apple M3 Ultra",
        80,
        "Metal 4",
    )
    device = facts.metadata["gpu"]["devices"][0]
    assert (device["vendor"], device["bus"], device["unified_memory"]) == ("Apple", "built-in", True)
    assert understood(collector, listed(DISPLAYS, ULTRA)) == facts


def test_what_the_reference_expects_depends_on_the_cores_that_are_enabled() -> None:
    whole = understood(collector, profile(DISPLAYS, ULTRA | {"sppci_model": "Apple M1", "sppci_cores": "8"}))
    part = understood(collector, profile(DISPLAYS, ULTRA | {"sppci_model": "Apple M1", "sppci_cores": "7"}))
    assert whole.node.gpu_compute_tflops is not None
    assert part.node.gpu_compute_tflops is not None
    assert part.node.gpu_compute_tflops < whole.node.gpu_compute_tflops
    assert whole.metadata["gpu"]["reference"]["gpu_compute_tflops"]


@pytest.mark.parametrize("model", ["Apple M99", "Apple M1 (Virtual)", "Apple Paravirtual device"])
def test_nothing_is_expected_of_an_unknown_chip(model: str) -> None:
    facts = understood(collector, profile(DISPLAYS, ULTRA | {"sppci_model": model}))
    assert facts.node.gpu_model == model
    assert facts.node.gpu_compute_tflops is None


@pytest.mark.parametrize(
    ("key", "said", "expected"),
    [
        ("spdisplays_mtlgpufamilysupport", "spdisplays_metal3", "Metal 3"),
        ("spdisplays_metalfamily", "spdisplays_mtlgpufamilyapple7", "Metal GPUFamily Apple 7"),
        ("spdisplays_metalfamily", "spdisplays_mtlgpufamilymac2", "Metal GPUFamily macOS 2"),
        ("spdisplays_metal", "spdisplays_metalfeaturesetfamily12", "Metal GPUFamily macOS 1 v2"),
        ("Metal Family", "Supported, Metal GPUFamily macOS 2", "Metal GPUFamily macOS 2"),
        ("Metal", "Supported, feature set macOS GPUFamily2 v1", "Metal GPUFamily macOS 2 v1"),
        ("spdisplays_metal", "spdisplays_notsupported", None),
        ("spdisplays_mtlgpufamilysupport", "spdisplays_quantum", None),
    ],
)
def test_metal_in_all_its_words(key: str, said: str, expected: str | None) -> None:
    card = {name: value for name, value in ULTRA.items() if "mtlgpu" not in name} | {key: said}
    assert understood(collector, profile(DISPLAYS, card)).node.gpu_metal_version == expected


def test_of_two_the_one_that_is_not_part_of_the_processor_counts() -> None:
    integrated = {
        "_name": "kHW_IntelUHDGraphics630Item",
        "spdisplays_device-id": "0x3e9b",
        "spdisplays_vendor": "Intel",
        "_spdisplays_vram": "1536 MB",
        "spdisplays_vram_shared": "1536 MB",
        "sppci_bus": "spdisplays_builtin",
        "sppci_model": "Intel UHD Graphics 630",
    }
    own = {
        "_name": "AMD Radeon Pro 5300M",
        "spdisplays_device-id": "0x7340",
        "spdisplays_vendor": "sppci_vendor_amd",
        "spdisplays_vram": "4 GB",
        "spdisplays_pcie_width": "x16",
        "sppci_bus": "spdisplays_pcie_device",
        "sppci_model": "AMD Radeon Pro 5300M",
    }
    facts = understood(collector, profile(DISPLAYS, integrated, own))
    assert facts.node.gpu_model == "AMD Radeon Pro 5300M"
    first, second = facts.metadata["gpu"]["devices"]
    assert first["memory_mib"] is None
    assert (second["memory_mib"], second["pci_id"], second["pcie_width"]) == (4096, "1002:7340", 16)


def test_the_registry_knows_what_is_on_the_chip_and_what_it_does_now() -> None:
    accelerator = (
        "+-o AGXAcceleratorG15X  <class AGXAcceleratorG15X, id 0x1, registered, matched, active, busy 0, retain 1>\n"
        '    {\n      "model" = "Apple M3 Ultra"\n      "gpu-core-count" = 60\n      "IOClass" = "AGXAcceleratorG15X"\n'
        '      "PerformanceStatistics" = {"Device Utilization %"=12,"In use system memory"=1073741824}\n'
        '      "GPUConfigurationVariable" = {"num_cores"=80,"gpu_var"="S","core_mask_list"=(1,(2,3))}\n    }\n'
    )
    facts = understood(
        collector, {"ioreg -r -c AGXAccelerator": accelerator} | profile(DISPLAYS, ULTRA | {"sppci_cores": "60"})
    )
    device = facts.metadata["gpu"]["devices"][0]
    assert (device["cores"], device["cores_on_chip"], device["driver"]) == (60, 80, "AGXAcceleratorG15X")
    numbers = {measurement.name: measurement.value for measurement in facts.measurements}
    assert numbers == {"utilization": Decimal(12), "memory_used": Decimal(1024)}


def test_a_mac_without_a_gpu_has_none_and_a_refusal_is_not_that() -> None:
    assert understood(collector, profile(DISPLAYS)).absent
    silent = understood(collector, {})
    assert not silent.absent
    assert [gap.outcome for gap in silent.gaps] == [Outcome.UNSUPPORTED]


def test_another_language_names_the_chip_at_most() -> None:
    text = "Cartes graphiques/moniteurs:\n\n    Apple M3 Ultra:\n\n      Jeu de composants : Apple M3 Ultra\n      Noyaux : 80\n"
    facts = understood(collector, told(DISPLAYS, text))
    assert facts.node.gpu_cores is None
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]


def test_an_apple_gpu_is_built_in_even_where_only_its_name_is_told() -> None:
    facts = understood(collector, profile(DISPLAYS, {"_name": "Apple M2 Ultra", "sppci_device_type": "spdisplays_gpu"}))
    device = facts.metadata["gpu"]["devices"][0]
    assert (device["model"], device["vendor"], device["bus"], device["unified_memory"]) == (
        "Apple M2 Ultra",
        "Apple",
        "built-in",
        True,
    )
    assert not facts.gaps


def test_a_word_of_the_program_is_no_name_of_a_device() -> None:
    virtual = {"_name": "spdisplays_display", "spdisplays_vendor-id": "0x1234", "spdisplays_device-id": "0x1111"}
    facts = understood(collector, profile(DISPLAYS, virtual))
    assert facts.node.gpu_model is None
    assert (facts.metadata["gpu"]["devices"][0]["vendor"], facts.metadata["gpu"]["devices"][0]["pci_id"]) == (
        "QEMU",
        "1234:1111",
    )
