"""Whether what a collector found fits where it is kept. What does not is left out, with a gap that says so.

Strange machines, and recordings that were spoiled, say that they have 10^300 processors or one interface twice. That costs the
fact, never the whole look.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from functools import cache
from ipaddress import ip_address, ip_interface
from typing import Any, cast, get_args, get_type_hints

from aya.model import FACT_TYPES, BigInt, Fact, Facts, Gap, Inet, Json, MacAddress, Outcome

INTEGER = range(-(2**31), 2**31)
BIG_INTEGER = range(-(2**63), 2**63)
DIGITS_LIMIT = 100
"""Digits of a decimal number, before and after its point together; more say nothing about a machine."""
MAC_ADDRESS = re.compile(r"(?i)[0-9a-f]{2}([:-][0-9a-f]{2}){5}")


def is_address(text: str) -> bool:
    """Whether PostgreSQL takes a text for an address of a network, with or without a prefix."""
    for read in (ip_address, ip_interface):
        try:
            read(text)
        except ValueError:
            continue
        return "%" not in text
    return False


def is_number(value: Decimal) -> bool:
    """Whether a decimal number is one that means something."""
    return value.is_finite() and abs(value.adjusted()) <= DIGITS_LIMIT and len(value.as_tuple().digits) <= DIGITS_LIMIT


FITS: Mapping[Any, Callable[[Any], bool]] = {
    int: INTEGER.__contains__,
    BigInt: BIG_INTEGER.__contains__,
    Decimal: is_number,
    Inet: is_address,
    MacAddress: lambda value: MAC_ADDRESS.fullmatch(value) is not None,
}


def fitting(facts: Facts) -> Facts:
    """The facts that fit; for each that does not, or was told twice, there is a gap."""
    gaps: list[Gap] = []
    changed: dict[str, Any] = {
        "node": _fitting_row(facts.node, "node", gaps),
        "metadata": _fitting_json(facts.metadata, "metadata", gaps),
        "observed": _fitting_json(facts.observed, "observed", gaps),
        "measurements": tuple(
            one for one in facts.measurements if is_number(one.value) or _left_out(one.name, one.value, gaps)
        ),
    }
    for fact_type in FACT_TYPES:
        changed[fact_type.SECTION] = tuple(_fitting_rows(fact_type, getattr(facts, fact_type.SECTION), gaps))
    return replace(facts, **changed, gaps=(*facts.gaps, *gaps)) if gaps else facts


def _fitting_rows(fact_type: type[Fact], rows: tuple[Fact, ...], gaps: list[Gap]) -> Iterator[Fact]:
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        name = f"{fact_type.SECTION} {' '.join(filter(None, row.key))}"
        if row.key in seen:
            gaps.append(Gap(Outcome.UNREADABLE, f"told twice: {name:.200}"))
            continue
        seen.add(row.key)
        yield cast(Fact, _fitting_row(row, name, gaps))


def _fitting_row(row: Any, name: str, gaps: list[Gap]) -> Any:
    unfit = {
        field: None
        for field, fits in _limited(row.__class__).items()
        if (value := getattr(row, field)) is not None
        and not fits(value)
        and not _left_out(f"{name}: {field}", value, gaps)
    }
    if (kept := _fitting_json(getattr(row, "metadata", None), f"{name}: metadata", gaps)) is not getattr(
        row, "metadata", None
    ):
        unfit["metadata"] = kept
    return replace(row, **unfit) if unfit else row


@cache
def _limited(row_type: type) -> Mapping[str, Callable[[Any], bool]]:
    """The fields whose values must fit, with what tells whether they do."""
    hints = get_type_hints(row_type, include_extras=True)
    return {
        field.name: fits
        for field in fields(row_type)
        for kind, fits in FITS.items()
        if hints[field.name] == kind or kind in get_args(hints[field.name])
    }


def _fitting_json(value: Json, name: str, gaps: list[Gap]) -> Json:
    """A JSON value without numbers that nobody could read again; the value itself where all fit."""
    if isinstance(value, dict):
        inner = {key: _fitting_json(item, f"{name}.{key}", gaps) for key, item in value.items()}
        return inner if any(inner[key] is not item for key, item in value.items()) else value
    if isinstance(value, list | tuple):
        items = [_fitting_json(item, name, gaps) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, int) and value not in BIG_INTEGER:
        _left_out(name, value, gaps)
        return None
    return value


def _left_out(name: str, value: object, gaps: list[Gap]) -> bool:
    """Say so; False, as of what does not fit."""
    text = (
        str(value) if not isinstance(value, int) or value in BIG_INTEGER else f"a number of {value.bit_length()} bits"
    )
    gaps.append(Gap(Outcome.UNREADABLE, f"does not fit: {name:.200} {text:.60}"))
    return False
