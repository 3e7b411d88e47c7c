"""Answers that are kept as long as nothing that they were read from was written, and given without asking the database
for them again.

Freshness comes first: every request waits for a look into the feed that began after it arrived.
"""

from collections import OrderedDict
from functools import partial
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from aya.errors import AyaError
from aya.operations.operation import Operation
from aya.serve.problem import send_problem
from aya.serve.rest.answer import Answer
from aya.serve.rest.hot import HotState

PREFIX = "/api/v1"
STATE = f"{PREFIX}/system/state"
NODE = f"{PREFIX}/nodes/"
MOST_BYTES = 64 * 1024 * 1024

Key = tuple[str, bytes, bytes]
"""Path, query, and what is accepted."""


class Kept:
    """Pages that were asked for lately."""

    def __init__(self, hot: HotState) -> None:
        self.hot = hot
        self._answers: OrderedDict[Key, Answer] = OrderedDict()
        self._generation = -1
        self._bytes = 0

    def find(self, key: Key, generation: int) -> Answer | None:
        """What was kept in this generation."""
        if self._generation != generation:
            self._answers.clear()
            self._generation, self._bytes = generation, 0
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Key, generation: int, answer: Answer) -> None:
        """Keep what was read after that generation was known to be the newest."""
        if generation != self._generation or key in self._answers or answer.length > MOST_BYTES // 8:
            return
        self._answers[key] = answer
        self._bytes += answer.length
        while self._bytes > MOST_BYTES:
            self._bytes -= self._answers.popitem(last=False)[1].length


class FromMemory:
    """Answers what is kept in memory; all else goes on to the application."""

    def __init__(self, app: ASGIApp, kept: Kept) -> None:
        self._app = app
        self._kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] == "http" and scope["method"] == "GET":
            try:
                answer = await self._answer(scope)
            except AyaError as error:
                await send_problem(send, error, scope["path"], scope["state"]["request_id"])
                return
            if answer is not None:
                await answer.send(scope, send)
                return
        await self._app(scope, receive, send)

    async def _answer(self, scope: Scope) -> Answer | None:
        path: str = scope["path"]
        if path == STATE:
            names = _nodes(scope["query_string"])
            if names is None or not _takes_json(scope):
                return None
            await self._kept.hot.fresh()
            return self._kept.hot.of(names) if names else self._kept.hot.whole()
        if path.startswith(NODE) and "/" not in (name := path[len(NODE) :]):
            if not name or scope["query_string"] or not _takes_json(scope):
                return None
            await self._kept.hot.fresh()
            return self._kept.hot.node(name)
        operation: Operation | None = scope.get("aya.operation")
        if operation is None or not operation.keeps or b"as_of" in scope["query_string"]:
            return None
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
        key, generation = (path, scope["query_string"], accept), await self._kept.hot.fresh()
        scope["aya.keep"] = partial(self._kept.put, key, generation)
        return self._kept.find(key, generation)


def _nodes(query: bytes) -> list[str] | None:
    """The nodes that a query names; None when it says anything else."""
    if not query:
        return []
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return [value for _, value in pairs] if all(name == "node" for name, _ in pairs) else None


def _takes_json(scope: Scope) -> bool:
    """Whether the caller takes JSON without that having to be looked into."""
    said = [value for name, value in scope["headers"] if name == b"accept"]
    return not said or (b";" not in said[0] and (b"*/*" in said[0] or b"application/json" in said[0]))
