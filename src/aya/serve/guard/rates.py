"""How often and how much at once: a bucket of tokens and a count for each caller."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aya.errors import TooManyRequests

CALLERS_KEPT = 10_000
"""Whoever was not heard of longest is forgotten first, so that many callers cost no memory."""
Clock = Callable[[], float]


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass
class Rate:
    """So many requests a second for each caller on average, and `burst` at once."""

    per_s: float
    burst: float
    clock: Clock = time.monotonic
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def take(self, caller: str) -> None:
        """Take one. Raises TooManyRequests, saying when there is one again."""
        if self.per_s <= 0:
            return
        bucket = self._filled(caller)
        if bucket.left < 1:
            raise TooManyRequests(
                f"{caller} asks more than {self.per_s:g} times a second.",
                remedy="Wait for as long as Retry-After says; AYA_RATE_PER_S sets how often is too often.",
                retry_after_s=self.wait_s(caller),
            )
        bucket.left -= 1

    def is_spent(self, caller: str) -> bool:
        """Whether there is none left; takes none."""
        return self.per_s > 0 and caller in self._buckets and self._filled(caller).left < 1

    def wait_s(self, caller: str) -> int:
        """Whole seconds until there is one again."""
        return max(1, round((1 - self._filled(caller).left) / self.per_s + 0.5))

    def _filled(self, caller: str) -> _Bucket:
        now = self.clock()
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = _Bucket(self.burst, now)
            if len(self._buckets) > CALLERS_KEPT:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(caller)
            bucket.left = min(self.burst, bucket.left + (now - bucket.at) * self.per_s)
            bucket.at = now
        return bucket


@dataclass
class AtOnce:
    """So many requests at the same time for each name."""

    most: int
    _running: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def one(self, name: str, what: str) -> Iterator[None]:
        """While it runs it counts. Raises TooManyRequests when there are too many."""
        running = self._running.get(name, 0)
        if running >= self.most:
            raise TooManyRequests(
                f"{running} {what} are being answered already.", remedy="Ask again when one of them is done."
            )
        self._running[name] = running + 1
        try:
            yield
        finally:
            left = self._running[name] - 1
            if left:
                self._running[name] = left
            else:
                del self._running[name]
