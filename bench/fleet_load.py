"""Recording the settings of many nodes for the first time, against a bare COPY of the same rows into the same table.

The COPY gets text that was formatted before, in one transaction; ours starts from facts, in transactions of twenty nodes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from aya.collect.postgresql.run import identify, run_collector, server_collectors
from aya.db.connection import Connection
from aya.db.database import Login
from aya.db.observed import Observed, Route
from aya.model import Collected, Facts, Node, NodeState, Outcome, Setting
from aya.record.recorder import record
from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory

SETTINGS = 405
NODES_AT_ONCE = 20
COLUMNS = tuple(field.name for field in fields(Setting))


def measure(lab: Laboratory) -> Iterator[Line]:
    known = settings_of_a_server(lab)
    rounds, nodes = (5, 60) if lab.quick else (5, 200)
    yield compare(lab, known, rounds, nodes)
    if not lab.quick:
        yield compare(lab, known, 3, 1000)


def compare(lab: Laboratory, known: Sequence[Setting], rounds: int, nodes: int) -> Line:
    states = [state(number, known) for number in range(1, nodes + 1)]
    text = [copied(number, node.collected[-1].facts.settings) for number, node in enumerate(states, 1)]
    count = nodes * SETTINGS
    with lab.context.database.connect(Login.ADMIN) as admin, lab.context.database.connect() as writer:

        def fresh() -> None:
            lab.empty()
            admin.execute("CHECKPOINT")

        def with_nodes() -> None:
            fresh()
            writer.execute(
                "INSERT INTO system_nodes (node_name, node_role) SELECT 'NODE' || n, 'primary' FROM generate_series(1, %s) n",
                (nodes,),
            )

        def ours() -> None:
            for start in range(0, nodes, NODES_AT_ONCE):
                record(writer, states[start : start + NODES_AT_ONCE])

        def reference() -> None:
            names = ", ".join(COLUMNS)
            with writer.cursor().copy(f"COPY postgresql_configuration (node_id, source, {names}) FROM STDIN") as copy:
                for block in text:
                    copy.write(block)

        mine, theirs = interleaved(rounds, ours, reference, before=(fresh, with_nodes))
        assert recorded(admin) == count
    return Line(
        what=f"{SETTINGS} settings x {nodes:,} nodes",
        ours=tuple(count * 1000 / time for time in mine),
        against="COPY",
        reference=tuple(count * 1000 / time for time in theirs),
        unit="rows/s",
        goal=Goal(0.5, at_least=True),
    )


def settings_of_a_server(lab: Laboratory) -> tuple[Setting, ...]:
    """Real settings with their real texts, as many as wanted."""
    with Observed.open(Route(url=lab.context.database.url(Login.ADMIN))) as observed:
        server = identify(observed, lab.context.redactor)
        found = run_collector("settings", server_collectors()["settings"], observed, server, lab.context.redactor)
    known = found.facts.settings[:SETTINGS]
    return known + tuple(replace(known[n], setting_name=f"bench.setting_{n}") for n in range(SETTINGS - len(known)))


def state(number: int, known: Sequence[Setting]) -> NodeState:
    """A node with a server of its own."""
    instance = f"{7 * 10**18 + number}:5432"
    machine = Collected(
        collector="identification",
        outcome=Outcome.OK,
        owns=("hardware_uuid",),
        facts=Facts(node=Node(hardware_uuid=UUID(int=number))),
    )
    settings = Collected(
        collector="postgresql.settings",
        target=instance,
        outcome=Outcome.OK,
        sections=("settings",),
        facts=Facts(settings=tuple(replace(setting, instance=instance) for setting in known)),
    )
    return NodeState(
        node_name=f"NODE{number}", node_role="primary", collected_at=datetime.now(UTC), collected=(machine, settings)
    )


def copied(node_id: int, settings: Sequence[Setting]) -> bytes:
    """The same rows as text for COPY."""
    lines = []
    for setting in settings:
        source = f"postgresql.settings@{setting.instance}"
        lines.append("\t".join(map(field, (node_id, source, *(getattr(setting, name) for name in COLUMNS)))))
    return ("\n".join(lines) + "\n").encode()


def field(value: Any) -> str:
    """One value as COPY wants it."""
    if value is None:
        return r"\N"
    if isinstance(value, dict):
        value = orjson.dumps(value).decode()
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


def recorded(connection: Connection) -> int:
    return int(
        connection.execute("SELECT count(*) FROM postgresql_configuration WHERE is_active").fetchall()[0]["count"]
    )


figure = Figure(measure)
