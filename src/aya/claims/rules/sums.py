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
_TOTAL = re.compile(r"(?i)(?:grand |in )?(?:total|sum|gesamt|summe|somme)\b:?")
_NO_SUM = re.compile(r"(?i)\b(?:avg|average|mean|median|max|min|peak|p\d+|rate|per|port|version|id|pid|year|ratio)\b|%")
_ADDED = re.compile(r"\(\s*(?P<parts>[\d.,]+(?:\s*[A-Za-z]+)?(?:\s*\+\s*[\d.,]+(?:\s*[A-Za-z]+)?)+)\s*\)")


def _judge(case: Case) -> Iterator[Opinion]:
    for node in case.page.nodes:
        yield from _cores(case, node)
    for item in case.page.items(None):
        yield from _over_nodes(case, item)
    for item in case.page.outline.items:
        yield from _parts(item)
        yield from _phases(case, item)
    yield from _tables(case)


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


def _tables(case: Case) -> Iterator[Opinion]:
    """The last row of a table, `Total`, holds the sums of its columns."""
    columns: dict[tuple[object, ...], list[Item]] = {}
    for item in case.page.outline.items:
        if item.parents and item.key:
            above = item.headings[-1].line if item.headings else 0
            columns.setdefault((above, item.label, item.parents[:-1], item.key), []).append(item)
    for items in columns.values():
        lines = [item.line for item in items]
        *rows, total = items
        said = next(iter(quantities(total.value)), None)
        if (
            len(rows) < 2 or lines != list(range(lines[0], lines[0] + len(lines))) or said is None or said.is_range
            or not _TOTAL.fullmatch(total.parents[-1]) or _NO_SUM.search(total.key)
            or any(_TOTAL.match(row.parents[-1]) for row in rows)
        ):  # fmt: skip
            continue
        parts = [quantities(row.value) for row in rows]
        if any(len(part) != 1 or part[0].dimension != said.dimension or part[0].is_range for part in parts):
            continue
        if said.dimension not in (BYTES, COUNT):
            continue
        whole = sum((part[0].value for part in parts), Decimal(0))
        # Of sums in a table only what is far off is wrong: each part may be rounded, and count by 1024.
        slack = sum((part[0].step * part[0].factor for part in parts), said.step * said.factor) / 2
        slack += whole * (Decimal("0.03") if said.dimension == BYTES else 0)
        exact = slack if said.dimension == BYTES else Decimal(0)
        told = " + ".join(f"{part[0].text} (line {row.line})" for part, row in zip(parts, rows, strict=True))
        unit = f" {said.unit}" if said.unit else ""
        yield Opinion(total, abs(whole - said.value) <= exact, f"{told} are {shown(whole / said.factor, 5)}{unit}.")


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
