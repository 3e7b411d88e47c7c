"""What every answer carries, so that a browser does nothing with it that AYA did not mean."""

from starlette.types import Message, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""An answer that says one of these itself keeps its own: a page its policy, a cacheable document its caching."""
OWN = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-ID",
    "Access-Control-Max-Age": "600",
}


def with_headers(send: Send, request_id: str, *, tls: bool, foreign_origin: str | None) -> Send:
    """A `send` that adds them, the request's id, and for pages of a foreign origin that was allowed that they may read."""
    own = [*OWN, STRICT_TRANSPORT] if tls else list(OWN)

    if foreign_origin is not None:
        own.append((b"access-control-allow-origin", foreign_origin.encode("latin-1")))
        own.append((b"access-control-expose-headers", b"ETag, Link, Retry-After, X-Request-ID"))

    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = list(message.get("headers", ()))
            present = {name for name, _ in said}
            said += [header for header in own if header[0] not in present]
            if b"x-request-id" not in present:
                said.append((b"x-request-id", request_id.encode()))
            if foreign_origin is not None:
                said.append((b"vary", b"Origin"))
            message = {**message, "headers": said}
        await send(message)

    return send_more


async def answer_preflight(send: Send) -> None:
    """What a browser asks before it lets a page of a foreign origin send more than a simple request."""
    headers = [(name.lower().encode(), value.encode()) for name, value in PREFLIGHT.items()]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
