"""The application of the embedding service: what answers at which path."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from aya import __version__
from aya.embedding.service import Embedded, Service
from aya.errors import AyaError
from aya.operations.context import Context
from aya.serve.embedding.answers import embed_answer, error_members, json_response, openai_answer
from aya.serve.embedding.forms import EmbedBody, OpenAIBody, read_embed, read_openai
from aya.serve.meters import Meters
from aya.serve.problem import problem_response
from aya.serve.rest.body import StrictRequest
from aya.serve.rest.edge import Edge, Routing
from aya.serve.rest.endpoint import AnswerResponse
from aya.serve.rest.failures import as_own

CLIENT_LEFT = 499
Answering = Callable[[Request], Awaitable[Response]]


def create_app(context: Context) -> Edge:
    """The application for one model, which answers whoever asks: it belongs behind a guard."""
    service = Service(context.settings, context.database)
    routing, meters = Routing(), _meters(service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await run_in_threadpool(service.close)

    app = FastAPI(
        title="AYA embeddings",
        version=__version__,
        summary="Texts to vectors: AYA's own form, that of OpenAI, and that of text-embeddings-inference.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    for kind in (AyaError, HTTPException, Exception):
        app.add_exception_handler(kind, _on_error)

    async def openapi(_: Request) -> Response:
        return json_response(app.openapi())

    async def metrics(_: Request) -> Response:
        return AnswerResponse(meters.exposition())

    answers = Answers(service, context)
    for method, path, answer, body in (
        ("POST", "/embed", answers.embed, EmbedBody),
        ("POST", "/v1/embeddings", answers.openai_embeddings, OpenAIBody),
        ("GET", "/v1/models", answers.openai_models, None),
        ("GET", "/info", answers.info, None),
        ("GET", "/health", answers.health, None),
        ("GET", "/stats", answers.stats, None),
        ("GET", "/metrics", metrics, None),
        ("GET", "/openapi.json", openapi, None),
    ):
        app.add_api_route(path, answer, methods=[method], response_model=None, openapi_extra=_described(body))
        routing.add(method, path)
    return Edge(app, routing, meters)


class Answers:
    """What answers, by path."""

    def __init__(self, service: Service, context: Context) -> None:
        self._service = service
        self._settings = context.settings

    async def embed(self, request: Request) -> Response:
        """Embed `text`, `texts` or (as TEI) `inputs`."""
        body, asked = read_embed(await _json(request))
        found = await _attended(request, self._service.embed(asked))
        if found is None:
            return Response(status_code=CLIENT_LEFT)
        return await _made(found, embed_answer, body, asked, found, self._service.ready().model)

    async def openai_embeddings(self, request: Request) -> Response:
        """Embed `input` as OpenAI does."""
        body, asked = read_openai(await _json(request))
        found = await _attended(request, self._service.embed(asked))
        if found is None:
            return Response(status_code=CLIENT_LEFT)
        return await _made(found, openai_answer, body, asked, found, self._service.ready().model)

    async def openai_models(self, _: Request) -> Response:
        """The one model there is, as OpenAI lists models."""
        model = self._service.ready().model
        return json_response(
            {"object": "list", "data": [{"id": model.name, "object": "model", "created": 0, "owned_by": "aya"}]}
        )

    async def info(self, _: Request) -> Response:
        """What TEI says of itself."""
        model = self._service.ready().model
        return json_response(
            {
                "model_id": model.name,
                "model_sha": model.revision,
                "model_type": {"embedding": {"pooling": str(model.files.pooling)}},
                "max_concurrent_requests": self._settings.concurrent_calls,
                "max_input_length": model.max_tokens,
                "max_client_batch_size": self._settings.embedding_texts,
                "auto_truncate": False,
                "version": __version__,
            }
        )

    async def health(self, _: Request) -> Response:
        """200 with the model once it can embed; 503 with the reason until then."""
        found = self._service.health()
        return json_response(found, status=200 if found["ready"] else 503)

    async def stats(self, _: Request) -> Response:
        """What was done since the start, and how long it took."""
        return json_response(self._service.stats())


LARGE_NUMBERS = 50_000
"""An answer of more numbers is written by a thread, so that nobody waits for it."""


async def _made(found: Embedded, answer: Callable[..., Response], *arguments: Any) -> Response:
    if found.vectors.size > LARGE_NUMBERS:
        return await run_in_threadpool(answer, *arguments)
    return answer(*arguments)


async def _json(request: Request) -> Any:
    strict = StrictRequest(request.scope, request.receive)
    await strict.refuse_other_media()
    return await strict.json()


async def _attended(request: Request, work: Coroutine[Any, Any, Embedded]) -> Embedded | None:
    """What comes of it; None when the client left, for whom nothing more is done."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        for one in (working, leaving):
            if not one.done():
                one.cancel()
                with suppress(asyncio.CancelledError):
                    await one


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _on_error(request: Request, error: Exception) -> Response:
    own, path = as_own(request, error), request.scope["path"]
    return problem_response(own, path, request.state.request_id, error_members(own, path))


def _described(body: type[BaseModel] | None) -> dict[str, Any] | None:
    """What the OpenAPI document says of a body."""
    if body is None:
        return None
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": body.model_json_schema()}}}}


def _meters(service: Service) -> Meters:
    meters, figures = Meters(), service.figures
    for name, said, read in (
        ("aya_embedding_ready", "1 once the model is loaded.", lambda: float(service.health()["ready"])),
        ("aya_embedding_texts", "Texts that were embedded or known.", lambda: figures.texts),
        ("aya_embedding_tokens", "Tokens of these texts.", lambda: figures.tokens),
        ("aya_embedding_cache_hits", "Texts that were known.", lambda: figures.hits),
        ("aya_embedding_cache_misses", "Texts that were not.", lambda: figures.misses),
        (
            "aya_embedding_cache_size_bytes",
            "What the cache takes.",
            lambda: service.cache.size_bytes if service.cache else 0,
        ),
        ("aya_embedding_batches", "Batches that the model was run on.", lambda: figures.batches),
        ("aya_embedding_batched_texts", "Texts in these batches.", lambda: figures.batched),
        ("aya_embedding_inference_seconds", "How long the model ran.", lambda: figures.inference_s),
        ("aya_embedding_failed_requests", "Requests that failed because of the model.", lambda: figures.failed),
        ("aya_embedding_waiting", "Texts that wait for the model.", lambda: service.waiting),
    ):
        meters.show(name, said, read)
    return meters
