"""An uptime is the time from the start that is stated beside it to the moment of the document; a duration said twice is one."""

import re
from collections.abc import Iterator
from datetime import timezone
from decimal import Decimal

from aya.claims.moment import has_time
from aya.claims.moment import moment_in as moment
from aya.claims.outline import Item
from aya.claims.quantity import SECONDS, quantities, quantity, shown
from aya.claims.rule import Case, Opinion, Rule
from aya.claims.statement import Page

_STARTS = (
    "started", "started at", "start time", "running since", "up since", "booted", "booted at", "boot time", "last boot",
    "last reboot",
)  # fmt: skip


def _judge(case: Case) -> Iterator[Opinion]:
    page = case.page
    for item in page.outline.items:
        if item.key.lower() == "uptime":
            yield from _uptime(page, item)
        elif item.key.lower() in _STARTS:
            yield from _start(page, item)
        yield from _said_twice(item)


def _start(page: Page, item: Item) -> Iterator[Opinion]:
    at = moment(item.value, _zone(page))
    if at and page.dated and has_time(item.value) and at > page.dated:
        yield Opinion(item, False, f"That is after the moment of the document, {page.dated:%Y-%m-%d %H:%M}.")


def _uptime(page: Page, item: Item) -> Iterator[Opinion]:
    said = quantity(item.value, SECONDS)
    start = next(
        (one for one in page.outline.items if one.group == item.group and one.key.lower() in _STARTS),
        None,
    )
    start = start or (item if re.search(r"(?i)\bsince\b", item.value) else None)  # `10 days since 2026-05-20 00:00`
    at = moment(start.value, _zone(page)) if start else None
    if said is None or start is None or at is None or page.dated is None or not has_time(start.value):
        return
    passed = Decimal(int((page.dated - at).total_seconds()))
    if passed < 0:
        return
    hours = shown(passed / 3600)
    until = f"the moment of the document ({page.dated:%Y-%m-%d %H:%M})"
    evidence = f"From the start on line {start.line} to {until} it is {hours} hours."
    units = [one for one in quantities(item.value.partition("(")[0]) if one.dimension == SECONDS]
    if len(units) > 1 and not said.is_range:  # `14 days, 23 hours`
        total, last = sum((one.value for one in units), Decimal(0)), units[-1]
        yield Opinion(item, abs(total - passed) <= last.step * last.factor, evidence)
    else:
        yield Opinion(item, said.agrees(passed), evidence)


def _zone(page: Page) -> timezone | None:
    """A moment without a zone is meant in the document's own."""
    zone = page.dated.tzinfo if page.dated else None
    return zone if isinstance(zone, timezone) else None


def _said_twice(item: Item) -> Iterator[Opinion]:
    """`80 minutes (1 hour 20 minutes)`."""
    outside, bracket, rest = item.value.partition("(")
    whole = [one for one in quantities(outside) if one.dimension == SECONDS]
    parts = [one for one in quantities(rest.partition(")")[0]) if one.dimension == SECONDS]
    if bracket and len(whole) == 1 and len(parts) >= 2 and len({one.unit.rstrip("s") for one in parts}) == len(parts):
        total = sum((one.value for one in parts), Decimal(0))
        yield Opinion(
            item,
            whole[0].agrees(total),
            f"{rest.partition(')')[0]} are {shown(total / whole[0].factor)} {whole[0].unit}.",
        )


rule = Rule(_judge)
