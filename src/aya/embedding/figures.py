"""What the embedding service did: counted since its start, and for the last requests how long it took."""

import threading
from collections import deque
from collections.abc import Iterable
from time import monotonic
from typing import Any

import numpy as np

REMEMBERED = 2048
"""So many durations are remembered for quantiles."""
WINDOW_S = 60.0
QUANTILES = (0.5, 0.9, 0.95, 0.99)


class Figures:
    """Counted by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = monotonic()
        self.requests = self.texts = self.tokens = self.hits = self.misses = self.failed = self.overlong = 0
        self.batches = self.batched = self.batched_tokens = 0
        self.inference_s = 0.0
        self._request_s: deque[float] = deque(maxlen=REMEMBERED)
        self._waited_s: deque[float] = deque(maxlen=REMEMBERED)
        self._ran_s: deque[float] = deque(maxlen=REMEMBERED)
        self._lately: deque[tuple[float, int]] = deque(maxlen=REMEMBERED * 8)

    def answered(self, *, texts: int, tokens: int, hits: int, overlong: int, seconds: float) -> None:
        """A request was answered."""
        with self._lock:
            self.requests += 1
            self.texts += texts
            self.tokens += tokens
            self.hits += hits
            self.misses += texts - hits
            self.overlong += overlong
            self._request_s.append(seconds)
            self._lately.append((monotonic(), texts))

    def failed_one(self) -> None:
        """A request failed because of the model."""
        with self._lock:
            self.failed += 1

    def ran(self, parts: int, tokens: int, seconds: float) -> None:
        """The model was run on a batch."""
        with self._lock:
            self.batches += 1
            self.batched += parts
            self.batched_tokens += tokens
            self.inference_s += seconds
            self._ran_s.append(seconds)

    def waited(self, seconds: float) -> None:
        """A part waited so long until it was run."""
        with self._lock:
            self._waited_s.append(seconds)

    def texts_per_s(self) -> float:
        """Texts answered a second, over the last minute."""
        with self._lock:
            now = monotonic()
            while self._lately and now - self._lately[0][0] > WINDOW_S:
                self._lately.popleft()
            return sum(texts for _, texts in self._lately) / max(min(now - self._began, WINDOW_S), 1.0)

    def document(self) -> dict[str, Any]:
        """All of it, for people and programs."""
        with self._lock:
            looked_up = self.hits + self.misses
            found = {
                "uptime_s": round(monotonic() - self._began, 1),
                "requests": self.requests,
                "texts": self.texts,
                "tokens": self.tokens,
                "overlong_texts": self.overlong,
                "failed_requests": self.failed,
                "cache_hits": self.hits,
                "cache_misses": self.misses,
                "cache_hit_share": round(self.hits / looked_up, 4) if looked_up else None,
                "batches": self.batches,
                "texts_per_batch": round(self.batched / self.batches, 2) if self.batches else None,
                "tokens_per_s_of_inference": round(self.batched_tokens / self.inference_s, 1)
                if self.inference_s
                else None,
                "request_ms": _quantiles(self._request_s),
                "wait_ms": _quantiles(self._waited_s),
                "batch_ms": _quantiles(self._ran_s),
            }
        return found | {"texts_per_s": round(self.texts_per_s(), 2)}


def _quantiles(seconds: Iterable[float]) -> dict[str, float] | None:
    """In milliseconds, by name; None where nothing was measured."""
    values = np.fromiter(seconds, float) * 1000
    if not values.size:
        return None
    return {f"p{share * 100:g}": round(float(np.quantile(values, share)), 3) for share in QUANTILES}
