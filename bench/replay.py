"""Looking at a recording of this machine in a fresh process, against looking at the machine itself.

`aya collect --host recorded:FILE.tar.gz --dry-run` is all that a user waits for: Python, unpacking, and the same collectors.
The goal of a second is for a whole machine; the public recordings hold a few answers each.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory

AYA = str(Path(sys.executable).with_name("aya"))


def measure(lab: Laboratory) -> Iterator[Line]:
    folder = lab.context.settings.home / "replay"

    def aya(*arguments: str) -> None:
        subprocess.run((AYA, *arguments), check=True, capture_output=True, env=lab.environment())

    def replay(name: str) -> None:
        aya("collect", "--host", f"recorded:{folder / name}", "--node", "REPLAYED", "--dry-run", "--json")

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
    finally:
        shutil.rmtree(folder)
    against = "aya collect --dry-run of the machine itself"
    yield Line(what="replay of its recording, a folder", ours=unpacked, against=against, reference=live, goal=Goal(1))
    yield Line(what="replay of its recording, a .tar.gz", ours=packed, against=against, reference=live)
    yield Line(what="replay of its recording, a folder, by the clock", ours=unpacked, goal=Goal(1000))


figure = Figure(measure)
