"""What follows from a time: so many a second, so many operations for a matrix of that size, an average between its extremes."""

import re
from collections.abc import Iterator
from decimal import Decimal

from aya.claims.outline import Item
from aya.claims.quantity import BYTES, FLOPS, PER_S, SECONDS, Quantity, quantity, shown
from aya.claims.rule import Case, Opinion, Rule

_SIZE = re.compile(r"\b(\d{2,6})\s*[x×]\s*(\d{2,6})\b")
_AT_ONCE = re.compile(r"(?i)batch|concurren|parallel|threads|workers|clients|peak")
_REPEATED = re.compile(r"(?i)\b(?:runs|iterations|times|batch|repetitions|total)\b")
_MATRIX = re.compile(r"(?i)matri(?:x|ces)|matmul|gemm")


def _judge(case: Case) -> Iterator[Opinion]:
    groups: dict[tuple[object, ...], list[Item]] = {}
    for item in case.page.outline.items:
        if item.key and not item.is_label:
            groups.setdefault((case.page.node_of.get(item.number), *item.group), []).append(item)
    for items in groups.values():
        yield from _throughput(items)
        yield from _matrix(items)
        yield from _average(items)


def _throughput(items: list[Item]) -> Iterator[Opinion]:
    """`33 ms per embedding` and `~30 embeddings/second`."""
    for rate in items:
        many = quantity(rate.value, PER_S)
        if many is None or "/" not in many.unit or any(_AT_ONCE.search(item.text) for item in items):
            continue
        noun = many.unit.split("/")[0].rstrip("s").lower()
        for one in items:
            each = quantity(one.value, SECONDS)
            if (
                each
                and each.value > 0
                and not each.is_range
                and re.search(rf"(?i)\bper {re.escape(noun)}\b", one.value)
            ):
                low, high = each.span()
                low_rate, high_rate = 1 / high, 1 / max(low, Decimal("1e-12"))
                at_least, at_most = many.span()
                holds = at_least <= high_rate and low_rate <= at_most
                yield Opinion(
                    rate,
                    holds,
                    f"{each.text} per {noun} (line {one.line}) is {shown(1 / each.value)} per second, one after the other.",
                )


def _matrix(items: list[Item]) -> Iterator[Opinion]:
    """A product of two n×n matrices takes 2n³ operations; its three matrices take 3n² numbers of 4 bytes."""
    times = [
        (item, int(size[1]), took)
        for item in items
        if _MATRIX.search(item.key) and not _REPEATED.search(item.text)
        and (size := _SIZE.search(item.key)) and size[1] == size[2]
        and (took := quantity(item.value, SECONDS)) and not took.is_range
    ]  # fmt: skip
    if len(times) != 1:
        return
    timed, n, took = times[0]
    low, high = took.span()
    for item in items:
        said = quantity(item.value, FLOPS)
        if said and not re.search(r"(?i)theoretical|peak|expected|estimated", item.text) and low > 0:
            work = 2 * Decimal(n) ** 3
            rates = work / high, work / low
            at_least, at_most = said.span()
            rate = f"{shown(work / took.value / said.factor, 5)} {said.unit}"
            evidence = f"2·{n}³ operations in {took.text} (line {timed.line}) are {rate}."
            holds = at_least <= rates[1] and rates[0] <= at_most
            yield Opinion(item, holds, evidence)
            if holds:
                yield Opinion(timed, True, f"It gives the {said.text} of line {item.line}: {evidence}")
        used = quantity(item.value, BYTES)
        if used and re.search(r"(?i)memory", item.key) and re.search(r"(?i)matri|\b\d+K\b", item.value):
            needed = 3 * Decimal(n) ** 2 * 4
            if used.agrees(needed) or used.binary.agrees(needed):
                binary = "" if used.agrees(needed) else ", counted by 1024"
                yield Opinion(item, True, f"Three {n}×{n} matrices of FP32 are {int(needed):,} bytes{binary}.")


def _average(items: list[Item]) -> Iterator[Opinion]:
    """`Cold start`, `warm requests` and the average of both."""
    found: dict[str, tuple[Item, Quantity]] = {}
    for item in items:
        for what, pattern in (
            ("cold", r"cold|first|max(?:imum)?|slowest"),
            ("warm", r"warm|min(?:imum)?|fastest"),
            ("average", r"overall average|average|mean"),
        ):
            said = quantity(item.value, SECONDS)
            if said and re.match(rf"(?i)(?:{pattern})\b", item.key):
                found.setdefault(what, (item, said))
    if len(found) == 3:
        item, average = found["average"]
        least, most = (found[what][1] for what in ("warm", "cold"))
        holds = average.span()[1] >= least.span()[0] and average.span()[0] <= most.span()[1]
        if not holds:
            lines = {what: found[what][0].line for what in found}
            told = f"{least.text} (line {lines['warm']}) and {most.text} (line {lines['cold']})"
            yield Opinion(item, False, f"An average lies between {told}.")


rule = Rule(_judge)
