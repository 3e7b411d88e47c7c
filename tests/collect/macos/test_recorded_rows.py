"""The recorded Macs, through a recorded host: networks, disks, services and software are those that stand in the recording."""

import tomllib
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from aya.collect.catalogue import collectors
from aya.model import Collected, Outcome
from tests.collect.declared import floats, undeclared
from tests.collect.macos.test_recordings import at, step
from tests.collect.recordings import collected

FOLDER = Path(__file__).parents[1] / "expected"
TABLES = ("mac_networks.toml", "mac_disks.toml", "mac_software.toml")
EXPECTED = [
    (name, collector, rows)
    for table in TABLES
    for name, those in tomllib.loads((FOLDER / table).read_text("utf-8"), parse_float=Decimal).items()
    for collector, rows in those.items()
]


def told(found: Collected, path: str) -> Any:
    """`interfaces/en0/metadata.mtu`: a column of a row, or what is in its metadata; `measured/NAME`; else a path."""
    section, _, rest = path.partition("/")
    if not rest:
        return at(found, path)
    if section == "measured":
        return next((one.value for one in found.facts.measurements if one.name == rest), None)
    name, _, column = rest.rpartition("/")
    row = one_row(found, section, name)
    assert row is not None, f"there is no {section} {name}"
    first, *steps = column.split(".")
    return reduce(step, steps, getattr(row, first))


def one_row(found: Collected, section: str, name: str) -> Any:
    return next((row for row in getattr(found.facts, section) if getattr(row, row.KEY[0]) == name), None)


@pytest.mark.parametrize(("name", "collector", "rows"), EXPECTED, ids=[f"{case[0]} {case[1]}" for case in EXPECTED])
def test_a_recorded_mac_has_the_rows_that_stand_in_its_recording(
    name: str, collector: str, rows: dict[str, Any], tmp_path: Path
) -> None:
    expected = dict(rows)
    found = collected(name, collector, tmp_path)
    assert found.outcome == Outcome(expected.pop("outcome", "ok")), found.reason
    unknown = {path: told(found, path) for path in expected.pop("unknown", [])}
    assert unknown == dict.fromkeys(unknown)
    assert [path for path in expected.pop("none", []) if one_row(found, *path.split("/", 1)) is not None] == []
    assert {path: told(found, path) for path in expected} == expected
    assert not undeclared(collectors("Darwin")[collector], found.facts)
    assert not list(floats(found.facts.metadata))
