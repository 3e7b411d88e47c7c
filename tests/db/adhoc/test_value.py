"""What PostgreSQL writes is JSON that loses nothing."""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import orjson
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.pq import Format

from aya.db.adhoc.value import Values, document, moment, number, prepare
from aya.db.database import Login
from aya.operations.context import Context


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_a_number_is_exactly_what_was_written(value: Decimal) -> None:
    text = format(value, "f")
    given = number(text)
    assert Decimal(repr(given) if isinstance(given, float) else given) == value
    # And it is exactly that also for a reader that knows only doubles.
    back = json.loads(orjson.dumps(given), parse_int=float)
    assert Decimal(repr(back) if isinstance(back, float) else back) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-0", 0),
        ("9007199254740992", 2**53),
        ("9007199254740993", "9007199254740993"),
        ("1.5", 1.5),
        ("1.50", 1.5),
        ("0.1", 0.1),
        ("0.1000000000000000055", "0.1000000000000000055"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ("1e+300", 1e300),
        ("1e+400", "1e+400"),
        ("9" * 100_000, "9" * 100_000),
    ],
)
def test_a_number_that_no_double_holds_is_text(text: str, value: object) -> None:
    assert (number(text), type(number(text))) == (value, type(value))


@given(st.datetimes(), st.sampled_from(["", "+00", "-03:30", "+05"]))
def test_a_moment_is_iso_8601(when: Any, zone: str) -> None:
    said = moment(f"{when.isoformat(sep=' ')}{zone}")
    assert type(when).fromisoformat(said).replace(tzinfo=None) == when


@pytest.mark.parametrize("text", ["infinity", "-infinity", "0044-03-15 00:00:00+00 BC"])
def test_a_moment_that_iso_8601_has_not_is_as_postgresql_writes_it(text: str) -> None:
    assert moment(text) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=30)
@given(JSON)
def test_json_is_as_it_is_but_for_numbers_that_no_double_holds(value: Any) -> None:
    def exact(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: exact(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [exact(inner) for inner in value]
        return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 else value

    assert document(json.dumps(value)) == exact(value)


@pytest.mark.parametrize("text", ["[" * 300 + "]" * 300, "[" * 100_000, '"\\ud800"', '{"a": "\\udfff"}'])
def test_json_that_would_break_its_readers_is_text(text: str) -> None:
    assert document(text) == text


@pytest.fixture(scope="module")
def connection(context: Context) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(context.database.url(Login.SQL), autocommit=True) as connection:
        prepare(connection)
        yield connection


def given_by(connection: psycopg.Connection[Any], sql: str, limit_bytes: int = 1000) -> tuple[list[Any], int]:
    result = connection.pgconn.exec_params(sql.encode(), None, result_format=Format.TEXT)
    assert not result.error_message, result.error_message
    values = Values(connection, result, limit_bytes)
    return values.row(result, 0), values.cut


def test_every_type_of_postgresql_can_be_said(connection: psycopg.Connection[Any]) -> None:
    cases: list[tuple[str, object]] = [
        ("NULL", None),
        ("true", True),
        ("'x'::text", "x"),
        ("'x'::\"char\"", "x"),
        ("1::int2", 1),
        ("9223372036854775807", "9223372036854775807"),
        ("'nan'::float4", "NaN"),
        ("1.10", 1.1),
        ("'\\x00ff'::bytea", "\\x00ff"),
        ("'{1,NULL,3}'::int[]", [1, None, 3]),
        ("'{{t,f},{f,t}}'::bool[]", [[True, False], [False, True]]),
        ("'[0:1]={1,2}'::int[]", [1, 2]),
        ("array['a,b','\"','NULL',NULL]", ["a,b", '"', "NULL", None]),
        ("array['{\"a\":1}'::jsonb]", [{"a": 1}]),
        ("'[1,2]'::vector", "[1,2]"),
        ("row(1,'a b')", '(1,"a b")'),
        ("'[1,5)'::int4range", "[1,5)"),
        ("'{[1,5)}'::int4multirange", "{[1,5)}"),
        ("'10.0.0.1/8'::inet", "10.0.0.1/8"),
        ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("'2026-11-25'::date", "2026-11-25"),
        ("'1 day 02:03'::interval", "1 day 02:03:00"),
        ("'infinity'::date", "infinity"),
        ("'4000-01-01 BC'::date", "4000-01-01 BC"),
        ("'0/16B3748'::pg_lsn", "0/16B3748"),
        ("'pg_class'::regclass", "pg_class"),
        ("'a b'::name", "a b"),
        ("'101'::bit(3)", "101"),
        ("'99999-12-31 10:00:00'::timestamp", "99999-12-31T10:00:00"),
        ("'12.5'::money", "$12.50"),
    ]
    row, _ = given_by(connection, "SELECT " + ", ".join(sql for sql, _ in cases))
    assert row == [expected for _, expected in cases]
    assert orjson.loads(orjson.dumps(row)) == row


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.floats())
def test_every_double_comes_back(connection: psycopg.Connection[Any], value: float) -> None:
    (back,), _ = given_by(connection, f"SELECT '{value!r}'::float8")
    assert (isinstance(back, float) and back == value) or (isinstance(back, str) and not math.isfinite(value))


def test_a_value_that_is_too_long_is_cut_between_characters(connection: psycopg.Connection[Any]) -> None:
    row, cut = given_by(connection, "SELECT repeat('é', 100), 'é', repeat('9', 100)::numeric", limit_bytes=11)
    assert (row, cut) == (["ééééé…", "é", "99999999999…"], 2)
