"""Caches of the processor, for each class of cores: sizes in KiB, whatever kind of KB the document writes."""

import re
from collections.abc import Iterator
from decimal import Decimal

from aya.claims.facts.node import platform_items
from aya.claims.outline import Item
from aya.claims.quantity import BYTES, Quantity, quantities
from aya.claims.statement import Page, Place, Reader, Stated

_CLASSES = (("performance", r"performance|\bp-?cores?\b|super"), ("efficiency", r"efficiency|\be-?cores?\b"))
_LEVELS = (("l1d", r"l1 data|l1d|\bD\$"), ("l1i", r"l1 instruction|l1i|\bI\$"), ("l2", r"\bl2\b"), ("l3", r"\bl3\b"))


def kibibytes(said: Quantity) -> Decimal:
    """The size of a cache. Caches are whole multiples of 4 KiB: `131 KB` can only be 128 KiB, counted by 1000 and cut."""
    binary = said.binary.value / 1024
    if said.unit[:1] not in "kK" or binary % 32 == 0:
        return binary
    nearest = round(said.value / 1024 / 4) * 4
    return Decimal(nearest) if abs(nearest * 1024 - said.value) <= 1000 else binary


def _read(page: Page) -> Iterator[Stated]:
    chips = {
        str(item.value).split("(")[0].strip().casefold().removeprefix("apple ")
        for item in page.outline.items
        if re.fullmatch(r"(?i)chip|cpu|processor|cpu model", item.key) and page.node_of.get(item.number)
    } - {""}
    for item in page.outline.items:
        node = page.node_of.get(item.number)
        if node is not None:
            yield from _of(item, node)
    for item in platform_items(page, chips):
        yield from _of(item, None)


def _of(item: Item, node: str | None) -> Iterator[Stated]:
    around = f"{item.label} / {' / '.join(item.parents)} / {item.key}"
    if not re.search(r"(?i)cache|\bL[123]\b", around) or re.search(r"(?i)line size", item.key):
        return
    cores = _only(_CLASSES, around) or "performance"
    for said, after in _sizes(item.value):
        level = _only(_LEVELS, after) or _only(_LEVELS, f"{' '.join(item.parents)} {item.key}")
        if level is None:
            continue
        size = kibibytes(said)
        place = None
        if cores == "performance" and level == "l1d":
            place = Place("node", column="cpu_l1_cache_kb")
        elif cores == "performance" and level == "l2":
            place = Place("node", column="cpu_l2_cache_mb")
        value = int(size) if level != "l2" else f"{(size / 1024).normalize():f}"
        yield Stated(item=item, node=node, subject=f"{level} of {cores} cores", value=value, said=said, place=place)


def _sizes(text: str) -> Iterator[tuple[Quantity, str]]:
    """Each size, with what stands up to the next one."""
    sizes = [one for one in quantities(text) if one.dimension == BYTES]
    for number, said in enumerate(sizes):
        start = text.find(said.text) + len(said.text)
        end = text.find(sizes[number + 1].text, start) if number + 1 < len(sizes) else len(text)
        yield said, text[start:end]


def _only(patterns: tuple[tuple[str, str], ...], text: str) -> str | None:
    found = [name for name, pattern in patterns if re.search(rf"(?i){pattern}", text)]
    return found[-1] if found else None


reader = Reader(_read)
