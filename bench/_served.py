"""The server that is measured, with the same bytes beside it as a constant.

    python -m bench._served PORT

`/constant/state` and `/constant/page` are answered by a FastAPI application in the same process, behind the same guard,
out of a variable.
"""

import sys
from collections.abc import Awaitable, Callable

import uvicorn
from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from aya.operations.context import Context
from aya.operations.state import get_system_state
from aya.serve.guard.port import server_config
from aya.serve.rest.server import application
from aya.settings import load

PAGE = "/api/v1/settings?limit=100&node=NODE0"


def main(port: int) -> None:
    context = Context(load(port=port, rate_per_s=0, concurrent_calls=10_000))
    state = get_system_state(context).data
    page = b'{"rows":[' + b"x" * 30_000 + b"]}"
    constant = FastAPI()
    for path, data in (("/constant/state", state), ("/constant/page", page)):
        constant.add_api_route(path, answering(data), response_model=None)

    def beside(app: ASGIApp) -> ASGIApp:
        async def choose(scope: Scope, receive: Receive, send: Send) -> None:
            inner = constant if scope["type"] == "http" and scope["path"].startswith("/constant/") else app
            await inner(scope, receive, send)

        return choose

    uvicorn.Server(server_config(application(context, beside), context)).run()


def answering(data: bytes) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        return Response(data, media_type="application/json")

    return answer


main(int(sys.argv[1]))
