"""An AYA elsewhere that takes states: the operation behind the guard, over real HTTP."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import orjson
from starlette.types import Receive, Send
from starlette.types import Scope as Asgi

from aya.access.scope import Scope
from aya.delivery.post import PATH
from aya.errors import AyaError, UsageError
from aya.operations.context import Context
from aya.operations.delivery import record_collection
from aya.operations.operation import of
from aya.serve.guard.guard import Need, context_of
from aya.serve.problem import send_problem
from aya.strict_json import read_json
from tests.serve.guard.port import Port, served


async def app(scope: Asgi, receive: Receive, send: Send) -> None:
    """POST /api/v1/collections, and nothing else."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = (await receive())["body"]
    try:
        document = read_json(body)
        if not isinstance(document, dict) or set(document) != {"kind", "schema_version", "state"}:
            raise UsageError("The body is not the document of a state.")
        done = await asyncio.to_thread(of(record_collection), context_of(scope), **document)
    except AyaError as error:
        await send_problem(send, error, scope["path"], "")
        return
    said = orjson.dumps(asdict(done))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


@contextmanager
def elsewhere(context: Context, *, believed_s: float = 0.0) -> Iterator[Port]:
    """It, on a free port."""

    def needed(method: str, path: str) -> Need:
        takes = (method, path) == ("POST", PATH)
        limit = context.settings.delivery_limit_bytes
        return Need(Scope.COLLECT, body_limit_bytes=limit, heavy=True) if takes else Need(Scope.ADMIN)

    with served(context, app, needed, believed_s=believed_s) as port:
        yield port
