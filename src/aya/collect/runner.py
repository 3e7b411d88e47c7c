"""Run every collector on a machine and on its PostgreSQL servers, and put what they found together.

A collector that breaks is an outcome, not the end of the others.
"""

import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any, cast

from aya.collect.catalogue import collectors
from aya.collect.collector import Collector, Unreadable
from aya.collect.fitting import fitting
from aya.host.reading import Found, Host
from aya.model import FACT_TYPES, Collected, Fact, Facts, Gap, NodeState, Outcome
from aya.redaction import Redactor, map_texts

WORKERS = 4
PROGRAMS_LIMIT_S = 60.0
"""How long one collector runs programs, whatever the limit of each: a machine may have hundreds of disks that hang."""
SEVERITY = (Outcome.FAILED, Outcome.UNREADABLE, Outcome.DENIED, Outcome.UNSUPPORTED)
"""Which of several gaps names the outcome: the first of these that is among them."""
SECTIONS = tuple(fact_type.SECTION for fact_type in FACT_TYPES)

KEY_LIMIT_BYTES = 800
"""Three of these fit one entry of a PostgreSQL index (2,704 bytes)."""

Progress = Callable[[str], None]


def collect_machine(host: Host, redactor: Redactor, progress: Progress = lambda _: None) -> tuple[Collected, ...]:
    """Run all machine collectors, a few at a time; the answers come in the order of their names."""

    def one(item: tuple[str, Collector]) -> Collected:
        progress(item[0])
        return run_collector(item[0], item[1], host, redactor)

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="collect") as pool:
        return tuple(pool.map(one, collectors(host.system).items()))


def run_collector(name: str, collector: Collector, host: Host, redactor: Redactor) -> Collected:
    """Run one collector to its outcome; never raises for what a machine answers."""
    started = time.monotonic()
    deadline = started + PROGRAMS_LIMIT_S
    facts = Facts()
    gaps: tuple[Gap, ...] = ()
    try:
        found = Found.of(host, collector.reads, deadline)
        if collector.more is not None:
            found += Found.of(host, collector.more(found), deadline)
        facts = collector.parse(found)
        gaps = facts.gaps + found.gaps()
    except Unreadable as error:
        gaps = (Gap(Outcome.UNREADABLE, str(error)),)
    except Exception as error:  # noqa: BLE001 - whatever a strange machine makes a collector do, the others go on
        gaps = (Gap(Outcome.FAILED, f"{type(error).__name__}: {error}"),)
    return conclude(
        Collected(
            collector=name,
            outcome=Outcome.OK,
            owns=collector.owns,
            sections=collector.sections,
            facts=replace(facts, gaps=gaps),
        ),
        redactor,
        started,
    )


def conclude(collected: Collected, redactor: Redactor, started: float) -> Collected:
    """Settle the outcome from the gaps, and make the facts fit to be stored: no secrets, no NUL, valid
    Unicode, no number beyond its column."""
    facts = fitting(collected.facts)
    outcome, reason = collected.outcome, collected.reason
    if facts.gaps:
        kinds = {gap.outcome for gap in facts.gaps}
        outcome = next((kind for kind in SEVERITY if kind in kinds), Outcome.FAILED)
        reason = told(gap.reason for gap in facts.gaps)
    elif facts.absent:
        outcome = Outcome.ABSENT

    def clean(text: str) -> str:
        return redactor.text(storable(text))

    return replace(
        collected,
        outcome=outcome,
        reason=clean(reason)[:2000] if reason else None,
        duration_ms=round((time.monotonic() - started) * 1000),
        facts=cleaned(replace(facts, gaps=tuple(Gap(gap.outcome, clean(gap.reason)) for gap in facts.gaps)), clean),
    )


def told(reasons: Iterable[str]) -> str:
    """Reasons one after the other, each once; what is the same with several of them is said once: `refused: /a, /b`."""
    by_start: dict[str, list[str]] = {}
    for reason in dict.fromkeys(reasons):
        start, _, rest = reason.partition(": ")
        by_start.setdefault(start, []).append(rest)
    return "; ".join(
        start + (f": {', '.join(filter(None, rests))}" if any(rests) else "") for start, rests in by_start.items()
    )


