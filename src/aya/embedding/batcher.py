"""One thread that runs the model for everybody: what waits is put together by length, and nobody waits behind all of another's
texts.
"""

import heapq
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from aya.embedding.backend import Vectors
from aya.embedding.figures import Figures
from aya.embedding.model import BATCH_TEXTS, Model
from aya.errors import InferenceFailed, ModelNotReady, TextsTooLarge, TooManyRequests

Part = tuple[int, ...]
Outcome = Vectors | InferenceFailed
TAKEN_TOKENS = 4096
"""So many tokens are taken at once: whoever comes next waits for these only."""


@dataclass(slots=True)
class Job:
    """The parts of one request; `done` is given their vectors, or why there is none, in their order."""

    outcomes: list[Outcome | None]
    left: int
    since: float
    done: "Future[list[Outcome]]" = field(default_factory=Future)


@dataclass(slots=True, order=True)
class Waiting:
    """One part that waits. Those of an earlier turn go first: a request has so many parts in each turn, and begins with the one
    that is on when it comes.
    """

    turn: int
    number: int
    part: Part = field(compare=False)
    place: int = field(compare=False)
    job: Job = field(compare=False)


class Batcher:
    """Runs the model. Several threads may ask."""

    def __init__(self, model: Model, limit_texts: int, figures: Figures) -> None:
        self._model = model
        self._limit = limit_texts
        self._figures = figures
        self._waiting: list[Waiting] = []
        self._there_is_work = threading.Condition()
        self._turn = self._number = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="aya-embedding", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """So many parts wait."""
        return len(self._waiting)

    def refuse_if_full(self, count: int) -> None:
        """Raise TextsTooLarge for more than can ever wait, TooManyRequests for more than can wait now."""
        if count > self._limit:
            raise TextsTooLarge(
                f"These texts make {count:,} parts, and {self._limit:,} may wait.",
                remedy="Send them in several requests, or raise AYA_EMBEDDING_QUEUE_TEXTS.",
            )
        if self.waiting + count > self._limit:
            raise TooManyRequests(
                f"{self.waiting:,} texts wait already, and {self._limit:,} may.",
                remedy="Ask again later; AYA_EMBEDDING_QUEUE_TEXTS sets how many may wait.",
                retry_after_s=max(1, min(60, round(self.waiting / max(self._figures.texts_per_s(), 1)))),
            )

    def submit(self, parts: Sequence[Part]) -> "Future[list[Outcome]]":
        """Have these parts run; cancelling the future takes back those that still wait.

        Raises TextsTooLarge and TooManyRequests as `refuse_if_full` does, ModelNotReady after `close`.
        """
        job = Job([None] * len(parts), len(parts), perf_counter())
        if not parts:
            job.done.set_result([])
            return job.done
        with self._there_is_work:
            if self._closed:
                raise _stopping()
            self.refuse_if_full(len(parts))
            for place, part in enumerate(parts):
                self._number += 1
                heapq.heappush(
                    self._waiting, Waiting(self._turn + place // BATCH_TEXTS, self._number, part, place, job)
                )
            self._there_is_work.notify()
        return job.done

    def close(self) -> None:
        """Run what was begun, refuse what waits, and end."""
        with self._there_is_work:
            self._closed = True
            self._there_is_work.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._there_is_work:
                self._there_is_work.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    for job in {id(one.job): one.job for one in self._waiting}.values():
                        if job.done.set_running_or_notify_cancel():
                            job.done.set_exception(_stopping())
                    self._waiting.clear()
                    return
                taken = self._take()
            for batch in self._model.batches([len(one.part) for one in taken]):
                self._run([taken[index] for index in batch])

    def _take(self) -> list[Waiting]:
        """What is run next."""
        taken: list[Waiting] = []
        tokens = 0
        while self._waiting and len(taken) < BATCH_TEXTS and tokens < TAKEN_TOKENS:
            one = heapq.heappop(self._waiting)
            if not one.job.done.cancelled():
                taken.append(one)
                tokens += len(one.part)
                self._turn = one.turn
        return taken

    def _run(self, taken: list[Waiting]) -> None:
        began = perf_counter()
        outcomes: list[Outcome]
        try:
            outcomes = list(self._model.run([one.part for one in taken]))
        except InferenceFailed as error:
            # Only the one to blame is to fail.
            outcomes = [error] if len(taken) == 1 else [self._alone(one.part) for one in taken]
        self._figures.ran(len(taken), sum(len(one.part) for one in taken), perf_counter() - began)
        for one, outcome in zip(taken, outcomes, strict=True):
            job = one.job
            job.left -= 1
            job.outcomes[one.place] = outcome
            self._figures.waited(began - job.since)
            if job.left == 0 and job.done.set_running_or_notify_cancel():
                job.done.set_result([found for found in job.outcomes if found is not None])

    def _alone(self, part: Part) -> Outcome:
        try:
            return np.asarray(self._model.run([part])[0])
        except InferenceFailed as error:
            return error


def _stopping() -> ModelNotReady:
    return ModelNotReady("The embedding service is being stopped.", remedy="Ask again when it was started anew.")
