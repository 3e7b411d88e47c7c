"""A comparison with another node or figure holds of what is stated of both: `half of ALPHA`, `1:1 with cores`."""

import re
from collections.abc import Iterator
from decimal import Decimal

from aya.claims.outline import Item
from aya.claims.quantity import COUNT, FLOPS, alike, quantities, quantity, shown
from aya.claims.rule import Case, Opinion, Rule
from aya.claims.scope import mentioned

_FACTORS = (("half", Decimal("0.5")), ("twice", Decimal(2)), ("double", Decimal(2)), ("a quarter", Decimal("0.25")))
_SAME = re.compile(r"(?i)\b(?:same as|identical to|as on|equal to|expected to match)\b")
_RESOLUTIONS = {
    "8K UHD": (7680, 4320),
    "8K": (7680, 4320),
    "5K": (5120, 2880),
    "4K UHD": (3840, 2160),
    "4K": (3840, 2160),
    "UHD": (3840, 2160),
    "QHD": (2560, 1440),
    "1440p": (2560, 1440),
    "Full HD": (1920, 1080),
    "FHD": (1920, 1080),
    "1080p": (1920, 1080),
}


def _judge(case: Case) -> Iterator[Opinion]:
    for item in case.page.outline.items:
        node = case.page.node_of.get(item.number)
        if node is not None:
            yield from _with_node(case, item, node)
            yield from _with_cores(case, item, node)
        yield from _with_workers(case, item)
        yield from _resolution(item)


def _with_node(case: Case, item: Item, node: str) -> Iterator[Opinion]:
    others = [name for name in mentioned(item.text, case.page.nodes) if name != node]
    if len(others) != 1:
        return
    own = [one for one in case.stated if one.item is item and one.node == node]
    for one in own:
        other = case.first(others[0], one.subject)
        if other is None:
            continue
        where = f"{other.value if other.said is None else other.said.text} of {others[0]} on line {other.item.line}"
        factor = next((number for word, number in _FACTORS if re.search(rf"(?i)\b{word}\b", item.value)), None)
        if factor is not None and one.said is not None and other.said is not None:
            yield Opinion(
                item,
                one.said.agrees(other.said.value * factor),
                f"{where}: {shown(one.said.value / other.said.value)} of it.",
            )
        elif _SAME.search(item.value):
            yield Opinion(item, alike(str(one.value), str(other.value)), f"{where}.")
    if _SAME.search(item.value) and not own:
        yield from _same(case, item, others[0])


def _same(case: Case, item: Item, other: str) -> Iterator[Opinion]:
    """The same key under the same label, or the same measure."""
    said = quantity(item.value, FLOPS)
    for one in case.page.items(other):
        if said is not None:
            theirs = quantity(one.value, FLOPS)
            if theirs and not re.search(r"(?i)theoretical|peak", one.text):
                yield Opinion(
                    item,
                    said.agrees(theirs),
                    f"{theirs.text} of {other} on line {one.line}; of this node nothing was measured.",
                )
                return
        elif one.key == item.key and one.label == item.label and one.value:
            mine = re.sub(r"\s*\([^()]*\)", "", item.value).strip()
            if mine and not _SAME.match(mine):
                # Words may say one thing in two ways: only the same words, or another number, tell something.
                theirs_text = re.sub(r"\s*\([^()]*\)", "", one.value).strip()
                numbers = [[two.value for two in quantities(text)] for text in (mine, theirs_text)]
                if mine == theirs_text or (all(numbers) and numbers[0] != numbers[1]):
                    yield Opinion(item, mine == theirs_text, f"{one.value} of {other} on line {one.line}.")
                return


def _with_cores(case: Case, item: Item, node: str) -> Iterator[Opinion]:
    """`Compute Units: 80 (1:1 with cores)`."""
    said = quantity(item.value, COUNT)
    cores = case.first(node, "gpu_cores")
    if said and cores and cores.said and re.search(r"1:1 with (?:gpu )?cores", item.value, re.I):
        yield Opinion(item, said.agrees(cores.said), f"{cores.value} GPU cores on line {cores.item.line}.")


def _with_workers(case: Case, item: Item) -> Iterator[Opinion]:
    """`32 workers (matches CPU cores)`."""
    said = quantity(item.value, COUNT)
    if (
        said is None
        or not re.search(r"(?i)\bworkers?\b", item.value)
        or not re.search(r"(?i)match\w* (?:the )?(?:cpu )?cores", item.value)
    ):
        return
    found = [one for node in case.page.nodes if (one := case.first(node, "cpu_cores_total"))]
    if found:
        told = ", ".join(f"{one.value} of {one.node} (line {one.item.line})" for one in found)
        yield Opinion(item, any(int(one.value) == said.low for one in found), f"CPU cores: {told}.")


def _resolution(item: Item) -> Iterator[Opinion]:
    """`3840 x 2160 (4K UHD)`."""
    size = re.match(r"(\d{3,5})\s*[x×]\s*(\d{3,5})\s*\((?P<name>[^()]*)\)", item.value)
    named = next(
        (name for name in _RESOLUTIONS if size and re.fullmatch(rf"{re.escape(name)}", size["name"].strip())), None
    )
    if size and named:
        width, height = _RESOLUTIONS[named]
        yield Opinion(item, (int(size[1]), int(size[2])) == (width, height), f"{named} is {width} x {height}.")


rule = Rule(_judge)
