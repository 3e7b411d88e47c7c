"""Numbers as exact as they were written."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.claims.quantity import quantities, quantity, shown


@pytest.mark.parametrize(
    ("text", "value", "unit", "bound", "approximate"),
    [
        ("~800 GB/s (estimated)", "800e9", "GB/s", "", True),
        ("60+ hours", "216000", "hours", "least", False),
        ("<100 ms", "0.1", "ms", "most", False),
        ("33ms average", "0.033", "ms", "", False),
        ("650k IOPS", "650000", "IOPS", "", False),
        ("16,384 GB", "16384e9", "GB", "", False),
        ("1.3 TFLOPS", "1.3e12", "TFLOPS", "", False),
        ("512 GiB", "549755813888", "GiB", "", False),
        ("30 embeddings/second", "30", "embeddings/second", "", False),
        ("2.5 Gbps (2500Base-T)", "2.5e9", "Gbps", "", False),
    ],
)
def test_a_number_is_read_with_its_unit(text: str, value: str, unit: str, bound: str, approximate: bool) -> None:
    said = quantities(text)[0]
    assert (said.value, said.unit, said.bound, said.approximate) == (Decimal(value), unit, bound, approximate)


@pytest.mark.parametrize(
    "text", ["192.168.0.80", "2025-10-09", "v3.9.6", "macOS15", "0x106b", "Z1CE001CUAB/A", "1c:1d:d3"]
)
def test_parts_of_names_versions_dates_and_addresses_are_no_numbers(text: str) -> None:
    assert quantities(text) == []


def test_a_number_is_no_more_exact_than_it_was_written() -> None:
    rounded, exact = quantity("30 ms", "s"), quantity("30.0 ms", "s")
    assert rounded is not None
    assert exact is not None
    assert rounded.agrees(Decimal("0.0304"))
    assert not exact.agrees(Decimal("0.0304"))


@given(st.integers(0, 10**9), st.sampled_from(["GB", "MiB", "ms", "GFLOPS", "W"]))
def test_what_was_written_is_read_again(number: int, unit: str) -> None:
    (said,) = quantities(f"It is {number:,} {unit} today.")
    assert (said.low, said.unit) == (number, unit)
    assert said.agrees(said)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading(text: str) -> None:
    for said in quantities(text):
        low, high = said.span()
        assert low <= high
        assert shown(said.low)
