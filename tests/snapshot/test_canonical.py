"""Canonical JSON is RFC 8785: one way to write a document."""

import json
import struct
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aya.db.connection import Connection, rows
from aya.errors import SnapshotError
from aya.snapshot.canonical import EXACT, canonical, plain
from soak import canonical as soak

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


# RFC 8785, Appendix B: the bits of a double, and how ECMAScript writes it.
DOUBLES = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


def in_database(connection: Connection, text: str) -> str:
    return str(rows(connection, "SELECT aya.canonical(%(text)s::jsonb) AS said", {"text": text})[0]["said"])


@pytest.mark.parametrize(("bits", "said"), DOUBLES.items())
def test_doubles_are_written_as_the_rfc_says_here_and_in_the_database(admin: Connection, bits: str, said: str) -> None:
    value = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert canonical(value) == said.encode()
    assert in_database(admin, repr(value)) == said
    assert in_database(admin, said) == said


RFC_EXAMPLES = {
    # Section 3.2.2 and 3.2.3.
    r"""{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}""":
    r"""{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}""",
    r"""{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
        "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}""":
    '{"\\r":"Carriage Return","1":"One","\x80":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",'
    '"😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
}  # fmt: skip


@pytest.mark.parametrize(("given_text", "said"), RFC_EXAMPLES.items())
def test_the_examples_of_the_rfc_come_out_as_printed_here_and_in_the_database(
    admin: Connection, given_text: str, said: str
) -> None:
    assert canonical(json.loads(given_text)).decode() == said
    assert in_database(admin, given_text) == said


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(soak.documents)
def test_the_database_hashes_as_we_do(admin: Connection, document: object) -> None:
    assert soak.disagreement(admin, document) is None


@pytest.mark.parametrize("number", [2**53 + 1, 2**60, -(2**63), 10**400])
def test_the_database_refuses_an_integer_that_would_become_another(admin: Connection, number: int) -> None:
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        in_database(admin, str(number))
