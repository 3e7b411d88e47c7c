"""A value is written as the server would show it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aya.collect.postgresql.collectors._value import normalised
from tests.collect.postgresql.cluster import Cluster

MEMORY = {"vartype": "integer", "unit": "8kB", "least": "16", "most": "1073741823"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("128GB", "16777216"),
        ("16384", "16384"),
        (" 128 MB ", "16384"),
        ("0x4000", "16384"),
        ("040000", "16384"),
        ("0.5GB", "65536"),
        ("100100kB", "12512"),
        ("1e3", "1000"),
    ],
)
def test_a_size_is_counted_in_the_unit_of_the_setting(text: str, shown: str) -> None:
    assert normalised(text, **MEMORY) == shown


@pytest.mark.parametrize("text", ["", "much", "128gb", "1 2", "15", "-1", "99999999TB", "5min", "GB", "0x", "."])
def test_a_size_that_the_server_would_refuse_has_no_value(text: str) -> None:
    assert normalised(text, **MEMORY) is None


@pytest.mark.parametrize(
    ("text", "shown"), [("YES", "on"), ("t", "on"), ("of", "off"), ("0", "off"), ("o", None), ("", None)]
)
def test_a_switch_is_on_or_off_however_it_was_written(text: str, shown: str | None) -> None:
    assert normalised(text, vartype="bool") == shown


def test_a_choice_is_written_as_the_server_lists_it() -> None:
    assert normalised("LOGICAL", vartype="enum", choices=["minimal", "replica", "logical"]) == "logical"
    assert normalised("true", vartype="enum", choices=["off", "on", "try"]) == "on"
    assert normalised("archive", vartype="enum", choices=["minimal", "replica", "logical"]) is None


NAMES = (
    "work_mem", "temp_buffers", "deadlock_timeout", "vacuum_cost_delay", "cpu_tuple_cost", "enable_seqscan",
    "max_parallel_workers", "bytea_output", "synchronous_commit", "backend_flush_after", "log_parameter_max_length",
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-2, 3_000_000).map(str),
    st.decimals(0, 100_000, places=3).map(str),
    st.integers(0, 100_000).map(hex),
    st.integers(0, 100_000).map(lambda n: f"0{n:o}"),
    st.sampled_from(["1e3", "1.5e2", ".5", "5.", "+7", "- 7", "1e", "0x", "1 000", "08", "0.1.2"]),
)
UNITS = st.sampled_from(
    ["", "B", "kB", "MB", "GB", "TB", "us", "ms", "s", "min", "h", "d", "KB", " kB", "kb", " ", "x"]
)
WORDS = st.sampled_from(
    ["on", "OFF", "tr", "o", "fal", "yes", "n", "1", "0", "hex", "Escape", "local", "remote_apply", ""]
)
TEXTS = st.one_of(st.builds("".join, st.tuples(NUMBERS, UNITS)), WORDS)


@pytest.fixture(scope="module")
def session(cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    with cluster.connect() as connection:
        yield connection


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(NAMES), text=TEXTS)
def test_the_server_agrees_on_every_value(session: psycopg.Connection[Any], name: str, text: str) -> None:
    columns = "vartype, unit, enumvals, min_val, max_val"
    about = session.execute(f"SELECT {columns} FROM pg_settings WHERE name = %s", [name]).fetchone()
    assert about is not None
    vartype, unit, choices, least, most = about
    try:
        session.execute("SELECT set_config(%s, %s, false)", [name, text])
        shown = session.execute("SELECT setting FROM pg_settings WHERE name = %s", [name]).fetchone()
        expected = shown[0] if shown else None
    except psycopg.Error:
        expected = None
    assert normalised(text, vartype=vartype, unit=unit, choices=choices, least=least, most=most) == expected
