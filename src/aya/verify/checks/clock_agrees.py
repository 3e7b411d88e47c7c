"""This machine and the PostgreSQL servers agree on the time of day: AYA's own, which stamps the log of changes, and every
server of the node.

The server's clock is read between two readings of this machine's; what lies within them, or one second beside, agrees.
"""

import time
from collections.abc import Callable, Iterator

from aya.db.connection import rows
from aya.db.observed import NotObserved
from aya.verify.check import Check, Finding, Subject, failed, passed
from aya.verify.checks._instances import not_answered, opened, recorded

ALLOWED_S = 1.0
PROBE = "SELECT extract(epoch FROM clock_timestamp())::float8 AS epoch_s"


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per server."""
    if subject.is_here:
        yield _compared("AYA's database", lambda: float(rows(subject.database, PROBE)[0]["epoch_s"]))
    for instance in recorded(subject):
        server = opened(subject, instance, PROBE)
        if isinstance(server, Finding):
            yield server
            continue
        with server:
            try:
                yield _compared(instance, lambda server=server: float(server.rows(PROBE)[0]["epoch_s"]))  # type: ignore[misc]
            except NotObserved as error:
                yield not_answered(instance, error, PROBE)


def _compared(target: str, ask: Callable[[], float]) -> Finding:
    before = time.time()
    there = ask()
    after = time.time()
    off_s = max(before - there, there - after, 0.0)
    evidence = f"here {before:.3f} to {after:.3f}, there {there:.3f}"
    if off_s > ALLOWED_S:
        behind = "behind" if there < before else "ahead"
        return failed(target, f"its clock is {off_s:.1f} s {behind} of this machine's", evidence, probe=PROBE)
    return passed(target, evidence, probe=PROBE)


check = Check(run, from_afar=True)
