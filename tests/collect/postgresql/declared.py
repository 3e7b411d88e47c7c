"""Compare what a collector produced with what it says it produces."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from aya.collect.postgresql.collector import ServerCollector
from aya.model import FACT_TYPES, Facts


def undeclared(collector: ServerCollector, facts: Facts) -> set[str]:
    """Every key, measurement and section that was produced and is not declared; empty when all is well."""
    produced = {
        f"{fact_type.SECTION}:{key}"
        for fact_type in FACT_TYPES
        for row in getattr(facts, fact_type.SECTION)
        for key in keys(row.metadata)
    }
    measured = {f"{m.category}.{m.name}" for m in facts.measurements}
    sections = {fact_type.SECTION for fact_type in FACT_TYPES if getattr(facts, fact_type.SECTION)}
    return (
        (produced - set(collector.metadata))
        | (measured - set(collector.measures))
        | (sections - set(collector.sections))
    )


def keys(metadata: dict[str, Any]) -> Iterator[str]:
    for key, value in metadata.items():
        if isinstance(value, dict):
            yield from (f"{key}.{inner}" for inner in keys(value))
        else:
            yield key
        if isinstance(value, list):
            yield from (f"{key}[].{inner}" for item in value if isinstance(item, dict) for inner in item)


def floats(facts: Facts) -> list[Any]:
    """Floats in state: there must be none."""

    def inside(value: Any) -> Iterator[Any]:
        if isinstance(value, float):
            yield value
        elif isinstance(value, dict):
            yield from (found for item in value.values() for found in inside(item))
        elif isinstance(value, list | tuple):
            yield from (found for item in value for found in inside(item))

    return [
        found
        for fact_type in FACT_TYPES
        for row in getattr(facts, fact_type.SECTION)
        for field in fields(row)
        for found in inside(getattr(row, field.name))
    ]
