"""Recordings of machines that other people published, against what a person read in them."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aya.model import Collected
from tests.collect.recordings import collected

EXPECTED: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parent.parent / "expected/linux.toml").read_text()
)
CASES = [(name, collector) for name, tables in EXPECTED.items() for collector in tables]
TELLING = ("name", "node", "mount", "locator")


def facts_of(found: Collected) -> dict[str, Any]:
    """Everything a collector found, as one document."""
    facts = found.facts
    return {
        **{column: getattr(facts.node, column) for column in found.owns if not column.startswith("metadata.")},
        "metadata": facts.metadata,
        "interfaces": {row.interface_name: row for row in facts.interfaces},
        "services": {row.service_name: row for row in facts.services},
        "measurements": {one.name: one.value for one in facts.measurements},
    }


def within(found: Any, key: str) -> Any:
    """The part of a document, of a row, or of a list whose items are named."""
    if isinstance(found, dict):
        return found[key]
    if isinstance(found, list):
        return next(item for item in found if any(str(item.get(name)) == key for name in TELLING))
    return getattr(found, key)


def differences(expected: dict[str, Any], found: Any, path: str = "") -> list[str]:
    """Where what was found is something else than what was read."""
    wrong = []
    for key, value in expected.items():
        part = within(found, key)
        if isinstance(value, dict):
            wrong += differences(value, part, f"{path}{key}.")
        elif not (part is None if value == "unknown" else same(value, part)):
            wrong.append(f"{path}{key}: {part!r} instead of {value!r}")
    return wrong


def same(expected: Any, found: Any) -> bool:
    if isinstance(found, Decimal):
        return Decimal(expected) == found
    return bool(expected == (str(found) if isinstance(expected, str) else found))


@pytest.mark.parametrize(("name", "collector"), CASES, ids=[f"{name}.{collector}" for name, collector in CASES])
def test_a_recording_is_understood_as_a_person_reads_it(name: str, collector: str, tmp_path: Path) -> None:
    found = collected(name, collector, tmp_path)
    assert differences(EXPECTED[name][collector], facts_of(found)) == []
