"""The state as of a moment with 100,000 changes since, against the state as it is: every setting of the fleet, fetched."""

from collections.abc import Iterator

from aya.db.connection import rows
from aya.db.database import Login
from aya.record.recorder import record
from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory
from bench.fleet_load import NODES_AT_ONCE, SETTINGS, settings_of_a_server, state

NODES = 200
LATER_CHANGES = 100_000


def measure(lab: Laboratory) -> Iterator[Line]:
    known = settings_of_a_server(lab)
    nodes, later = (40, 20_000) if lab.quick else (NODES, LATER_CHANGES)
    lab.empty()
    with lab.context.database.connect() as writer, lab.context.database.connect(Login.ADMIN) as admin:
        states = [state(number, known) for number in range(1, nodes + 1)]
        for start in range(0, nodes, NODES_AT_ONCE):
            record(writer, states[start : start + NODES_AT_ONCE])
        then = rows(admin, "SELECT max(id) AS id FROM change_log")[0]["id"]
        while rows(admin, "SELECT count(*) AS n FROM change_log WHERE id > %(then)s", {"then": then})[0]["n"] < later:
            admin.execute(
                "UPDATE postgresql_configuration SET setting_value = coalesce(setting_value, '') || '1' WHERE random() < 0.05"
            )
        admin.execute("VACUUM ANALYZE postgresql_configuration, change_log")

        def ours() -> None:
            rows(writer, f"SELECT * FROM aya.postgresql_configuration_as_of({then}::bigint)")

        def reference() -> None:
            rows(writer, "SELECT * FROM postgresql_configuration")

        times, present = interleaved(5, ours, reference)
    yield Line(
        what=f"{SETTINGS * nodes:,} rows as of {later:,} changes ago",
        ours=times,
        against="as they are",
        reference=present,
        goal=Goal(5),
    )


figure = Figure(measure)
