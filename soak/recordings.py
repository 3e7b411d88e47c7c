"""Spoil recordings of real machines, and let every collector look at them: each ends as it is declared to, and what it found
can be recorded and delivered.

The public recordings and this machine's own, one file of one of them spoiled at a time: cut, flipped, shuffled, with huge
numbers, in other encodings and languages, with other types. What broke is made again by its seed.
"""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from bench._laboratory import Laboratory
from soak._trial import Outcome, Trial
from tests.collect.spoiling import Machine, public_machines, spoiled, this_machine

SHARE = 500
"""So many mutations are one piece of work."""
MACHINES: list[Machine] = []
"""Read before the workers are forked, so that they share it."""


def run(_: Laboratory, times: int, seed: int, tell: Callable[[str], None]) -> Outcome:
    """Spoil so many recordings, on all processors."""
    tell("reading the recordings")
    MACHINES[:] = [*public_machines(), this_machine()]
    shares = [min(SHARE, times - start) for start in range(0, times, SHARE)]
    broken: list[str] = []
    done = 0
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        work = {pool.submit(_share, share, seed * 1_000_000 + number): share for number, share in enumerate(shares)}
        for one in as_completed(work):
            broken += one.result()
            done += work[one]
            tell(f"{done:,} of {times:,}, {len(broken)} broken")
    said = f"{done:,} mutated recordings of {len(MACHINES)} machines"
    return Outcome(said, tuple(dict.fromkeys(broken)))


def _share(times: int, seed: int) -> list[str]:
    return [str(broken) for broken in spoiled(MACHINES, times, seed) if broken is not None]


trial = Trial(run, times=100_000)
