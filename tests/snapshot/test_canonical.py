"""Canonical JSON is RFC 8785: one way to write a document."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.errors import SnapshotError
from aya.snapshot.canonical import EXACT, canonical, plain

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-EXACT, EXACT) | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


@given(documents)
def test_canonical_bytes_say_the_same_and_are_stable(document: object) -> None:
    data = canonical(document)
    assert json.loads(data) == document
    assert canonical(json.loads(data)) == data


@given(st.dictionaries(texts, st.integers(0, 9), min_size=2))
def test_the_order_of_keys_does_not_matter(document: dict[str, int]) -> None:
    assert canonical(dict(reversed(document.items()))) == canonical(document)


def test_keys_are_sorted_by_utf_16_as_the_rfc_says() -> None:
    # U+1F600 is two code units beginning with D83D, so it comes before U+FB33.
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@given(st.integers())
def test_an_integer_is_exact_even_beyond_a_double(value: int) -> None:
    said = json.loads(canonical(plain({"n": value})))["n"]
    assert int(said) == value
    assert isinstance(said, str) == (abs(value) > EXACT)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_exact_and_written_in_one_way(value: Decimal) -> None:
    if abs(value.adjusted()) > 50:
        return
    assert Decimal(plain(value)) == value.normalize() or value.normalize() != value
    assert plain(value) == plain(Decimal(plain(value)))


def test_one_and_one_point_zero_are_the_same_decimal() -> None:
    assert plain(Decimal("1.0")) == plain(Decimal("1")) == plain(Decimal("1.00")) == "1"
    assert plain(Decimal("100")) == "100"
    assert plain(Decimal("0.000")) == "0"


def test_times_are_written_in_utc() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=4)))
    assert plain(noon) == plain(noon.astimezone(UTC)) == "2026-11-22T08:00:00Z"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", 2**60, b"bytes"])
def test_what_json_cannot_say_exactly_is_refused(value: object) -> None:
    with pytest.raises(SnapshotError):
        canonical({"value": value})
