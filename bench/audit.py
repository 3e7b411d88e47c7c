"""What it costs that the database logs every change: bulk updates, a first load, and a collect on a connection that has seen
unchanged ones, each with the log and without, or on a fresh connection.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from aya.db.connection import Connection
from aya.db.database import Login
from aya.model import NodeState, Setting
from aya.record.recorder import record
from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory
from bench.fleet_load import SETTINGS, settings_of_a_server, state

NODES = 60
UNCHANGED_COLLECTS = 50


def measure(lab: Laboratory) -> Iterator[Line]:
    known = settings_of_a_server(lab)
    rounds = 5 if lab.quick else 9
    with lab.context.database.connect(Login.ADMIN) as admin, lab.context.database.connect() as writer:
        yield first_load(lab, admin, writer, known, rounds)
        yield bulk_record(lab, admin, writer, known, rounds)
        yield bulk_update(lab, admin, rounds)
        yield changed_collect(lab, writer, known, rounds)


def first_load(lab: Laboratory, admin: Connection, writer: Connection, known: Sequence[Setting], rounds: int) -> Line:
    states = [state(number, known) for number in range(1, NODES + 1)]

    def load() -> None:
        record(writer, states)

    def without() -> None:
        with lab.unaudited(admin):
            load()

    ours, reference = interleaved(rounds, load, without, before=(lab.empty, lab.empty))
    return Line(
        what=f"first load, {SETTINGS} settings x {NODES} nodes",
        ours=ours,
        against="unaudited",
        reference=reference,
        goal=Goal(1.3),
    )


def bulk_record(lab: Laboratory, admin: Connection, writer: Connection, known: Sequence[Setting], rounds: int) -> Line:
    values = iter(range(10**6))
    states: list[NodeState] = []

    def changed() -> None:
        value = str(next(values))
        everywhere = [replace(setting, setting_value=value) for setting in known]
        states[:] = [state(number, everywhere) for number in range(1, NODES + 1)]
        admin.execute("VACUUM postgresql_configuration")
        admin.execute("CHECKPOINT")

    def update() -> None:
        record(writer, states)

    def without() -> None:
        with lab.unaudited(admin):
            update()

    ours, reference = interleaved(rounds, update, without, before=(changed, changed))
    return Line(
        what=f"recording {SETTINGS * NODES:,} changed rows",
        ours=ours,
        against="unaudited",
        reference=reference,
        goal=Goal(1.3),
    )


def bulk_update(lab: Laboratory, admin: Connection, rounds: int) -> Line:
    statement = "UPDATE postgresql_configuration SET setting_value = coalesce(setting_value, '') || '0'"

    def update() -> None:
        admin.execute(statement)

    def without() -> None:
        with lab.unaudited(admin):
            update()

    def vacuumed() -> None:
        admin.execute("VACUUM postgresql_configuration")
        admin.execute("CHECKPOINT")

    ours, reference = interleaved(rounds, update, without, before=(vacuumed, vacuumed))
    return Line(
        what=f"one UPDATE by hand of {SETTINGS * NODES:,} rows",
        ours=ours,
        against="unaudited",
        reference=reference,
    )


def changed_collect(lab: Laboratory, writer: Connection, known: Sequence[Setting], rounds: int) -> Line:
    values = iter(range(10**6))

    def changed() -> NodeState:
        value = str(next(values))
        return state(1, [replace(setting, setting_value=value) for setting in known])

    same = state(1, known)
    for _ in range(UNCHANGED_COLLECTS):
        record(writer, [same])
        writer.execute("DELETE FROM aya.section_marks")  # so that it is compared, and the triggers fire with no row

    def ours() -> None:
        record(writer, [next_state.pop()])

    def reference() -> None:
        record(fresh.pop(), [next_state.pop()])

    next_state: list[NodeState] = []
    fresh: list[Connection] = []

    def prepared() -> None:
        next_state.append(changed())

    def connected() -> None:
        prepared()
        connection = lab.context.database.connect()
        # What any connection learns at its first use is not what is asked here.
        record(connection, [state(2, known)])
        fresh.append(connection)

    times, reference_times = interleaved(rounds, ours, reference, before=(prepared, connected))
    return Line(
        what=f"collect with {SETTINGS} changed settings after {UNCHANGED_COLLECTS} unchanged",
        ours=times,
        against="a fresh connection",
        reference=reference_times,
        goal=Goal(1.2),
    )


figure = Figure(measure)
