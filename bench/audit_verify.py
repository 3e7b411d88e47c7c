"""`aya audit verify` on a long log, a process of its own: changes a second, and the memory that it takes."""

import subprocess
import sys
from collections.abc import Iterator

from aya.db.database import Login
from aya.operations import audit
from aya.record.recorder import record
from bench._figure import Figure, Goal, Line, milliseconds
from bench._laboratory import Laboratory
from bench.fleet_load import SETTINGS, settings_of_a_server, state

CHANGES = 1_000_000
NODES = 100
MEASURED = """
import re
from aya.operations import audit
from aya.operations.context import Context
from aya.settings import load
report = audit.verify_log(Context(load()))
assert report.whole, report.problems
print(report.changes, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


def measure(lab: Laboratory) -> Iterator[Line]:
    known = settings_of_a_server(lab)
    wanted = 100_000 if lab.quick else CHANGES
    lab.empty()
    with lab.context.database.connect() as writer, lab.context.database.connect(Login.ADMIN) as admin:
        for number in range(1, NODES + 1):
            record(writer, [state(number, known)])
        for round_number in range(-(-wanted // (NODES * SETTINGS))):
            admin.execute(
                "UPDATE postgresql_configuration SET setting_value = %s || setting_name", (str(round_number),)
            )
        admin.execute("VACUUM ANALYZE change_log")
    audit.seal(lab.context)
    rounds = 1 if lab.quick else 3
    rates, memory = [], []
    for _ in range(rounds):
        told = ""

        def verify() -> None:
            nonlocal told
            told = subprocess.run(
                [sys.executable, "-c", MEASURED], env=lab.environment(), check=True, capture_output=True, text=True
            ).stdout

        took_ms = milliseconds(verify)
        changes, mebibytes = map(int, told.split())
        rates.append(changes * 1000 / took_ms)
        memory.append(float(mebibytes))
    yield Line(
        what=f"audit verify of {changes:,} changes, process and state included",
        ours=tuple(rates),
        unit="changes/s",
        goal=Goal(20_000, at_least=True),
    )
    yield Line(what="its memory", ours=tuple(memory), unit="MiB", goal=Goal(150))


figure = Figure(measure)
