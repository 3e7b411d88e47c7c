"""A total is the sum of its parts: cores by class, the nodes it is over, the parts it names, the phases of a plan."""

import re
from collections.abc import Iterator
from decimal import Decimal

from aya.claims.outline import Item
from aya.claims.quantity import BYTES, COUNT, SECONDS, Quantity, quantities, quantity, shown
from aya.claims.rule import Case, Opinion, Rule
from aya.claims.scope import mentioned
from aya.claims.statement import Stated

_FLEET = (
    (r"(?:total |all )?(?:cpu )?cores", COUNT, ("cpu_cores_total",)),
    (r"(?:total |all )?gpu cores", COUNT, ("gpu_cores",)),
    (r"(?:total |all )?(?:ram|memory)", BYTES, ("ram_gb",)),
    (r"(?:total |all )?storage(?: capacity)?", BYTES, ("internal storage capacity", "external storage capacity")),
)
_ADDED = re.compile(r"\(\s*(?P<parts>[\d.,]+(?:\s*[A-Za-z]+)?(?:\s*\+\s*[\d.,]+(?:\s*[A-Za-z]+)?)+)\s*\)")


def _judge(case: Case) -> Iterator[Opinion]:
    for node in case.page.nodes:
        yield from _cores(case, node)
    for item in case.page.items(None):
        yield from _over_nodes(case, item)
    for item in case.page.outline.items:
        yield from _parts(item)
        yield from _phases(case, item)


def _cores(case: Case, node: str) -> Iterator[Opinion]:
    total, performance, efficiency = (
        case.first(node, f"cpu_cores_{what}") for what in ("total", "performance", "efficiency")
    )
    if not (total and performance and efficiency):
        return
    added = int(performance.value) + int(efficiency.value)
    where = f"lines {performance.item.line} and {efficiency.item.line}"
    if total.item.line == performance.item.line:
        where = "the same line"
    holds = added == int(total.value)
    yield Opinion(
        total.item,
        holds,
        f"{performance.value} performance + {efficiency.value} efficiency cores on {where} are {added}.",
    )


def _over_nodes(case: Case, item: Item) -> Iterator[Opinion]:
    """A total over the nodes it names, or over all that state such a figure."""
    key = re.sub(r"\s*\([^)]*\)", "", item.key).strip().lower()
    if not re.search(r"(?i)total|all|overall", item.key):
        return
    for pattern, dimension, subjects in _FLEET:
        said = quantity(item.value, dimension) if re.fullmatch(pattern, key) else None
        if said is None:
            continue
        nodes = mentioned(item.value, case.page.nodes) or list(case.page.nodes)
        parts = [one for node in nodes for subject in subjects if (one := case.first(node, subject)) and one.said]
        whole = sum((one.said.value for one in parts if one.said), Decimal(0))
        if len({one.node for one in parts}) < 2 or len({one.node for one in parts}) < len(
            mentioned(item.value, case.page.nodes)
        ):
            return
        told = " + ".join(f"{one.said.text} ({one.node}, line {one.item.line})" for one in parts if one.said)
        yield Opinion(
            item, _is(said, whole, parts), f"{told} are {shown(whole / said.factor, 5)} {said.unit}.".replace(" .", ".")
        )
        return


def _is(said: Quantity, whole: Decimal, parts: list[Stated]) -> bool:
    """Whether the total is that sum, each part being as exact as it was written."""
    slack = sum((one.said.step * one.said.factor / 2 for one in parts if one.said and one.said.dimension), Decimal(0))
    low, high = said.span()
    return low <= whole + slack and whole - slack <= high


def _parts(item: Item) -> Iterator[Opinion]:
    """`768 GB (512 + 256)`."""
    found = _ADDED.search(item.value)
    if found is None:
        return
    whole = next(iter(quantities(item.value[: found.start()])), None)
    parts = [next(iter(quantities(part)), None) for part in found["parts"].split("+")]
    if whole is None or any(part is None for part in parts):
        return
    unit = whole.factor if whole.dimension else Decimal(1)
    added = sum(
        (part.low * (part.factor if part.dimension == whole.dimension else unit) for part in parts if part), Decimal(0)
    )
    yield Opinion(item, whole.agrees(added), f"{found['parts'].strip()} is {shown(added / unit, 6)}.")


def _phases(case: Case, item: Item) -> Iterator[Opinion]:
    """`Total Implementation Time: ~80 minutes` beside headings like `Phase 1: Schema (15 minutes)`."""
    said = quantity(item.value, SECONDS)
    if said is None or not re.match(r"(?i)(?:estimated )?total\b.*(?:time|duration)", item.key) or not item.headings:
        return
    level = item.headings[-1].level
    above = item.headings[:-1]
    parts = [
        (one, length)
        for one in case.page.outline.headings
        if one.level == level and above[-1:] and above[-1].line < one.line <= item.line
        and (length := quantity(one.text, SECONDS)) is not None
    ]  # fmt: skip
    if len(parts) >= 2:
        total = sum((length.value for _, length in parts), Decimal(0))
        told = " + ".join(f"{length.text} (line {one.line})" for one, length in parts)
        yield Opinion(item, said.agrees(total), f"{told} are {shown(total / said.factor)} {said.unit}.")


rule = Rule(_judge)
