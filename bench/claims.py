"""Importing an assessment of 1,300 lines, the first time and again, against reading its Markdown alone."""

from collections.abc import Iterator
from pathlib import Path

from aya.claims.outline import outline
from aya.operations.claims import import_document
from bench._figure import Figure, Goal, Line, interleaved, milliseconds
from bench._laboratory import Laboratory

DOCUMENT = Path(__file__).parents[2] / "shared" / "seed" / "infrastructure-state-2025-10-09.md"


def measure(lab: Laboratory) -> Iterator[Line]:
    if not DOCUMENT.is_file():
        return
    text = DOCUMENT.read_text()
    first = []
    for _ in range(1 if lab.quick else 5):
        lab.empty()
        first.append(milliseconds(lambda: import_document(lab.context, str(DOCUMENT))))
    again, reading = interleaved(3, lambda: import_document(lab.context, str(DOCUMENT)), lambda: outline(text))
    yield Line(what="first import", ours=tuple(first), goal=Goal(2000))
    yield Line(what="again, unchanged", ours=again, against="reading the Markdown", reference=reading)


figure = Figure(measure)
