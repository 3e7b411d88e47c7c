"""The guard of a port: one ASGI application around another, which it calls only for requests that may come in."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aya.access import scope as access
from aya.errors import AyaError
from aya.operations.context import Context
from aya.serve.guard.authentication import Authentication
from aya.serve.guard.body import CallerLeft, discard_body, has_body, read_body, refuse_announced, replayed
from aya.serve.guard.hosts import Hosts
from aya.serve.guard.rates import AtOnce, Rate
from aya.serve.guard.security_headers import answer_preflight, with_headers
from aya.serve.problem import send_problem

CONTEXT = "aya.context"
"""Under this key of the ASGI scope the application finds the Context of who asks."""
REQUEST_ID_SHAPE = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Need:
    """What a request takes."""

    scope: access.Scope | None = access.Scope.READ
    """None: nothing; anybody who reaches the port may ask, as whether the server lives."""
    body_limit_bytes: int = 1024 * 1024
    heavy: bool = False
    """Whether it is dear, so that only a few are answered at once: SQL, checks, recording."""


Needs = Callable[[str, str], Need]
"""What a request by that method to that path takes."""


@dataclass(frozen=True)
class Guard:
    """Checks, in this order: Host and Origin, token, rate, scope, body; then calls the application."""

    app: ASGIApp
    context: Context
    hosts: Hosts
    authentication: Authentication
    needs: Needs
    rate: Rate
    at_once: AtOnce
    heavy_at_once: AtOnce
    body_time_s: float
    tls: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection's event, as ASGI says."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})  # AYA speaks none

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _request_id(scope)
        started = body_is_read = False
        send_with = with_headers(send, request_id, tls=self.tls, foreign_origin=None)

        async def send_more(message: Message) -> None:
            nonlocal started
            started = True
            await send_with(message)

        try:
            foreign_origin = self.hosts.check(scope["headers"])
            if foreign_origin is not None:
                send_with = with_headers(send, request_id, tls=self.tls, foreign_origin=foreign_origin)
            if foreign_origin and scope["method"] == "OPTIONS" and _is_preflight(scope):
                await answer_preflight(send_more)
                return
            address = scope["client"][0] if scope.get("client") else None
            caller = await self.authentication.caller(scope["headers"], scope["query_string"], address)
            name = caller.name if caller.token_id is not None else f"{caller.name} at {address}"
            self.rate.take(name)
            need = self.needs(scope["method"], scope["path"])
            if need.scope is not None:
                caller.require(need.scope)
            with ExitStack() as running:
                running.enter_context(self.at_once.one(name, f"requests of {name}"))
                if need.heavy:
                    running.enter_context(self.heavy_at_once.one("", "requests for SQL, checks or recording"))
                if has_body(scope["headers"]):
                    refuse_announced(scope["headers"], need.body_limit_bytes)
                    body = await read_body(receive, limit_bytes=need.body_limit_bytes, time_s=self.body_time_s)
                    receive = replayed(body, receive)
                body_is_read = True
                key = next((value for name, value in scope["headers"] if name == b"idempotency-key"), None)
                asked = self.context.asked_by(caller, request_id, None if key is None else key.decode("latin-1"))
                state = {**scope.get("state", {}), "request_id": request_id}
                inside = {**scope, "state": state, CONTEXT: asked}
                await self.app(inside, receive, send_more)
        except CallerLeft:
            return
        except AyaError as error:
            if started:
                raise
            unread = None if body_is_read or not has_body(scope["headers"]) else partial(discard_body, receive)
            await send_problem(send_more, error, scope["path"], request_id, discard=unread)


def context_of(scope: Scope) -> Context:
    """The context of who sent the request that the guard let in."""
    context: Context = scope[CONTEXT]
    return context


def _request_id(scope: Scope) -> str:
    """The caller's X-Request-ID where it is one, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID_SHAPE.fullmatch(value):
            return str(value.decode())
    return uuid4().hex


def _is_preflight(scope: Scope) -> bool:
    return any(name == b"access-control-request-method" for name, _ in scope["headers"])
