"""The whole application: edge, memory, framework, from the outside in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aya import __version__
from aya.db.adhoc.workers import workers
from aya.errors import AyaError
from aya.operations.context import Context
from aya.operations.operation import operations
from aya.serve.mcp import transports as agents
from aya.serve.mcp.server import Asking
from aya.serve.meters import Meters
from aya.serve.rest.body import StrictRequest
from aya.serve.rest.describe import describe
from aya.serve.rest.edge import Edge, Routing
from aya.serve.rest.endpoint import AnswerResponse, endpoint
from aya.serve.rest.events import ChangeStream
from aya.serve.rest.failures import on_error
from aya.serve.rest.health import health, ready
from aya.serve.rest.hot import HotState
from aya.serve.rest.kept import PREFIX, FromMemory, Kept
from aya.serve.rest.page import documentation, style


def create_app(context: Context) -> Edge:
    """The application for one AYA, which answers whoever asks: it belongs behind a guard, see `aya.serve.rest.server`.

    What a request asks for stands in its scope as `aya.operation`, who asks as `aya.context`.
    """
    hot, stream, routing = HotState(context.database), ChangeStream(context.database), Routing()
    meters = _meters(hot, stream)

    def who(request: Request) -> Asking:
        own: Context = request.scope["aya.context"]
        return Asking(own, own.caller.scopes)

    for_agents = agents.http_app(who)
    for_sql = workers(context.settings.sql_concurrency)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Nobody waits for them: who asks before they are there starts one.
        starting = asyncio.create_task(run_in_threadpool(for_sql.get_ready))
        async with for_agents.router.lifespan_context(for_agents):
            yield
        await run_in_threadpool(for_sql.close)
        await stream.close()
        await hot.close()
        if context.pool is not None:
            await run_in_threadpool(context.pool.close)
        await starting

    app = FastAPI(
        title="AYA",
        version=__version__,
        summary="One verified truth about a set of machines, kept in PostgreSQL.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    for kind in (AyaError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, on_error)
    app.router.route_class = StrictRoute
    for operation in operations().values():
        for route in operation.routes:
            app.add_api_route(
                PREFIX + route.path,
                endpoint(operation, route, stream),
                methods=[route.method],
                name=operation.name,
                response_model=None,
                openapi_extra={"x-aya": (operation.name, route.path)},
            )
            routing.add(route.method, PREFIX + route.path, operation)
    app.router.routes.append(Route(agents.PATH, for_agents, include_in_schema=False))
    routing.add("POST", agents.PATH)
    _add_the_rest(app, context, meters, routing)
    return Edge(FromMemory(app, Kept(hot)), routing, meters)


def _add_the_rest(app: FastAPI, context: Context, meters: Meters, routing: Routing) -> None:
    """What is no operation: for those who watch, and for those who want to know what there is."""

    async def alive() -> Response:
        return health()

    async def is_ready() -> Response:
        return await ready(context)

    async def metrics() -> Response:
        return AnswerResponse(meters.exposition())

    async def openapi() -> Response:
        return AnswerResponse(await run_in_threadpool(describe, app, context))

    async def docs() -> Response:
        return await run_in_threadpool(documentation, app, context)

    async def css() -> Response:
        return style()

    for path, answer in {
        "/health": alive,
        "/ready": is_ready,
        "/metrics": metrics,
        "/openapi.json": openapi,
        "/docs": docs,
        "/docs.css": css,
    }.items():
        app.add_api_route(path, answer, methods=["GET"], response_model=None, include_in_schema=False)
        routing.add("GET", path)


def _meters(hot: HotState, stream: ChangeStream) -> Meters:
    meters = Meters()
    for name, said, read in (
        ("aya_state_nodes", "Nodes whose state is kept in memory.", lambda: hot.count),
        ("aya_state_size_bytes", "Bytes of state that are kept in memory, uncompressed.", lambda: hot.size_bytes),
        ("aya_state_generation", "How often anything changed since the start.", lambda: hot.generation),
        ("aya_state_rebuilt", "States of nodes that were built since the start.", lambda: hot.rebuilt),
        ("aya_change_listeners", "Listeners of the stream of changes.", lambda: stream.listeners),
    ):
        meters.show(name, said, read)
    return meters


class StrictRoute(APIRoute):
    """A route that takes only strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """What handles a request."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if request.method == "POST":
                await strict.refuse_other_media()
            return await handle(strict)

        return strictly
