"""What a hundred snapshots cost in the database, when one fact in a hundred changes from one to the next, against one snapshot.

Counted is everything that snapshots write: tables, indexes, and their rows of the log. And how long it takes to take one when
nothing changed, against reading and hashing the state alone.
"""

from collections.abc import Iterator
from typing import Any

from aya.db.connection import Connection, rows
from aya.db.database import Login
from aya.record.recorder import record
from aya.snapshot import snapshots
from aya.snapshot.canonical import canonical, digest
from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory
from bench.fleet_load import NODES_AT_ONCE, settings_of_a_server, state

SNAPSHOTS = 100
FLEET = 40
TABLES = (
    "system_state_snapshots",
    "snapshot_nodes",
    "snapshot_node_ends",
    "snapshot_facts",
    "snapshot_fact_ends",
    "snapshot_checks",
)


def measure(lab: Laboratory) -> Iterator[Line]:
    known = settings_of_a_server(lab)
    nodes = 20 if lab.quick else FLEET
    with lab.context.database.connect() as writer, lab.context.database.connect(Login.ADMIN) as admin:
        lab.empty()
        states = [state(number, known) for number in range(1, nodes + 1)]
        for start in range(0, nodes, NODES_AT_ONCE):
            record(writer, states[start : start + NODES_AT_ONCE])
        document = snapshots.read_state(writer).document
        fleet, facts = document["nodes"], nodes * len(known)
        one_node = {
            "NODE": {
                "settings": {
                    f"{name} {key}": row for name, node in fleet.items() for key, row in node["settings"].items()
                }
            }
        }
        by_rows = f"one row in a hundred, anywhere in a node of {facts:,}"
        by_nodes = f"every row of one node in a hundred, of {nodes} x {len(known)}"
        for what, start_state, churn in ((by_rows, one_node, _rows), (by_nodes, fleet, _nodes)):
            first, all_of_them = _sizes(admin, start_state, churn)
            yield Line(
                what=f"{SNAPSHOTS} snapshots, churn of {what}",
                ours=(all_of_them / 1e6,),
                against="the first one",
                reference=(first / 1e6,),
                unit="MB",
                goal=Goal(3),
            )
        lab.empty()
        for start in range(0, nodes, NODES_AT_ONCE):
            record(writer, states[start : start + NODES_AT_ONCE])
        taken = iter(range(10**6))
        snapshots.create(writer, "first", created_by="bench")

        def ours() -> None:
            snapshots.create(writer, f"again {next(taken)}", created_by="bench")

        def reference() -> None:
            digest(canonical(snapshots.read_state(writer).document))

        times, reading = interleaved(5, ours, reference)
    yield Line(
        what=f"a snapshot of {nodes} x {len(known)} facts that did not change",
        ours=times,
        against="reading and hashing the state",
        reference=reading,
        goal=Goal(2),
    )


def _sizes(admin: Connection, nodes: dict[str, Any], churn: Any) -> tuple[int, int]:
    """The bytes of the first snapshot, and of all of them."""
    _forget(admin)
    _take(admin, 0, nodes)
    first = _bytes(admin)
    for number in range(1, SNAPSHOTS):
        churn(nodes, number)
        _take(admin, number, nodes)
    return first, _bytes(admin)


def _rows(nodes: dict[str, Any], number: int) -> None:
    """Every hundredth row becomes another, each time others."""
    for node in nodes.values():
        for place, row in enumerate(node["settings"].values()):
            if (place * 7919) % 100 == number % 100:
                row["setting_value"] = f"changed {number}"


def _nodes(nodes: dict[str, Any], number: int) -> None:
    for place, node in enumerate(nodes.values()):
        if place % 100 == number % 100:
            for row in node["settings"].values():
                row["setting_value"] = f"changed {number}"


def _take(admin: Connection, number: int, nodes: dict[str, Any]) -> None:
    data = canonical({"kind": "aya.state", "schema_version": 1, "nodes": nodes})
    admin.execute(
        "INSERT INTO system_state_snapshots (snapshot_name, state_canonical) VALUES (%s, %s)", (f"s{number}", data)
    )


def _bytes(admin: Connection) -> int:
    sizes = " + ".join(f"pg_total_relation_size('aya.{table}')" for table in TABLES)
    logged = (
        "SELECT coalesce(sum(pg_column_size(l)), 0) FROM change_log l WHERE table_affected = 'system_state_snapshots'"
    )
    return int(rows(admin, f"SELECT {sizes} + ({logged}) AS bytes")[0]["bytes"])


def _forget(admin: Connection) -> None:
    with admin.transaction():
        for how in ("DISABLE", "ENABLE ALWAYS"):
            for table in TABLES:
                admin.execute(f"ALTER TABLE aya.{table} {how} TRIGGER append_only")  # type: ignore[arg-type]
            if how == "DISABLE":
                admin.execute(
                    f"TRUNCATE {', '.join(f'aya.{table}' for table in TABLES)}, check_results RESTART IDENTITY"
                )  # type: ignore[arg-type]


figure = Figure(measure)
