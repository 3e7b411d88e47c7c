"""A percentage is that part of the whole that is stated beside it."""

from collections.abc import Iterator
from decimal import Decimal

from aya.claims.quantity import Quantity, shown
from aya.claims.rule import Case, Opinion, Rule


def _judge(case: Case) -> Iterator[Opinion]:
    for node in case.page.nodes:
        for where in ("internal", "external"):
            yield from _free(case, node, where)


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
