"""Settings of PostgreSQL: values in the units of `pg_settings`, and what awaits the next restart."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from aya.claims.instance import another, instance_of
from aya.claims.outline import Item
from aya.claims.quantity import BYTES, COUNT, SECONDS, Quantity, quantities, quantity
from aya.claims.scope import mentioned
from aya.claims.statement import Page, Place, Reader, ServerSetting, Stated

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+|jit|fsync|port|autovacuum")
_PLAIN = ("fsync", "jit", "autovacuum")
_SERVER = re.compile(r"(?i)postgres|\bpg\b|setting|parameter|wal\b|database server|configuration")
_PENDING = re.compile(
    r"(?i)(?:configured|pending|after (?:the )?restart|will be|set to|next restart)[:\s]+(?P<value>[^,;()]+)"
)
_ARROW = re.compile(r"(?:→|->)\s*(?P<value>[^,;()]+)")
_RESTART = re.compile(
    r"(?i)(?:requires?|needs?|awaits?|pending)\s+(?:a\s+)?restart|restart\s+(?:is\s+)?(?:required|needed|pending)"
)
_NOW = re.compile(r"(?i)current|value|active|now|current value|setting|running")
_LATER = re.compile(r"(?i)configured|pending|pending value|after restart|new value")
_INLINE = re.compile(r"\b(?P<name>[a-z][a-z0-9]*(?:_[a-z0-9]+)+)\s*=\s*(?P<value>'[^']*'|[^\s,;]+)")
FACTORS: dict[str, tuple[str, int | str]] = {
    "B": (BYTES, 1), "kB": (BYTES, 1024), "8kB": (BYTES, 8192), "MB": (BYTES, 1024**2),
    "us": (SECONDS, "0.000001"), "ms": (SECONDS, "0.001"), "s": (SECONDS, 1), "min": (SECONDS, 60),
}  # fmt: skip


def in_unit(text: str, setting: ServerSetting | None) -> tuple[str | None, Quantity | None]:
    """A stated value as `pg_settings` would show it, and its number; None where it is no value but prose about one."""
    bare = re.split(r"\s*(?:\(|✅|⚠|\*\*|—|#|$)", text.strip(), maxsplit=1)[0].strip().strip("`")
    if setting is None or setting.kind in ("string", "enum", "bool"):
        if bare[:1] in "'\"" and bare[-1:] == bare[:1] and len(bare) >= 2:
            return bare[1:-1], None
        if setting is not None and setting.kind == "bool":
            return {"true": "on", "yes": "on", "1": "on", "false": "off", "no": "off", "0": "off"}.get(
                bare.lower(), bare.lower()
            ), None
        is_prose = " " in bare and not re.search(r"[=,'\"$%]", bare)
        if setting is None:
            return (None if is_prose else bare or None), quantity(bare, COUNT, BYTES, SECONDS)
        return (None if is_prose else bare), None
    said = next(iter(quantities(bare)), None)
    if said is None:
        return None, None
    dimension, factor = FACTORS.get(setting.unit or "", (COUNT, 1))
    if said.dimension == COUNT:  # a number alone counts in the setting's own unit
        value = said.low
    elif said.dimension == dimension:
        said = said.binary  # memory in PostgreSQL counts by 1024
        value = said.value / Decimal(factor)
    else:
        return None, said
    try:
        return (str(int(value)) if value == int(value) else f"{value.normalize():f}"), said
    except (InvalidOperation, OverflowError):
        return None, said


def _read(page: Page) -> Iterator[Stated]:
    for item in page.outline.items:
        node = page.node_of.get(item.number)
        name, column = _named(item, page)
        if name is not None:
            yield from _setting(page, item, node, name, column)
            continue
        for found in _INLINE.finditer(item.value):
            if found["name"] in page.settings:
                for one in _nodes(page, item, node):
                    yield from _value(page, item, one, found["name"], found["value"].strip("'"), is_restated=True)


def _named(item: Item, page: Page) -> tuple[str | None, str]:
    """The setting that a line is about, and whether it states its `value`, what is `pending`, or both (empty)."""
    for said, column in ((item.key, ""), *((parent, "nested") for parent in item.parents[-1:])):
        name = said.strip("`").lower()
        spoken = _spoken(re.sub(r"[\s-]+", "_", name), page)
        is_known = (
            name in page.settings
            and (item.is_code or "_" in name or name in _PLAIN)
            and bool(_SERVER.search(item.place))
        )
        is_new = item.is_code and _NAME.fullmatch(name) and _SERVER.search(item.place) and not column
        if not (is_known or is_new or (spoken != name and spoken in page.settings)):
            continue
        name = name if is_known or is_new else spoken
        if not column:
            return (name, "") if item.value else (None, "")
        if _NOW.fullmatch(item.key):
            return name, "value"
        if _LATER.fullmatch(item.key):
            return name, "pending"
    return None, ""


def _spoken(name: str, page: Page) -> str:
    """`work_memory` is how people call work_mem."""
    short = re.sub(r"memory\b", "mem", name)
    return short if short in page.settings else name


def _setting(page: Page, item: Item, node: str | None, name: str, column: str) -> Iterator[Stated]:
    nodes = _nodes(page, item, node)
    for one in nodes:
        said = _part_of(item.value, one, page) if node is None and one else item.value
        if column == "pending":
            yield from _pending(page, item, one, name, said, is_restated=node is None)
            continue
        if not _RESTART.fullmatch(said.strip()):
            yield from _value(page, item, one, name, said, is_restated=node is None)
        pending = _PENDING.search(said) or (_ARROW.search(said) if "restart" in said.lower() else None)
        if pending:
            yield from _pending(page, item, one, name, pending["value"], is_restated=node is None)
        elif _RESTART.search(said) and one is not None and node is not None:
            yield _stated(page, item, one, name, "requires_restart", True)


def _value(page: Page, item: Item, node: str | None, name: str, text: str, *, is_restated: bool) -> Iterator[Stated]:
    setting = page.settings.get(name)
    value, said = in_unit(text, setting)
    if value is None:
        if node is not None and not is_restated:
            yield _stated(page, item, node, name, "metadata.stated_value", text)
        return
    one = _stated(page, item, node, name, "setting_value", value, said)
    yield replace(one, place=None) if is_restated else one


def _pending(page: Page, item: Item, node: str | None, name: str, text: str, *, is_restated: bool) -> Iterator[Stated]:
    value, said = in_unit(text, page.settings.get(name))
    if value is not None:
        one = _stated(page, item, node, name, "pending_value", value, said)
        yield replace(one, place=None) if is_restated else one


def _nodes(page: Page, item: Item, node: str | None) -> list[str | None]:
    """The nodes that a line is about: its own, those it names, or none in particular."""
    if node is not None:
        return [node]
    return [*mentioned(item.value, page.nodes)] or [None]


def _part_of(text: str, node: str, page: Page) -> str:
    """What `128 GB (ALPHA), 64 GB (BETA)` says of one of them."""
    found = re.search(rf"(?P<said>[^,;()]+)\(\s*{re.escape(node)}\s*\)", text)
    return found["said"].strip() if found else text if len(mentioned(text, page.nodes)) == 1 else ""


def _stated(
    page: Page, item: Item, node: str | None, name: str, column: str, value: str | bool, said: Quantity | None = None
) -> Stated:
    place, of = None, ""
    if node is not None:
        place = Place("settings", (("instance", instance_of(page, node, item)), ("setting_name", name)), column)
        of = another(page, node, item)
    return Stated(item=item, node=node, subject=f"{name}{of} {column}", value=value, said=said, place=place)


reader = Reader(_read)
