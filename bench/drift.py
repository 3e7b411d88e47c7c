"""Comparing the settings of many nodes with one another, against fetching the same rows and reading the state document."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from resource import RUSAGE_SELF, getrusage

from aya.db.connection import rows
from aya.model import Collected, Facts, Instance, NodeState, Outcome, Setting
from aya.operations.drift import find_drift
from aya.record.recorder import record
from aya.snapshot.document import read_document
from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory
from bench.fleet_load import NODES_AT_ONCE, SETTINGS, settings_of_a_server, state

NODES = 1000


def measure(lab: Laboratory) -> Iterator[Line]:
    known = settings_of_a_server(lab)
    nodes = 100 if lab.quick else NODES
    lab.empty()
    with lab.context.database.connect() as connection:
        for start in range(1, nodes + 1, NODES_AT_ONCE):
            record(
                connection,
                [with_server(number, known) for number in range(start, min(start + NODES_AT_ONCE, nodes + 1))],
            )
        # A few are alone with something, so that there is something to find.
        connection.execute(
            "UPDATE postgresql_configuration SET setting_value = '1' WHERE setting_name = 'work_mem' AND node_id % 97 = 0"
        )
        before = getrusage(RUSAGE_SELF).ru_maxrss

        def ours() -> None:
            found = find_drift(lab.context, sections=["settings"], stale_after="1 day")
            assert found.findings, "the odd ones are found"

        def fetched() -> None:
            rows(
                connection,
                "SELECT n.node_name, c.* FROM postgresql_configuration c JOIN system_nodes n ON n.id = c.node_id "
                "WHERE c.is_active",
            )

        ours()
        grown = getrusage(RUSAGE_SELF).ru_maxrss - before
        mine, fetching = interleaved(3, ours, fetched)
        documents, _ = interleaved(1, lambda: read_document(connection), lambda: None)
    what = f"{SETTINGS} settings x {nodes:,} nodes"
    yield Line(what=what, ours=mine, against="fetching the rows", reference=fetching, goal=Goal(0.5))
    yield Line(what=what, ours=mine[:1], against="the whole document", reference=documents)
    yield Line(what="memory that it took at most", ours=(grown / 1024,), unit="MiB", goal=Goal(64))


def with_server(number: int, known: Sequence[Setting]) -> NodeState:
    """A node that says of its server what it is."""
    node = state(number, known)
    instance = node.collected[-1].target
    server = Collected(
        collector="postgresql.instance",
        target=instance,
        outcome=Outcome.OK,
        sections=("instances",),
        facts=Facts(instances=(Instance(instance=instance, port=5432),)),
    )
    return replace(node, collected=(*node.collected, server))


figure = Figure(measure)
