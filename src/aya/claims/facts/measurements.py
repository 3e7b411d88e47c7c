"""Numbers that were measured: durations, rates, throughput and load, with what they were measured on."""

import re
from collections.abc import Iterator
from decimal import Decimal

from aya.claims.outline import Item
from aya.claims.quantity import (
    BITS_PER_S,
    BYTES,
    BYTES_PER_S,
    FLOPS,
    PER_S,
    PERCENT,
    SECONDS,
    WATTS,
    Quantity,
    quantities,
)
from aya.claims.scope import mentioned
from aya.claims.statement import Page, Reader, Stated

PLACE = re.compile(r"(?i)performance(?!\s+cores?\b)|benchmark|measured|metrics|replication|latency|throughput")
_EXPECTED = re.compile(r"(?i)expected|theoretical|typical|estimated|optimi[sz]ation|future|potential|summary of plan")
_SPECIFIED = re.compile(r"(?i)bandwidth|cache|capacity|free space|\bcores\b|uptime|frequency")
_ABOUT = (
    ("embedding", r"embedding"),
    ("replication", r"replication|replica"),
    ("gpu", r"gpu|metal|matrix|compute"),
    ("database", r"postgres|database|quer(?:y|ies)"),
    ("storage", r"storage|ssd|disk"),
    ("memory", r"memory|ram"),
    ("network", r"network|ethernet|link"),
    ("cpu", r"cpu|processor"),
)
SHOWN = {
    SECONDS: ("ms", Decimal("0.001")),
    FLOPS: ("GFLOPS", Decimal(10**9)),
    BYTES_PER_S: ("MB/s", Decimal(10**6)),
    BITS_PER_S: ("Mbit/s", Decimal(10**6)),
    BYTES: ("bytes", Decimal(1)),
    PERCENT: ("percent", Decimal(1)),
    WATTS: ("W", Decimal(1)),
}
SUBJECT = "measured "


def unit_and_value(said: Quantity) -> tuple[str, Decimal]:
    """The unit a measurement is kept in, and its value in it."""
    if said.dimension == PER_S:
        return said.unit, said.value
    unit, factor = SHOWN[said.dimension]
    return unit, said.value / factor


def bound(said: Quantity) -> str | None:
    """How a number that is not meant exactly is meant: `<100 ms` is `below`, `60+` is `above`, `~30` is `about`."""
    return {"most": "below", "least": "above"}.get(said.bound) or ("about" if said.approximate else None)


def _read(page: Page) -> Iterator[Stated]:
    for item in page.outline.items:
        node = page.node_of.get(item.number)
        if node is None and len(named := mentioned(item.value, page.nodes)) == 1:
            node = named[0]
        if node is None or not item.key or item.is_label or item.is_code or not PLACE.search(_about(item)):
            continue
        if _SPECIFIED.search(f"{item.key} {' '.join(item.parents)}"):
            continue
        if _EXPECTED.search(f"{item.label} {item.key} {item.value}") and "measured" not in item.value.lower():
            continue
        said = next((one for one in quantities(item.value) if one.dimension in SHOWN or one.dimension == PER_S), None)
        if said is not None:
            yield Stated(
                item=item, node=node, subject=f"{SUBJECT}{category(item)} {name(item)}", value=item.value, said=said
            )


def _about(item: Item) -> str:
    return f"{item.headings[-1].text if item.headings else ''} / {item.label} / {item.key}"


def category(item: Item) -> str:
    """The group of a measurement."""
    near = item.headings[-1].text if item.headings else ""
    for text in (item.label, near, item.key):
        for one, pattern in _ABOUT:
            if re.search(rf"(?i){pattern}", text):
                return one
    return "other"


def name(item: Item) -> str:
    """What was measured, as a name: `cold_start`, `matrix_multiplication`."""
    bare = re.sub(r"\s*\([^()]*\)|\d+\s*x\s*\d+", "", item.key).strip().lower()
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_") or "value"


reader = Reader(_read)
