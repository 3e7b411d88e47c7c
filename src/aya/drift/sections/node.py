"""The machine and its operating system: the columns of the node.

By nature different: serial numbers and other identities, the node's role and status. Metadata is not compared: it is as
different as machines are.
"""

from collections.abc import Iterator, Mapping

from aya.collect.catalogue import every_collector
from aya.drift.thing import PRESENCE, Look, NodeDocument, Section, Severity, Thing, Value, text

IDENTITY = frozenset(
    {"identity", "serial_number", "hardware_uuid", "model_number", "node_role", "node_role_source", "status"}
)


def things(state: NodeDocument, servers: Mapping[str, str]) -> Iterator[Thing]:  # noqa: ARG001 - the shape of all
    """Each column that is known, as a thing of its own: each has a collector of its own."""
    for column, value in state["node"].items():
        if column != "metadata":
            nature = frozenset({PRESENCE, "value"} if column in IDENTITY else {PRESENCE})
            yield Thing((), column, {"value": Value(text(value))}, target=column, by_nature=nature)


def looks(target: str) -> tuple[Look, ...]:
    """The collector that fills a column; none for those that the recorder fills."""
    found = (name for name, collector in every_collector() if target in collector.columns)
    return tuple((name, "") for name in dict.fromkeys(found))


section = Section(things=things, severity=Severity.INFO, looks=looks)
