"""Settings are shown in the units people use, and never another value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.serve.cli.quantity import BYTES, quantity


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("16384", "8kB", "128 MB"),
        ("65536", "kB", "64 MB"),
        ("1", "8kB", "8 kB"),
        ("1025", "kB", "1025 kB"),
        ("-1", "kB", "-1"),
        ("0", "8kB", "0"),
        ("5", "min", "5 min"),
        ("0.9", None, "0.9"),
        ("on", None, "on"),
        (None, "kB", ""),
    ],
)
def test_a_value_is_said_with_its_unit(value: str | None, unit: str | None, said: str) -> None:
    assert quantity(value, unit) == said


@given(st.integers(1, 2**45), st.sampled_from(["B", "kB", "8kB", "MB", "16MB", "GB"]))
def test_a_size_is_said_exactly(value: int, unit: str) -> None:
    number, name = quantity(str(value), unit).split()
    prefix = unit.rstrip("BkMGT")
    assert int(number) * BYTES[name] == value * int(prefix or 1) * BYTES[unit[len(prefix) :]]
