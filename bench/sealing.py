"""Sixteen writers that change settings, with somebody sealing all the time, and without."""

import threading
from collections.abc import Iterator
from time import perf_counter

from aya.operations import audit
from aya.record.recorder import record
from bench._figure import Figure, Goal, Line
from bench._laboratory import Laboratory
from bench.fleet_load import settings_of_a_server, state

WRITERS = 16
SECONDS = 4.0
SEAL_EVERY_S = 0.5


def measure(lab: Laboratory) -> Iterator[Line]:
    known = settings_of_a_server(lab)
    lab.empty()
    with lab.context.database.connect() as writer:
        record(writer, [state(number, known) for number in range(1, WRITERS + 1)])
    audit.seal(lab.context)
    ours, reference = [], []
    for number in range(3 if lab.quick else 7):
        for sealing in (True, False) if number % 2 else (False, True):
            (ours if sealing else reference).append(written(lab, sealing=sealing))
    yield Line(
        what=f"transactions of {WRITERS} writers while sealing every {SEAL_EVERY_S:g} s",
        ours=tuple(1000 / rate for rate in ours),
        against="not sealing",
        reference=tuple(1000 / rate for rate in reference),
        unit="ms each",
        goal=Goal(1.1),
    )


def written(lab: Laboratory, *, sealing: bool) -> float:
    """Transactions a second."""
    until = perf_counter() + SECONDS
    counts = [0] * WRITERS

    def write(number: int) -> None:
        with lab.context.database.connect() as connection:
            while perf_counter() < until:
                connection.execute(
                    "UPDATE postgresql_configuration SET setting_value = %s WHERE node_id = %s AND setting_name LIKE 'a%%'",
                    (str(counts[number]), number + 1),
                )
                counts[number] += 1

    def seal() -> None:
        while not stopped.wait(SEAL_EVERY_S):
            audit.seal(lab.context)

    stopped = threading.Event()
    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    sealer = threading.Thread(target=seal)
    for thread in threads:
        thread.start()
    if sealing:
        sealer.start()
    for thread in threads:
        thread.join()
    stopped.set()
    if sealing:
        sealer.join()
    return sum(counts) / SECONDS


figure = Figure(measure)
