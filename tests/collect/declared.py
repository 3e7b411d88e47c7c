"""Which keys a collector produced without saying what they mean."""

from collections.abc import Iterator

from aya.collect.collector import Collector
from aya.model import Facts, Interface, Json, Service, Software


def undeclared(collector: Collector, facts: Facts) -> set[str]:
    """The keys of the node's and the rows' metadata, and the measurements, that the collector does not declare."""
    produced = set(_keys("", facts.metadata)) | set(_keys("observed", facts.observed))
    rows: tuple[Interface | Software | Service, ...] = (*facts.interfaces, *facts.software, *facts.services)
    for row in rows:
        produced |= {f"{row.SECTION}:{key}" for key in _keys("", row.metadata)}
    measured = {f"{measurement.category}.{measurement.name}" for measurement in facts.measurements}
    return (produced - set(collector.metadata)) | (measured - set(collector.measures))


def floats(value: Json, where: str = "") -> Iterator[str]:
    """Where in the metadata a float stands; there may be none."""
    if isinstance(value, float):
        yield where
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from floats(item, f"{where}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from floats(item, f"{where}[]")


def _keys(path: str, value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _keys(f"{path}.{key}" if path else key, item)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from _keys(f"{path}[]", item)
    elif value not in (None, []):
        yield path
