"""What Prometheus reads at `/metrics`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE

from aya import __version__
from aya.serve.rest.answer import Answer

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Meters:
    """The figures of one running server: its requests, and what else it is told to show."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "aya_http_requests",
            "Requests that were answered.",
            ("operation", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "aya_http_request_seconds",
            "How long requests took, until their answer was sent.",
            ("operation",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._running = Gauge("aya_http_requests_running", "Requests that are being answered.", registry=self._registry)
        Gauge("aya_build_info", "The version that runs.", ("version",), registry=self._registry).labels(
            __version__
        ).set(1)

    def show(self, name: str, said: str, read: Callable[[], float]) -> None:
        """Show one more figure, which is read whenever somebody asks."""
        Gauge(name, said, registry=self._registry).set_function(read)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Meanwhile a request is being answered."""
        self._running.inc()
        try:
            yield
        finally:
            self._running.dec()

    def answered(self, operation: str, method: str, status: int, seconds: float) -> None:
        """A request was answered."""
        # Anybody can make up methods; each would be a series for ever.
        self._requests.labels(operation, method if method in METHODS else "other", str(status)).inc()
        self._seconds.labels(operation).observe(seconds)

    def exposition(self) -> Answer:
        """The text that Prometheus reads."""
        return Answer((generate_latest(self._registry),), CONTENT_TYPE)
