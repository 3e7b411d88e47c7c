"""Looking at this machine in a fresh process, against `facter -j` and `lshw -json` one after the other.

`aya collect --dry-run` is all that a user waits for: Python, the machine, and its PostgreSQL servers, of which the
reference knows nothing. The collectors of the machine run several at a time: their times add up to more than the whole.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from statistics import median

from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory

AYA = str(Path(sys.executable).with_name("aya"))
REFERENCE = (("facter", "-j"), ("lshw", "-json"))

COLLECT_MACHINE = """
import json, time
from aya.collect.runner import collect_machine
from aya.operations.context import Context
from aya.settings import load
context = Context(load())
context.redactor
started = time.perf_counter()
found = collect_machine(context.host, context.redactor)
print(json.dumps([(time.perf_counter() - started) * 1000, {c.collector: c.duration_ms for c in found}]))
"""
# What a process needs at most counts from its parent's size when it was forked, so that the parent must be a small one.
LARGEST = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
print(os.wait4(pid, 0)[2].ru_maxrss)
"""


def measure(lab: Laboratory) -> Iterator[Line]:
    def run(*argv: str, check: bool = True) -> str:
        done = subprocess.run(argv, check=check, capture_output=True, text=True, env=lab.environment())
        return done.stdout

    inside: list[tuple[float, dict[str, int]]] = []

    def collect_machine() -> None:
        inside.append(tuple(json.loads(run(sys.executable, "-c", COLLECT_MACHINE))))

    def dry_run() -> None:
        run(AYA, "collect", "--dry-run", "--json")

    def reference() -> None:
        for argv in REFERENCE:
            run(*argv, check=False)  # facter ends with 1 where it was refused one fact of all

    missing = [argv[0] for argv in REFERENCE if which(argv[0]) is None]
    if missing:
        yield Line(what=f"{' and '.join(missing)}: not installed, so not compared", ours=(0,))
    actions = (collect_machine, dry_run) if missing else (collect_machine, dry_run, reference)
    for warm_up in actions:
        warm_up()
    inside.clear()
    times = interleaved(5 if lab.quick else 11, *actions)
    theirs, against = ((), "") if missing else (times[2], "facter -j; lshw -json")
    goal = None if missing else Goal(1)
    machine = tuple(time for time, _ in inside)
    yield Line(what="looking at the machine", ours=machine, against=against, reference=theirs, goal=goal)
    yield Line(
        what="the same with Python's start and imports", ours=times[0], against=against, reference=theirs, goal=goal
    )
    servers = len(json.loads(run(AYA, "collect", "--dry-run", "--json"))["state"]["instances"])
    what = f"aya collect --dry-run, with {servers} PostgreSQL servers"
    yield Line(what=what, ours=times[1], against=against, reference=theirs)
    shares = {name: tuple(float(spent[name]) for _, spent in inside) for name in inside[0][1]}
    total = sum(map(median, shares.values()))
    for name, spent in sorted(shares.items(), key=lambda item: -median(item[1])):
        yield Line(what=f"of it: {name} ({median(spent) / total:.0%})", ours=spent)
    sizes = tuple(int(run(sys.executable, "-c", LARGEST, AYA, "collect", "--json")) / 1024 for _ in range(3))
    yield Line(what="memory of aya collect at most", ours=sizes, unit="MiB", goal=Goal(150))


figure = Figure(measure)
