"""Which collectors there are: a folder for each system, a file in it for each topic.

A topic has the same name on every system, and fills the same columns and keys where it can.
"""

from collections.abc import Mapping

from aya.collect.collector import Collector
from aya.registry import discover

PACKAGES: Mapping[str, str] = {"Linux": "aya.collect.linux", "Darwin": "aya.collect.macos"}
"""For each system, as its kernel calls itself, the folder of its collectors."""


def collectors(system: str) -> dict[str, Collector]:
    """The machine collectors that can look at that system, by name; none for a system that is not known."""
    package = PACKAGES.get(system)
    return discover(package, Collector, "collector") if package else {}


def every_collector() -> tuple[tuple[str, Collector], ...]:
    """Name and collector, system after system: a name comes once for each system that has it."""
    return tuple(item for system in PACKAGES for item in collectors(system).items())
