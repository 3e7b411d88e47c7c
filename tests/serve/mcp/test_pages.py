"""Following `next` gives every row once and in order, however the answers are cut."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.errors import UsageError
from aya.serve.mcp.answer import FRAME_BYTES, answer
from aya.serve.mcp.pages import Shape

QUERY = "of this call"


@dataclass(frozen=True)
class Found:
    name: str
    rows: list[str]
    others: tuple[int, ...]


def asked(
    result: Any, shape: Shape, cursor: str | None = None, *, bytes_of_data: int = 3_000, query: str = QUERY
) -> Any:
    done = answer(result, shape, query=query, cursor=cursor, budget_bytes=FRAME_BYTES + bytes_of_data, limit=None)
    return done.structured_content


def followed(result: Any, shape: Shape) -> list[Any]:
    pages, cursor = [], None
    while True:
        page = asked(result, shape, cursor)
        pages.append(page["data"])
        assert (page["next"] is None) or page["truncated"]
        cursor = page["next"]
        if cursor is None:
            return pages


@given(st.lists(st.text("ab", max_size=900), max_size=40))
def test_a_list_is_told_whole_page_by_page(found: list[str]) -> None:
    assert [row for page in followed(found, Shape.of(list[str])) for row in page] == found


@given(st.lists(st.text("ab", max_size=900), max_size=20), st.lists(st.integers(), max_size=400))
def test_lists_side_by_side_are_told_whole(texts: list[str], numbers: list[int]) -> None:
    pages = followed(Found("x", texts, tuple(numbers)), Shape.of(Found))
    assert [row for page in pages for row in page["rows"]] == texts
    assert [row for page in pages for row in page["others"]] == numbers


def test_rows_that_come_before_the_last_one_shown_shift_nothing() -> None:
    found = [f"{number:0500}" for number in range(30)]
    first = asked(found, Shape.of(list[str]))
    second = asked(["new", *found], Shape.of(list[str]), first["next"])
    assert second["data"][0] == found[len(first["data"])]


def test_a_cursor_goes_on_only_where_it_came_from() -> None:
    found = [f"{number:0500}" for number in range(30)]
    cursor = asked(found, Shape.of(list[str]))["next"]
    for other, query in ((cursor, "another call"), (cursor[:-3], QUERY), ("WyJ4Il0", QUERY), ("☃", QUERY), ("", QUERY)):
        with pytest.raises(UsageError, match="another call"):
            asked(found, Shape.of(list[str]), other, query=query)
    with pytest.raises(UsageError, match="no longer"):
        asked(["else"] * 30, Shape.of(list[str]), cursor)


def test_a_budget_in_which_no_row_has_room_is_refused_with_what_to_do() -> None:
    wide = [Found("n", ["x"], ())]
    with pytest.raises(UsageError, match="fits") as refused:
        asked(wide, Shape.of(list[Found]), bytes_of_data=20)
    assert "max_bytes" in refused.value.remedy