def cleaned(facts: Facts, clean: Callable[[str], str]) -> Facts:
    """The facts with every text cleaned, and with keys that fit an index.

    Most texts repeat from row to row and hardly any has to change: each is cleaned once, and only where one did change, or
    is too long for a key, is everything gone through.
    """
    texts = distinct_texts(facts)
    changed = {text: better for text in texts if (better := clean(text)) != text}
    if not changed and all(len(text.encode()) <= KEY_LIMIT_BYTES for text in texts):
        return facts

    def change(text: str) -> str:
        return changed.get(text, text)

    return replace(
        facts,
        node=clean_fields(facts.node, change),
        metadata=map_texts(facts.metadata, change),
        observed=map_texts(facts.observed, change),
        measurements=tuple(clean_fields(measurement, change) for measurement in facts.measurements),
        **cast(Any, {s: tuple(bounded(clean_fields(row, change)) for row in getattr(facts, s)) for s in SECTIONS}),
    )


def distinct_texts(facts: Facts) -> set[str]:
    """Every text in the facts, once."""
    found: set[str] = set()
    add_texts([facts.metadata, facts.observed], found)
    for rows in ((facts.node,), facts.measurements, *(getattr(facts, section) for section in SECTIONS)):
        for field in fields(rows[0]) if rows else ():
            add_texts([*map(attrgetter(field.name), rows)], found)
    return found


def add_texts(value: dict[str, Any] | list[Any] | tuple[Any, ...], found: set[str]) -> None:
    """Add every text in a JSON value, keys too."""
    items: Iterable[Any] = value
    if isinstance(value, dict):
        found.update(value)
        items = value.values()
    for item in items:
        if isinstance(item, str):
            found.add(item)
        elif isinstance(item, dict | list | tuple):
            add_texts(item, found)


def storable(text: str) -> str:
    """A text that PostgreSQL and JSON can hold: NUL, and bytes that are not UTF-8, become visible as `\\xNN`."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    try:
        text.encode()
    except UnicodeEncodeError:
        # Python's form of such a byte first; any other lone surrogate came out of JSON.
        text = re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) & 0xFF:02x}", text)
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def clean_fields(row: Any, clean: Callable[[str], str]) -> Any:
    """A frozen row with its texts cleaned; the row itself where nothing had to change."""
    changed = {}
    for field in fields(row):
        value = getattr(row, field.name)
        if isinstance(value, str | dict) and (cleaned := map_texts(value, clean)) != value:
            changed[field.name] = cleaned
    return replace(row, **changed) if changed else row


def bounded(fact: Fact) -> Fact:
    """A fact whose key fits an index: an absurdly long name is cut, and its hash keeps it apart from others."""
    cut = {}
    for name in fact.KEY:
        value = getattr(fact, name)
        if isinstance(value, str) and len(data := value.encode()) > KEY_LIMIT_BYTES:
            start = data[: KEY_LIMIT_BYTES - 80].decode(errors="ignore")
            cut[name] = f"{start}… [sha256:{sha256(data).hexdigest()}]"
    return replace(cast(Any, fact), **cut) if cut else fact


def put_together(
    node_name: str, role_by_hand: str | None, collected: Iterable[Collected], started_at: datetime
) -> NodeState:
    """One node's state out of what its collectors found."""
    collected = tuple(collected)
    return NodeState(
        node_name=node_name,
        node_role=role_by_hand or found_role(collected),
        role_by_hand=role_by_hand is not None,
        collected_at=started_at,
        duration_ms=round((datetime.now(UTC) - started_at).total_seconds() * 1000),
        collected=collected,
    )


def found_role(collected: Iterable[Collected]) -> str | None:
    """The role that the node's own servers show: any that feeds others, else any that is fed, else standalone."""
    roles = {instance.server_role for c in collected for instance in c.facts.instances}
    return next((role for role in ("primary", "replica", "standalone") if role in roles), None)
