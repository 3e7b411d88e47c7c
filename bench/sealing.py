"""Sixteen writers that change settings, with another process sealing behind them again and again, and without."""

import multiprocessing
import threading
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from time import perf_counter

from aya.operations import audit
from aya.operations.context import Context
from aya.record.recorder import record
from aya.settings import Settings
from bench._figure import Figure, Goal, Line
from bench._laboratory import Laboratory
from bench.fleet_load import settings_of_a_server, state

WRITERS = 16
SECONDS = 8.0
SEAL_EVERY_S = 2.0


def measure(lab: Laboratory) -> Iterator[Line]:
    known = settings_of_a_server(lab)
    lab.empty()
    with lab.context.database.connect() as writer:
        record(writer, [state(number, known) for number in range(1, WRITERS + 1)])
    audit.seal(lab.context)
    ours, reference = [], []
    for number in range(2 if lab.quick else 5):
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
    counts = [0] * WRITERS

    def write(number: int) -> None:
        with lab.context.database.connect() as connection:
            while perf_counter() < until:
                connection.execute(
                    "UPDATE postgresql_configuration SET setting_value = %s WHERE node_id = %s AND setting_name LIKE 'a%%'",
                    (str(counts[number]), number + 1),
                )
                counts[number] += 1

    processes = multiprocessing.get_context("spawn")
    ready, stopped = processes.Event(), processes.Event()
    sealer = processes.Process(target=seal_again_and_again, args=(lab.context.settings, ready, stopped))
    if sealing:
        sealer.start()
        ready.wait()
    until = perf_counter() + SECONDS
    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if sealing:
        stopped.set()
        sealer.join()
    else:
        audit.seal(lab.context)  # so that each round begins with nothing to seal
    return sum(counts) / SECONDS


def seal_again_and_again(settings: Settings, ready: Event, stopped: Event) -> None:
    context = Context(settings)
    audit.seal(context)
    ready.set()
    while not stopped.wait(SEAL_EVERY_S):
        audit.seal(context)
    audit.seal(context)


figure = Figure(measure)
