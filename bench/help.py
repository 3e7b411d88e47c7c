"""`aya --help` in a fresh process, against a Python that does nothing."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory

AYA = str(Path(sys.executable).with_name("aya"))


def measure(lab: Laboratory) -> Iterator[Line]:
    def run(*argv: str) -> None:
        subprocess.run(argv, check=True, capture_output=True, env=lab.environment())

    for argv in ((AYA, "--help"), (sys.executable, "-c", "pass")):
        run(*argv)
    helping, nothing = interleaved(
        5 if lab.quick else 15, lambda: run(AYA, "--help"), lambda: run(sys.executable, "-c", "pass")
    )
    yield Line(what="aya --help", ours=helping, goal=Goal(300))
    yield Line(what="the same", ours=helping, against="python -c pass", reference=nothing)
    yield Line(
        what="its processor time", ours=tuple(processor_milliseconds(lambda: run(AYA, "--help")) for _ in range(5))
    )
    yield from (
        Line(what=f"importing {name}", ours=(milliseconds,))
        for name, milliseconds in slowest_imports((AYA, "--help"), lab)
    )


def processor_milliseconds(action: Callable[[], object]) -> float:
    """What the processes that it starts spend computing, which other work on the machine hardly changes."""

    def spent() -> float:
        usage = getrusage(RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()
    action()
    return (spent() - before) * 1000


def slowest_imports(argv: Sequence[str], lab: Laboratory) -> list[tuple[str, float]]:
    """The packages whose own modules take longest to import."""
    told = subprocess.run(
        (sys.executable, "-X", "importtime", *argv), check=True, capture_output=True, text=True, env=lab.environment()
    ).stderr
    spent: dict[str, float] = {}
    for line in told.splitlines():
        own, _, name = line.removeprefix("import time:").split("|")
        if own.strip().isdigit():
            package = name.strip().split(".")[0]
            spent[package] = spent.get(package, 0) + int(own) / 1000
    return sorted(spent.items(), key=lambda item: -item[1])[:4]


figure = Figure(measure)
