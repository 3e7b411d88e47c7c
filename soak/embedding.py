"""Many requests of all lengths to the embedding service, some of them wrong: each is answered as it is to be, and after the
first tenth the service's memory grows by less than 5 %.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from random import Random
from typing import Any

import httpx2
import psutil

from bench._laboratory import Laboratory
from bench.embedding import served
from soak._trial import Outcome, Trial

CLIENTS = 4
GROWTH = 0.05
BLANK = "  \n"


def run(lab: Laboratory, times: int, chance: int, tell: Callable[[str], None]) -> Outcome:
    """So many requests by several clients; memory is looked at after a tenth, and at the end."""
    random, failures = Random(chance), list[str]()
    # A cache that is full soon: what it may take is its limit, and is not what is looked for.
    with served(lab, AYA_EMBEDDING_CACHE_BYTES=str(1024 * 1024)) as (url, process_id):
        process = psutil.Process(process_id)
        first = 0
        with httpx2.Client(base_url=url, timeout=120) as client, ThreadPoolExecutor(CLIENTS) as callers:

            def ask(body: dict[str, Any]) -> str | None:
                answer = client.post("/embed", json=body)
                expected = 422 if BLANK in body["texts"] else 200
                return None if answer.status_code == expected else f"{answer.status_code}: {answer.text[:200]}"

            for number, wrong in enumerate(in_turn(callers, ask, requests(random, times)), 1):
                if wrong:
                    failures.append(wrong)
                if number == times // 10:
                    first = process.memory_info().rss
                if number % max(1, times // 20) == 0:
                    tell(f"{number} of {times}, {process.memory_info().rss / 2**20:.1f} MiB")
        last = process.memory_info().rss
    growth = last / first - 1
    if growth >= GROWTH:
        failures.append(f"resident memory grew by {growth:.1%} after the first {times // 10} requests")
    return Outcome(
        f"{times} requests, memory from {first / 2**20:.1f} to {last / 2**20:.1f} MiB ({growth:+.1%})", tuple(failures)
    )


def requests(random: Random, times: int) -> Iterator[dict[str, Any]]:
    """Mostly one text, mostly short; some many, some longer than the model takes, some wrong."""
    for number in range(times):
        texts = [
            " ".join(f"word{random.randrange(5000)}" for _ in range(1 + int(random.expovariate(1 / 20))))
            for _ in range(1 if random.random() < 0.9 else random.randrange(2, 12))
        ]
        if number % 100 == 0:
            texts[0] *= 40
        if number % 50 == 0:
            texts.append(BLANK)
        yield {"texts": texts, "overlong": random.choice(("split", "truncate"))}


def in_turn(
    callers: ThreadPoolExecutor, ask: Callable[[dict[str, Any]], str | None], bodies: Iterator[dict[str, Any]]
) -> Iterator[str | None]:
    """The answers, a few hundred requests at a time, so that what waits takes no memory here."""
    while some := list(islice(bodies, 256)):
        yield from callers.map(ask, some)


trial = Trial(run, times=20_000)
