"""`make soak`: run the long trials, all or those named, and say what came of them; exit 3 when a promise was broken."""

import argparse
import sys
from time import perf_counter

from aya.registry import discover
from bench._laboratory import laboratory
from soak._trial import Trial


def main() -> int:
    """Run the trials."""
    found = discover("soak", Trial, "trial")
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(found)}")
    parser.add_argument("--times", type=int, help="how often, instead of as often as is promised")
    parser.add_argument("--seed", type=int, default=0, help="of the chance [0]")
    given = parser.parse_args()
    broken = False
    for name in given.names or found:
        trial = found[name]
        started = perf_counter()
        with laboratory(quick=False) as lab:
            outcome = trial.run(
                lab, given.times or trial.times, given.seed, lambda line: print(f"  {line}", file=sys.stderr)
            )
        broken |= bool(outcome.failures)
        word = "BROKEN" if outcome.failures else "kept"
        print(f"{name}: {outcome.said}: {word}, {perf_counter() - started:.0f} s")
        for failure in outcome.failures[:20]:
            print(f"  {failure}")
    return 3 if broken else 0


sys.exit(main())
