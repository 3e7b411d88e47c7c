from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aya.reference import chips, expectations, variants

ALPHA = {
    "cpu_model": "Apple M3 Ultra",
    "cpu_cores_total": 32,
    "cpu_cores_performance": 24,
    "cpu_cores_efficiency": 8,
    "cpu_l1_cache_kb": 128,
    "cpu_l2_cache_mb": Decimal(16),
    "gpu_model": "Apple M3 Ultra",
    "gpu_cores": 80,
    "gpu_compute_tflops": Decimal("28.26"),
    "ram_bandwidth_gbps": Decimal(800),
    "os_name": "macOS",
    "os_version": "26.0.1",
    "kernel_version": "25.0.0",
}


def verdicts(node: dict[str, Any]) -> dict[str, bool | None]:
    return {one.column: one.holds(node.get(one.column)) for one in expectations(node)}


def expected(node: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {one.column: one.values for one in expectations(node)}


def test_a_mac_as_it_is_sold_is_as_expected() -> None:
    found = verdicts(ALPHA)
    assert found == {
        **dict.fromkeys(set(ALPHA) - {"cpu_model", "gpu_model", "os_name", "kernel_version"}, True),
        "ram_type": None,
    }


def test_what_a_mac_cannot_have_differs() -> None:
    assert verdicts(ALPHA | {"gpu_compute_tflops": Decimal(12)})["gpu_compute_tflops"] is False
    assert verdicts(ALPHA | {"os_version": "15.0"})["os_version"] is False
    assert verdicts(ALPHA | {"gpu_cores": 70})["gpu_cores"] is False
    assert expected(ALPHA | {"gpu_cores": 70})["gpu_cores"] == (60, 80)


def test_where_the_variant_is_not_known_either_is_expected() -> None:
    assert expected({"cpu_model": "Apple M3 Max"})["ram_bandwidth_gbps"] == (300, 400)
    assert expected({"cpu_model": "Apple M3 Max", "cpu_cores_total": 14})["ram_bandwidth_gbps"] == (300,)


def test_nothing_is_expected_of_what_is_not_known() -> None:
    assert expectations({}) == ()
    assert expectations({"cpu_model": "Apple M1 (Virtual)", "gpu_model": "Apple Paravirtual device"}) == ()
    assert expectations({"cpu_model": None, "kernel_version": "25.0.0", "os_name": "Linux"}) == ()


def test_a_server_has_the_cores_of_its_sockets_unless_it_is_virtual() -> None:
    node = {"cpu_model": "AMD EPYC 7502P 32-Core Processor", "cpu_l1_cache_kb": 32, "cpu_cores_total": 64}
    metal = {"cpu": {"sockets": 2}, "identity": {"virtualization": {"hypervisor": "none"}}}
    assert verdicts(node | {"metadata": metal})["cpu_cores_total"] is True
    guest = metal | {"identity": {"virtualization": {"hypervisor": "kvm"}}}
    assert verdicts(node | {"metadata": guest, "cpu_cores_total": 4}) == {
        "cpu_l1_cache_kb": True,
        "cpu_l2_cache_mb": None,
    }


def test_the_memory_of_a_gpu_tells_what_is_expected_of_it() -> None:
    node = {"gpu_model": "NVIDIA GeForce RTX 3080", "gpu_compute_tflops": Decimal("30.64")}
    devices = {"gpu": {"devices": [{"model": "NVIDIA GeForce RTX 3080", "memory_mib": 12288}]}}
    assert expected(node | {"metadata": devices}) == {"gpu_compute_tflops": (Decimal("30.64"),)}
    assert expected(node) == {"gpu_compute_tflops": (Decimal("29.77"), Decimal("30.64"))}


def test_a_machine_with_the_published_figures_of_any_variant_is_as_expected() -> None:
    for one in (v for known in chips() for v in variants(known.name) if known.kind == "soc" and v.gpu_cores):
        node = {
            "cpu_model": one.name,
            "cpu_cores_total": one.cpu_cores,
            "gpu_cores": one.gpu_cores,
            "gpu_compute_tflops": one.gpu_fp32_tflops,
            "ram_bandwidth_gbps": one.memory_bandwidth_gbps,
            "ram_type": one.memory_type,
        }
        found = expectations(node)
        assert found
        assert all(len(each.values) == 1 for each in found), one.name
        assert not [each for each in found if each.holds(node.get(each.column)) is False]


VALUES = st.none() | st.integers(-5, 99) | st.text(max_size=9) | st.sampled_from([one.name for one in chips()])


@given(st.fixed_dictionaries(dict.fromkeys(("cpu_model", "gpu_model", "kernel_version", "os_name"), VALUES)), VALUES)
def test_whatever_is_recorded_is_survived(names: dict[str, Any], metadata: Any) -> None:
    node = {name: None if value is None else str(value) for name, value in names.items()}
    for inner in (metadata, {"gpu": metadata}, {"gpu": {"devices": [metadata]}}, {"cpu": {"sockets": metadata}}):
        assert all(one.values and one.source for one in expectations(node | {"metadata": inner}))
