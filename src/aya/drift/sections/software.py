"""Software: what is installed, and in which versions, by name; and by architecture where a node has it for several.

Where it is installed, and when, is not compared.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from aya.collect.catalogue import every_collector
from aya.drift.thing import Look, NodeDocument, Section, Thing, Value


def things(state: NodeDocument, servers: Mapping[str, str]) -> Iterator[Thing]:  # noqa: ARG001 - the shape of all
    """One for each name, with every version that is installed."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in state.get("software", {}).values():
        found[row["software_name"]].append(row)
    for name, rows in found.items():
        by_architecture: dict[str | None, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            by_architecture[row.get("software_architecture")].append(row)
        for architecture, alike in by_architecture.items():
            several = len(by_architecture) > 1 and architecture
            aspects = {}
            if versions := sorted({row["software_version"] for row in alike if row.get("software_version")}):
                aspects["version"] = Value(", ".join(versions))
            if modes := sorted({row["runtime_mode"] for row in alike if row.get("runtime_mode")}):
                aspects["runtime_mode"] = Value(", ".join(modes))
            yield Thing((), f"{name} ({architecture})" if several else name, aspects)


@cache
def _looks() -> tuple[Look, ...]:
    found = (name for name, collector in every_collector() if "software" in collector.sections)
    return tuple((name, "") for name in dict.fromkeys(found))


section = Section(things=things, reads=("software",), looks=lambda _target: _looks())
