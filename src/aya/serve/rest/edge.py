"""The outermost layer behind the guard: knows which operation a request asks for before anything else looks at it, and refuses
what HTTP itself refuses.
"""

import re
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import unquote_to_bytes

from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aya.errors import AyaError, Malformed, MethodNotAllowed, NotFound
from aya.operations.operation import Operation
from aya.serve.meters import Meters
from aya.serve.problem import send_problem


@dataclass(frozen=True, slots=True)
class Entry:
    """One path with what stands there."""

    pattern: "re.Pattern[str]"
    methods: dict[str, Operation | None]
    """By method; None for what is no operation: health, documentation."""


class Routing:
    """Which operation a request asks for."""

    def __init__(self) -> None:
        self._plain: dict[str, Entry] = {}
        self._patterns: dict[str, Entry] = {}

    def add(self, method: str, path: str, operation: Operation | None = None) -> None:
        """Know a path."""
        table = self._patterns if "{" in path else self._plain
        entry = table.setdefault(path, Entry(compile_path(path)[0], {}))
        entry.methods[method] = operation

    def find(self, path: str) -> dict[str, Operation | None]:
        """What stands at a path, by method; empty where nothing does."""
        if (entry := self._plain.get(path)) is not None:
            return entry.methods
        for entry in self._patterns.values():
            if entry.pattern.match(path):
                return entry.methods
        return {}

    def resolve(self, method: str, path: str) -> Operation | None:
        """The operation that a request asks for; None when it asks for none."""
        return self.find(path).get("GET" if method == "HEAD" else method)


class Edge:
    """Wraps the whole application. Puts `aya.operation` into the scope, in which the guard named the request."""

    def __init__(self, app: ASGIApp, routing: Routing, meters: Meters) -> None:
        self._app = app
        self.routing = routing
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        method, path = scope["method"], scope["path"]
        methods = self.routing.find(path)
        operation = methods.get("GET" if method == "HEAD" else method)
        scope["aya.operation"] = operation
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif method == "HEAD":
                message = {"type": "http.response.body", "more_body": message.get("more_body", False)}
            await send(message)

        with self._meters.running():
            try:
                await self._pass_on(scope, receive, sending, methods)
            finally:
                name = operation.name if operation is not None else path if methods else "nothing"
                self._meters.answered(name, method, status, perf_counter() - began)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, methods: dict[str, Operation | None]) -> None:
        method = scope["method"]
        allowed = ", ".join(sorted({*methods, "OPTIONS", *({"HEAD"} if "GET" in methods else set())}))
        if (refusal := _refusal(scope, methods, allowed)) is not None:
            await send_problem(send, refusal, scope["path"], scope["state"]["request_id"])
        elif method == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", allowed.encode())]})
            await send({"type": "http.response.body"})
        else:
            # Whoever asks for the head is asked and answered like one who asks for all; the body is left out on its way back.
            await self._app(scope if method != "HEAD" else {**scope, "method": "GET"}, receive, send)


def _refusal(scope: Scope, methods: dict[str, Operation | None], allowed: str) -> AyaError | None:
    """What HTTP itself has against a request."""
    method, path = scope["method"], scope["path"]
    if not _is_text(scope["query_string"]) or not _is_text(scope.get("raw_path") or b""):
        return Malformed(
            "The path or the query is not UTF-8, or holds a NUL.", remedy="Encode it as UTF-8, and each byte as %XX."
        )
    if not methods:
        return NotFound(f"There is nothing at {path}.", remedy="/openapi.json lists what there is.")
    if method != "OPTIONS" and ("GET" if method == "HEAD" else method) not in methods:
        return MethodNotAllowed(f"{method} is not for {path}.", allowed=allowed)
    return None


def _is_text(quoted: bytes) -> bool:
    """Whether it is UTF-8 that PostgreSQL can hold."""
    try:
        return "\0" not in unquote_to_bytes(quoted).decode("utf-8")
    except UnicodeDecodeError:
        return False
