"""The checks of this machine, each in a process of its own, against all of them in one process that nothing protects."""

from collections.abc import Iterator

from aya.operations.collection import collect
from aya.operations.verification import _subject
from aya.verify.catalogue import catalogue, own_checks
from aya.verify.confinement import get_ready
from aya.verify.runner import run_checks
from bench._figure import Figure, Line, interleaved
from bench._laboratory import Laboratory


def measure(lab: Laboratory) -> Iterator[Line]:
    collect(lab.context)
    with lab.context.database.connect() as connection:
        subject = _subject(lab.context, connection, lab.context.settings.node)
        entries = catalogue(lab.context.settings.home)
        get_ready()
        run_checks(subject, entries)

        def unprotected() -> None:
            for check in own_checks().values():
                list(check.run(subject))

        confined, bare = interleaved(3 if lab.quick else 9, lambda: run_checks(subject, entries), unprotected)
    subject.database.close()
    yield Line(what=f"{len(entries)} checks, each confined", ours=confined, against="in one process", reference=bare)
    each = tuple((mine - other) / len(entries) for mine, other in zip(confined, bare, strict=True))
    yield Line(what="what confining costs each", ours=each)
    lab.empty()


figure = Figure(measure)
