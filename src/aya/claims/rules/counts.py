"""How many there are is how many are named, and what the document itself has: tables, views, indexes, settings, nodes, bytes."""

import re
from collections.abc import Iterator
from decimal import Decimal

from aya.claims.outline import Item
from aya.claims.quantity import BYTES, COUNT, Quantity, quantity
from aya.claims.rule import Case, Opinion, Rule
from aya.claims.scope import mentioned

_CREATED = (
    ("tables", r"\bCREATE\s+(?:UNLOGGED\s+)?TABLE\b"),
    ("views", r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:MATERIALIZED\s+)?VIEW\b"),
    ("indexes", r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\b"),
)
_COUNTED = re.compile(
    r"(?i)(?P<count>\d[\d,]*\+?)\s+(?:(?:core|convenience|database|sql|all)\s+)*(?P<what>tables|views|indexes|indices)\b"
)
_SETTINGS = re.compile(r"(?i)(?P<count>\d[\d,]*\+?)\s+(?:postgresql\s+)?(?:settings|parameters)\b")


def _judge(case: Case) -> Iterator[Opinion]:
    created = {
        what: sum(
            len(re.findall(pattern, block.text, re.I))
            for block in case.page.outline.blocks
            if block.language in ("sql", "postgresql", "")
        )
        for what, pattern in _CREATED
    }
    documented = len(
        {
            one.subject
            for one in case.stated
            if one.place and one.place.section == "settings" and one.place.column == "setting_value"
        }
    )
    for item in case.page.outline.items:
        yield from _of_the_document(case, item)
        yield from _settings(item, documented)
        if case.page.node_of.get(item.number) is None:
            yield from _sql(item, created)
            yield from _nodes(case, item)
        yield from _named(item)


def _sql(item: Item, created: dict[str, int]) -> Iterator[Opinion]:
    """`11 Core Tables` beside the statements that create them."""
    said = _COUNTED.search(f"{item.value if not item.key else ''} {_head(item)}")
    if said is None or not re.search(r"(?i)schema|create", f"{item.near} {item.text}"):
        return
    what = said["what"].lower().replace("indices", "indexes")
    count = quantity(said["count"], COUNT)
    if count is not None and created[what]:
        yield Opinion(item, count.agrees(Decimal(created[what])), f"The document's SQL creates {created[what]} {what}.")


def _head(item: Item) -> str:
    """A counted key as it was written: `11 Core Tables`."""
    counted = re.match(r"[\d,]+\+?", item.value)
    return f"{counted[0]} {item.key}" if counted and item.key else ""


def _settings(item: Item, documented: int) -> Iterator[Opinion]:
    said = _SETTINGS.search(f"{item.text} {_head(item)}")
    count = quantity(said["count"], COUNT) if said else None
    if count is None or not documented or not re.search(r"(?i)document(?:ed)?|listed|recorded below", item.text):
        return
    yield Opinion(item, count.agrees(Decimal(documented)), f"The document states the values of {documented} settings.")


def _nodes(case: Case, item: Item) -> Iterator[Opinion]:
    """`2 Active Nodes: ALPHA (primary), BETA (replica)`."""
    count = quantity(item.value, COUNT)
    named = mentioned(item.value, case.page.nodes)
    rest = item.value.partition(count.text)[2] if count else ""
    is_list = len(named) == len(
        [part for part in re.split(r",|;|\band\b", re.sub(r"\([^()]*\)", "", rest)) if part.strip()]
    )
    if count and named and is_list and re.search(r"(?i)\b(?:nodes?|hosts?|servers?)$", item.key) and not count.is_range:
        yield Opinion(
            item,
            count.agrees(Decimal(len(named))),
            f"{', '.join(named)}: {len(named)} named, and described in the document.",
        )


def _named(item: Item) -> Iterator[Opinion]:
    """`Indexes: 3 (primary key, category, created_at)`."""
    found = re.fullmatch(r"(?P<count>\d+)\s*\((?P<list>[^()]*)\)", item.value.strip())
    if (
        found is None
        or not item.key
        or re.search(r"\d|\b(?:with|per|each|shared|by|from|configured|default|across|over|of|in)\b|:", found["list"])
    ):
        return
    names = [name.strip() for name in re.split(r",|\band\b", found["list"]) if name.strip()]
    is_list = len(names) > 1 or (
        bool(re.search(r"(?i)active|replicas?|slots?|indexes|nodes", item.key)) and " " not in names[0]
    )
    if (
        is_list
        and names
        and names != ["active"]
        and not re.search(r"(?i)unlimited|disabled|default|none", found["list"])
    ):
        holds = int(found["count"]) == len(names)
        # What stands in brackets need not be a list of what is counted: `16 (SMT, shared)`.
        if holds or re.search(r"(?i)\b(?:indexes|indices|tables|columns|extensions|databases|services)$", item.key):
            yield Opinion(item, holds, f"{len(names)} named: {', '.join(names)}.")


def _of_the_document(case: Case, item: Item) -> Iterator[Opinion]:
    """`File Size: ~50 KB` of the document itself."""
    is_own = re.fullmatch(r"(?i)(?:file|document) size", item.key) and (
        not item.label or "document" in item.label.lower() or case.page.node_of.get(item.number) is None
    )
    said = quantity(item.value, BYTES) if is_own else None
    if said is not None:
        size = case.page.size_bytes
        yield Opinion(
            item, _fits(said, size), f"The file is {size:,} bytes: {size / 1000:.1f} KB, {size / 1024:.1f} KiB."
        )


def _fits(said: Quantity, size: int) -> bool:
    return said.agrees(Decimal(size)) or said.binary.agrees(Decimal(size))


rule = Rule(_judge)
