"""Pages of lists: whatever is asked for, following the cursor gives every row once, in the order that was asked for."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aya.db.connection import Connection
from aya.db.lists import columns, row_lists
from aya.db.selection import Selection, select
from aya.errors import UsageError

ROWS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["a", "b", "Ä", "10", "9"]),
        st.none() | st.integers(0, 3),
        st.none() | st.booleans(),
    ),
    max_size=12,
)
ORDER = st.lists(st.sampled_from(["service_type", "port", "auto_start"]), unique=True, max_size=3).flatmap(
    lambda names: st.tuples(*(st.sampled_from([name, f"-{name}"]) for name in names))
)


def fill(writer: Connection, rows: list[tuple[str | None, int | None, bool | None]]) -> None:
    writer.execute("DELETE FROM system_nodes")
    writer.execute("INSERT INTO system_nodes (id, node_name, node_role) VALUES (1, 'ALPHA', 'standalone')")
    for number, (kind, port, auto) in enumerate(rows):
        writer.execute(
            "INSERT INTO services (node_id, service_name, service_type, port, auto_start, status) "
            "VALUES (1, %s, %s, %s, %s, 'running')",
            (f"service {number}", kind, port, auto),
        )


def pages(writer: Connection, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = select(writer, row_lists()["services"], Selection(cursor=cursor, **asked))
        found += map(orjson.loads, page.rows)
        assert len(page.rows) <= asked["limit"]
        if page.next is None:
            return found
        assert len(page.rows) == asked["limit"]
        cursor = page.next


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, order=ORDER, limit=st.integers(1, 4))
def test_pages_are_the_whole_cut_into_pieces(
    writer: Connection, rows: list[tuple[str | None, int | None, bool | None]], order: tuple[str, ...], limit: int
) -> None:
    fill(writer, rows)
    by = ", ".join(f"{name.removeprefix('-')} {'DESC' if name[0] == '-' else 'ASC'}" for name in order)
    expected = writer.execute(f"SELECT service_name FROM services ORDER BY {by + ', ' if by else ''}service_name, id")  # type: ignore[arg-type]
    found = pages(writer, order_by=order or None, limit=limit)
    assert [row["service_name"] for row in found] == [row["service_name"] for row in expected.fetchall()]


@pytest.mark.parametrize("name", row_lists())
def test_every_list_can_be_read_and_says_what_its_columns_mean(writer: Connection, name: str) -> None:
    wanted = row_lists()[name]
    there = columns(writer, wanted)
    assert [column.name for column in there if not column.comment] == []
    assert {part.removeprefix("-") for part in wanted.order} <= {column.name for column in there}
    assert wanted.summary.endswith(".")
    assert select(writer, wanted, Selection()).fields == tuple(column.name for column in there)


@pytest.mark.parametrize("value", ["'; DROP TABLE services; --", '"', "%s", "%(nodes)s", "\\", "a,b", "\u2028"])
def test_values_are_values_whatever_they_hold(writer: Connection, value: str) -> None:
    fill(writer, [(value, 1, True)])
    for name in ("service_type", "service_type__ic", "service_type__gte"):
        page = select(writer, row_lists()["services"], Selection(filters=((name, value),)))
        assert [orjson.loads(row)["service_type"] for row in page.rows] == [value]


@pytest.mark.parametrize("name", ['service_type" OR 1=1 --', "service_type__eq", "l.port", "", "%s"])
def test_names_are_only_those_of_the_catalog(writer: Connection, name: str) -> None:
    with pytest.raises(UsageError):
        select(writer, row_lists()["services"], Selection(filters=((name, "x"),)))
    with pytest.raises(UsageError):
        select(writer, row_lists()["services"], Selection(fields=(name,)))
    with pytest.raises(UsageError):
        select(writer, row_lists()["services"], Selection(order_by=(name,)))
