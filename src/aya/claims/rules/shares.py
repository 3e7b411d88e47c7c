"""A percentage is that part of the whole that is stated beside it."""

import re
from collections.abc import Iterator
from decimal import Decimal

from aya.claims.outline import Item
from aya.claims.quantity import BYTES, PERCENT, Quantity, quantities, quantity, shown
from aya.claims.rule import Case, Opinion, Rule

_PART = re.compile(
    r"(?P<part>\d[\d.,]*\s?[KMGT]i?B)(?:\s+(?:free|used|available|frei|belegt|libres?|utilisés?))?\s*\((?P<percent>~?\d+(?:\.\d+)?\s?%)\s*"
    r"(?:free|used|available|frei|belegt|libres?|utilisés?)?\)"
)


def _judge(case: Case) -> Iterator[Opinion]:
    for node in case.page.nodes:
        for where in ("internal", "external"):
            yield from _free(case, node, where)
    for item in case.page.outline.items:
        yield from _beside(item)


def _beside(item: Item) -> Iterator[Opinion]:
    """`8 TB, used 6 TB (75%), free 2 TB (25%)`: parts of the amount that is told first."""
    amounts = [one for one in quantities(item.value) if one.dimension == BYTES]
    if (
        len(amounts) < 2
        or not re.match(r"[^\d]{0,20}\d", item.value)
        or re.search(r"(?i)\bof\b|\bvon\b|\bsur\b", item.value)
    ):
        return
    whole = amounts[0]
    for found in _PART.finditer(item.value):
        part, percent = quantity(found["part"], BYTES), quantity(found["percent"], PERCENT)
        if (
            part is None
            or percent is None
            or part.value >= whole.value
            or whole.is_range
            or part.is_range
            or not whole.value
        ):
            continue
        low, high = _share(part, whole)
        at_least, at_most = percent.span()
        slack = percent.step / 2
        told = f"{part.text} of {whole.text} is {shown(100 * part.value / whole.value)} %"
        yield Opinion(item, at_least - slack <= high and low <= at_most + slack, f"{told}.")


def _free(case: Case, node: str, where: str) -> Iterator[Opinion]:
    free, part = case.first(node, f"{where} storage free"), case.first(node, f"{where} storage free part")
    wholes = [
        one for what in ("capacity", "usable") if (one := case.first(node, f"{where} storage {what}")) and one.said
    ]
    if free is None or free.said is None or not wholes:
        return
    for whole in wholes:
        if whole.said and free.said.span()[0] > whole.said.span()[1]:
            yield Opinion(free.item, False, f"More is free than there is: {whole.said.text} on line {whole.item.line}.")
            return
    if part is None or part.said is None or part.item is not free.item or "used" in free.item.value.lower():
        return
    shares = [(one, _share(free.said, one.said)) for one in wholes if one.said]
    told = "; ".join(
        f"{free.said.text} of {one.said.text} (line {one.item.line}) is {shown(100 * free.said.value / one.said.value)} %"
        for one, _ in shares
        if one.said
    )
    at_least, at_most = part.said.span()
    # Rounded or cut off: 75.6 is written as 76 or as 75.
    slack = part.said.step / 2
    holds = any(at_least - slack <= high and low <= at_most + slack for _, (low, high) in shares)
    yield Opinion(free.item, holds, f"{told}.")


def _share(part: Quantity, whole: Quantity) -> tuple[Decimal, Decimal]:
    """Between which percentages the part lies."""
    low, high = part.span()
    # A round capacity is meant as it stands: 1 TB is no half.
    slack = min(whole.step * whole.factor / 2, whole.value * Decimal("0.02"))
    least, most = whole.value - slack, whole.value + slack
    return 100 * low / most, 100 * high / least


rule = Rule(_judge)
