"""What a tool answers: the result of its operation within a budget, whether that is all, and how to go on."""

from typing import Annotated, Any, Generic, TypeVar

import orjson
from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel, ConfigDict, Field

from aya.db.selection import Page
from aya.errors import AyaError, UsageError
from aya.serve.mcp.budget import Budget, json_of, size_bytes
from aya.serve.mcp.marking import NOTICE, marked
from aya.serve.mcp.pages import Shape, cursor_after, shown_before

T = TypeVar("T")

BUDGET_BYTES = 40_000
"""About 10,000 tokens."""
LEAST_BUDGET_BYTES, MOST_BUDGET_BYTES = 4_000, 400_000
FRAME_BYTES = 2_000
"""Of the budget, what is kept for all but the data: notice, cursor, what was left out, and the marks."""


class Answer(BaseModel, Generic[T]):
    """What every tool answers."""

    model_config = ConfigDict(title="Answer")

    notice: Annotated[str, Field(description="What the data is, and is not.")]
    data: Annotated[T, Field(description="The result.")]
    truncated: Annotated[bool, Field(description="Whether the data is less than all that there is.")]
    next: Annotated[
        str | None,
        Field(
            description="Give this as `cursor`, with the same arguments, for the rows that come next; null: none do."
        ),
    ]
    left_out: Annotated[list[str], Field(description="What was left out, and where.")]


def answer(
    result: Any, shape: Shape, *, query: str, cursor: str | None, budget_bytes: int, limit: int | None
) -> CallToolResult:
    """A result as a tool's answer. `query` seals its cursors; `limit`: so many rows were asked for at most.

    Raises UsageError for a cursor that does not fit, or a budget in which not even one row has room.
    """
    before = dict.fromkeys(shape.places, 0) if cursor is None else shown_before(shape, result, cursor, query)
    rest, room, budget = shape.without(result, before), budget_bytes - FRAME_BYTES, Budget()
    data = budget.fit(rest, room)
    there = shape.counts(result)
    shown = {place: before[place] + count for place, count in shape.counts(data).items()}
    is_cut = shown != there
    if size_bytes(data) > room or (is_cut and shown == before):
        raise _no_room(budget_bytes)
    told = budget.told()
    if limit is not None and limit in there.values():
        told.append(f"there may be more than the limit of {limit} rows: raise it, or ask for less")
    return _told(data, told, cursor_after(shape, result, shown, query) if is_cut else None)


def page_answer(page: Page, budget_bytes: int) -> tuple[CallToolResult, int]:
    """A page that knows its own next one as a tool's answer, and how many of its rows fit.

    Raises UsageError for a budget in which not even one row has room.
    """
    budget = Budget()
    rows = budget.fit([orjson.loads(row) for row in page.rows], budget_bytes - FRAME_BYTES)
    if page.rows and not rows:
        raise _no_room(budget_bytes)
    told = budget.told() + ([f"{len(rows)} rows are shown, and there are more"] if page.next else [])
    return _told(rows, told, page.next), len(rows)


def refusal(error: AyaError) -> CallToolResult:
    """An error as an answer that the model reads: what happened, and what to do next."""
    text = marked(str(error), f"{type(error).__name__}: this was not done.")
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def _told(data: Any, told: list[str], following: str | None) -> CallToolResult:
    document = {
        "notice": NOTICE,
        "data": data,
        "truncated": bool(told),
        "next": following,
        "left_out": told,
    }
    text = marked(json_of(document), "The answer, as JSON.")
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=document)


def _no_room(budget_bytes: int) -> UsageError:
    return UsageError(
        f"Not even one more row fits into {budget_bytes} bytes.",
        remedy=f"Give more max_bytes, up to {MOST_BUDGET_BYTES}, or ask for less.",
    )
