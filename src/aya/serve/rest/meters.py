"""What Prometheus reads at `/metrics`."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE

from aya import __version__
from aya.serve.rest.answer import Answer
from aya.serve.rest.events import ChangeStream
from aya.serve.rest.hot import HotState

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Meters:
    """The figures of one running server."""

    def __init__(self, hot: HotState, stream: ChangeStream) -> None:
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
        for name, said, read in (
            ("aya_state_nodes", "Nodes whose state is kept in memory.", lambda: hot.count),
            ("aya_state_size_bytes", "Bytes of state that are kept in memory, uncompressed.", lambda: hot.size_bytes),
            ("aya_state_generation", "How often anything changed since the start.", lambda: hot.generation),
            ("aya_state_rebuilt", "States of nodes that were built since the start.", lambda: hot.rebuilt),
            ("aya_change_listeners", "Listeners of the stream of changes.", lambda: stream.listeners),
        ):
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
