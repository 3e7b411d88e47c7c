"""The recorded Macs, through a recorded host: what is in the table stands in the recording."""

import tomllib
from dataclasses import replace
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from aya.collect.catalogue import collectors
from aya.collect.runner import run_collector
from aya.model import Collected, Outcome
from aya.redaction import Redactor
from tests.collect.declared import floats, undeclared
from tests.collect.recordings import collected, recorded_host, recording

TABLE = Path(__file__).parents[1] / "expected" / "macs.toml"
EXPECTED: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(TABLE.read_text("utf-8"), parse_float=Decimal)
CASES = [(name, collector) for name, those in EXPECTED.items() for collector in those]


def at(found: Collected, path: str) -> Any:
    """A column by its name, else what stands under a path: `cpu.classes.0.cores`, `observed.os.uptime_seconds`."""
    first, _, rest = path.partition(".")
    if not rest and first != "displays":
        value = getattr(found.facts.node, first)
        return str(value) if first == "hardware_uuid" and value else value
    whole = found.facts.observed if first == "observed" else found.facts.metadata
    steps = (rest if first == "observed" else path).split(".")
    return reduce(step, steps, whole)


def step(value: Any, key: str) -> Any:
    if isinstance(value, list):
        return value[int(key)] if int(key) < len(value) else None
    return (value or {}).get(key)


@pytest.mark.parametrize(("name", "collector"), CASES)
def test_a_recorded_mac_says_what_is_written_in_its_recording(name: str, collector: str, tmp_path: Path) -> None:
    expected = dict(EXPECTED[name][collector])
    found = collected(name, collector, tmp_path)
    assert found.outcome == Outcome(expected.pop("outcome", "ok")), found.reason
    told = {path: at(found, path) for path in expected.pop("unknown", [])}
    assert told == dict.fromkeys(told)
    assert {path: at(found, path) for path in expected} == expected
    assert not undeclared(collectors("Darwin")[collector], found.facts)
    assert not list(floats(found.facts.metadata))


@pytest.mark.parametrize(
    ("name", "collector", "columns"),
    [
        ("macbookair10-1-m1-macos11", "cpu", ("cpu_model", "cpu_architecture", "cpu_cores_total")),
        ("macmini-intel-macos10.6", "cpu", ("cpu_architecture", "cpu_cores_total", "cpu_l2_cache_mb")),
        ("macbookpro-m4pro-16gpu", "gpu", ("gpu_model", "gpu_cores")),
    ],
)
def test_two_sources_of_one_machine_agree(
    name: str, collector: str, columns: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    both = recording(name)
    told = []
    for wanted in (True, False):
        part = {asked: path for asked, path in both.questions.items() if asked.startswith("system_profiler") is wanted}
        host = recorded_host(replace(both, questions=part), tmp_path_factory.mktemp("half"))
        facts = run_collector(collector, collectors("Darwin")[collector], host, Redactor(b"k" * 32)).facts
        told.append({column: getattr(facts.node, column) for column in columns})
    assert told[0] == told[1]
    assert None not in told[0].values()
