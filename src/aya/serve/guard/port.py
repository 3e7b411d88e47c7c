"""A port of AYA: an application behind its guard, on a server that adds nothing of its own."""

from collections.abc import Callable
from datetime import datetime

from starlette.types import ASGIApp
from uvicorn import Config

from aya.access.caller import Caller
from aya.access.scope import Scope
from aya.access.token import Token
from aya.access.tokens import holder
from aya.operations.context import Context
from aya.operations.operation import Operation
from aya.serve.guard.authentication import Authentication
from aya.serve.guard.bind import is_loopback_only
from aya.serve.guard.connection import LimitedConnection
from aya.serve.guard.guard import Guard, Need, Needs
from aya.serve.guard.hosts import Hosts
from aya.serve.guard.rates import AtOnce, Rate
from aya.settings import Settings

OPEN = frozenset({"/health", "/ready"})
"""Paths that anybody who reaches the port may ask: whether the server lives, which watchers ask without a token."""
HEAVY = frozenset({Scope.SQL, Scope.VERIFY, Scope.COLLECT})


def needs_of(resolve: Callable[[str, str], Operation | None], settings: Settings) -> Needs:
    """What requests take, by the operation that each asks for; what is none takes `read`."""

    def needed(method: str, path: str) -> Need:
        operation = resolve(method, path)
        if operation is None:
            return Need(None if path in OPEN else Scope.READ, settings.body_limit_bytes)
        limit = settings.delivery_limit_bytes if operation.scope is Scope.COLLECT else settings.body_limit_bytes
        return Need(operation.scope, limit, heavy=operation.scope in HEAVY)

    return needed


def guarded(app: ASGIApp, context: Context, needs: Needs, *, foreign_keys_ignored: bool = False) -> Guard:
    """The application behind a guard as the options say. `foreign_keys_ignored`: see `Authentication`."""
    settings = context.settings
    tls = settings.tls_certificate is not None or settings.behind_proxy

    def held(token: Token, address: str | None) -> tuple[Caller, datetime | None]:
        with context.database.connect() as connection:
            return holder(connection, token, address)

    return Guard(
        app=app,
        context=context,
        hosts=Hosts.of(
            host=settings.host,
            port=settings.port,
            tls=tls,
            allowed_hosts=settings.allowed_hosts,
            allowed_origins=settings.allowed_origins,
        ),
        authentication=Authentication(
            held,
            local_may_read=settings.loopback_read and is_loopback_only(settings.host) and not settings.behind_proxy,
            foreign_keys_ignored=foreign_keys_ignored,
        ),
        needs=needs,
        rate=Rate(settings.rate_per_s, 2 * settings.rate_per_s),
        at_once=AtOnce(settings.concurrent_calls),
        heavy_at_once=AtOnce(settings.concurrent_heavy_calls),
        body_time_s=settings.body_time_s,
        tls=tls,
    )


def server_config(app: ASGIApp, context: Context) -> Config:
    """How uvicorn serves it: nothing of a proxy is believed, addresses are not logged, and heads have their limits."""
    settings = context.settings
    return Config(
        app,
        host=settings.host,
        port=settings.port,
        http=LimitedConnection,
        ws="none",
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level=settings.log_level,
        timeout_graceful_shutdown=5,
    )
