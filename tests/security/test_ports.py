"""Hostile SQL does nothing by REST or MCP either, and every call of it is logged with who asked and what it cost."""

from collections.abc import Iterator
from itertools import groupby

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from aya.db.adhoc.workers import ENVELOPE_BYTES
from aya.db.database import Database
from aya.operations.calls import list_calls
from aya.operations.context import Context
from tests.security.callers import LIMITS, ports
from tests.security.hostile import CALLER, Caller, Hostile, Watch, leaked
from tests.security.mutation import mutated

NAMES = ("rest", "mcp")


@pytest.fixture
def served(database: Database, watch: Watch) -> Iterator[dict[str, Caller]]:
    with ports(database) as callers:
        watch.begin()
        yield callers


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_is_answered_and_logged_with_what_it_cost(
    served: dict[str, Caller], context: Context, name: str
) -> None:
    answered = orjson.loads(served[name]("SELECT generate_series(1, 3), 'x'"))
    data = answered if name == "rest" else answered["result"]["structuredContent"]["data"]
    assert data["rows"] == [[1, "x"], [2, "x"], [3, "x"]]
    (call,) = list_calls(context, operation="query")
    assert (call.caller, call.called_from, call.outcome) == (f"token:{CALLER}", "127.0.0.1", "done")
    assert (call.rows, call.bytes) == (3, data["bytes"])
    assert call.duration_ms is not None
    assert call.duration_ms >= int(data["duration_ms"])
    assert orjson.loads(call.arguments)["sql"] == "SELECT generate_series(1, 3), 'x'"


@pytest.mark.parametrize("name", NAMES)
def test_one_that_is_refused_is_logged_without_rows(served: dict[str, Caller], context: Context, name: str) -> None:
    assert "does more than read" in served[name]("DROP TABLE system_nodes")
    (call,) = list_calls(context, operation="query")
    assert (call.caller, call.outcome) == (f"token:{CALLER}", "StatementRefused")
    assert (call.rows, call.bytes) == (None, None)


@pytest.mark.parametrize("name", NAMES)
def test_one_of_each_kind_does_nothing_and_is_logged(
    served: dict[str, Caller], context: Context, watch: Watch, catalogue: list[Hostile], name: str
) -> None:
    ordered = sorted(catalogue, key=lambda one: one.kind)
    chosen = [next(some) for _, some in groupby(ordered, key=lambda one: one.kind)]
    for one in chosen:
        answer = served[name](one.sql)
        assert leaked(answer) == [], one
        assert len(answer.encode()) <= LIMITS["sql_bytes"] + ENVELOPE_BYTES, one
    assert watch.breaches() == []
    assert watch.sessions_left() == 0
    logged = list_calls(context, operation="query")
    assert len(logged) == len(chosen)
    assert {call.caller for call in logged} == {f"token:{CALLER}"}
    assert None not in {call.outcome for call in logged}


def test_nor_do_mutations(served: dict[str, Caller], watch: Watch, catalogue: list[Hostile]) -> None:
    harmless_in_time = [one for one in catalogue if one.kind != "dos"]

    @settings(
        max_examples=15,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(data=st.data())
    def tried(data: st.DataObject) -> None:
        sql = data.draw(st.sampled_from(harmless_in_time).flatmap(lambda one: mutated(one.sql)))
        for call in served.values():
            assert leaked(call(sql)) == []
            assert watch.breaches() == []

    tried()
