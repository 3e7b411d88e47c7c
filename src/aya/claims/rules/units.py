"""One unit is one unit: usable memory is no more than what is installed, unless one of both figures counts by 1024."""

import re
from collections.abc import Iterator
from decimal import Decimal

from aya.claims.outline import Item
from aya.claims.quantity import BITS_PER_S, BYTES, quantities, quantity, shown
from aya.claims.rule import Case, Opinion, Rule

_GIB = Decimal(1024) ** 3


def _judge(case: Case) -> Iterator[Opinion]:
    for node in case.page.nodes:
        for item in case.page.items(node):
            yield from _usable(case, node, item)
    for item in case.page.outline.items:
        yield from _same_size(item)
        yield from _medium(item)


def _usable(case: Case, node: str, item: Item) -> Iterator[Opinion]:
    """`Usable Memory: 547.58 GB` of 512 GB."""
    said = quantity(item.value, BYTES)
    installed = case.first(node, "ram_gb")
    if said is None or installed is None or installed.said is None:
        return
    if not re.fullmatch(r"(?i)usable(?: memory| ram)?|available memory|total usable(?: memory)?", item.key):
        return
    whole = installed.said
    line = installed.item.line
    if said.span()[0] > whole.span()[1] and said.unit == whole.unit:
        binary = shown(whole.binary.value / whole.factor, 5)
        evidence = f"That is more than the {whole.text} installed on line {line}, in the same unit."
        if said.value <= whole.binary.value:
            evidence += (
                f" Memory is sold by 1024: {shown(whole.low)} GiB are {binary} {whole.unit} of 10^9 bytes, of which {said.text} "
                f"({shown(said.value / _GIB, 5)} GiB) can be usable. Two units go by one name here."
            )
        yield Opinion(item, False, evidence)
    elif said.binary.span()[0] <= whole.binary.span()[1]:
        yield Opinion(item, True, f"No more than the {whole.text} installed on line {line}.")


def _same_size(item: Item) -> Iterator[Opinion]:
    """`994.66 GB (~1 TB)`: one size, said twice."""
    found = re.fullmatch(
        r"(?P<one>[~\d.,]+\s*[KMGTP]i?B)\s*\((?P<other>~?\s*[\d.,]+\s*[KMGTP]i?B)\)", item.value.strip()
    )
    if found is None:
        return
    one, other = (quantities(found[name]) for name in ("one", "other"))
    if one and other and one[0].unit != other[0].unit:
        holds = any(a.agrees(b) for a in (one[0], one[0].binary) for b in (other[0], other[0].binary))
        yield Opinion(item, holds, f"{one[0].text} are {shown(one[0].value / other[0].factor)} {other[0].unit}.")


def _medium(item: Item) -> Iterator[Opinion]:
    """`2.5 Gbps (2500Base-T)`: media of Ethernet are named by their speed."""
    said = quantity(item.value, BITS_PER_S)
    named = re.search(r"(?i)\b(?P<number>\d+(?:\.\d+)?)(?P<giga>G?)base-?\w+", item.value)
    speeds = [one for one in quantities(item.value) if one.dimension == BITS_PER_S]
    if said and named and len(speeds) == 1 and not re.search(r"(?i)capable|support|max|up to", item.value):
        speed = Decimal(named["number"]) * (10**9 if named["giga"] else 10**6)
        yield Opinion(item, said.agrees(speed), f"{named[0]} is {shown(speed / said.factor)} {said.unit}.")


rule = Rule(_judge)
