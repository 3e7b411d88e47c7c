"""Starting an embedded server that exists and holds data: `aya db start`, and the part of it that is not Python's start."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench._figure import Figure, Goal, Line, interleaved
from bench._laboratory import Laboratory

AYA = str(Path(sys.executable).with_name("aya"))


def measure(lab: Laboratory) -> Iterator[Line]:
    server = lab.context.database.server

    def command() -> None:
        subprocess.run((AYA, "db", "start"), check=True, capture_output=True, env=lab.environment())

    whole, inside = interleaved(3 if lab.quick else 7, command, server.start, before=(server.stop, server.stop))
    yield Line(what="aya db start", ours=whole, goal=Goal(2000))
    yield Line(what="of it: the server", ours=inside)


figure = Figure(measure)
