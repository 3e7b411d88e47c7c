"""Looking at a recording of this machine in a fresh process, against looking at the machine itself.

`aya collect --host recorded:FILE.tar.gz --dry-run` is all that a user waits for: Python, unpacking, and the same collectors.
The goal of a second is for a whole machine; the public recordings hold a few answers each.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory

AYA = str(Path(sys.executable).with_name("aya"))
REPLAY = """
import sys, time
from pathlib import Path
from aya.collect.runner import collect_machine
from aya.host.recorded import RecordedHost
from aya.redaction import Redactor
started = time.process_time()
collect_machine(RecordedHost.open(Path(sys.argv[1])), Redactor(b"k" * 32))
print((time.process_time() - started) * 1000)
"""


def measure(lab: Laboratory) -> Iterator[Line]:
    folder = lab.context.settings.home / "replay"

    def aya(*arguments: str) -> None:
        subprocess.run((AYA, *arguments), check=True, capture_output=True, env=lab.environment())

    spent: list[float] = []

    def replay(name: str) -> None:
        before = getrusage(RUSAGE_CHILDREN)
        aya("collect", "--host", f"recorded:{folder / name}", "--node", "REPLAYED", "--dry-run", "--json")
        after = getrusage(RUSAGE_CHILDREN)
        spent.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)

    inside: list[float] = []

    def within() -> None:
        inside.append(
            float(
                subprocess.run(
                    (sys.executable, "-c", REPLAY, str(folder / "packed.tar.gz")), check=True, capture_output=True
                ).stdout
            )
        )

    folder.mkdir()
    try:
        aya("host", "record", str(folder / "unpacked"))
        aya("host", "record", str(folder / "packed.tar.gz"))
        live, unpacked, packed = interleaved(
            3 if lab.quick else 9,
            lambda: aya("collect", "--dry-run", "--json"),
            lambda: replay("unpacked"),
            lambda: replay("packed.tar.gz"),
        )
        for _ in range(3 if lab.quick else 9):
            within()
    finally:
        shutil.rmtree(folder)
    against = "aya collect --dry-run of the machine itself"
    yield Line(what="replay of its recording, a folder", ours=unpacked, against=against, reference=live, goal=Goal(1))
    yield Line(what="replay of its recording, a .tar.gz", ours=packed, against=against, reference=live)
    # What others do on the machine meanwhile counts for the clock, hardly for the processor.
    yield Line(what="processor time of either command, Python's start included", ours=tuple(spent))
    yield Line(what="processor time of opening the .tar.gz and all collectors", ours=tuple(inside), goal=Goal(1000))


figure = Figure(measure)
