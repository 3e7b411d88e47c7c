"""A request's body, taken in whole before anybody is called: counted as it arrives, and no longer than its time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from starlette.types import Message, Receive

from aya.errors import BodyTooLarge, BodyTooSlow, UnsupportedMedia

Headers = Sequence[tuple[bytes, bytes]]
LINGER_BYTES = 8 * 1024 * 1024
LINGER_S = 3.0


class CallerLeft(Exception):
    """The connection was closed before the body was here."""


def has_body(headers: Headers) -> bool:
    """Whether a body is announced."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0") for name, value in headers
    )


def refuse_announced(headers: Headers, limit_bytes: int) -> None:
    """Raise UnsupportedMedia or BodyTooLarge for a body that need not be read to be refused."""
    for name, value in headers:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise UnsupportedMedia(
                f"A body encoded as {value.decode('latin-1')!r:.60} is not taken.", remedy="Send it as it is."
            )
        if name == b"content-length" and value.strip().isdigit() and int(value[:20]) > limit_bytes:
            raise _too_large(limit_bytes)


async def read_body(receive: Receive, *, limit_bytes: int, time_s: float) -> bytes:
    """The body. Raises BodyTooLarge, BodyTooSlow, and CallerLeft when it ends too early."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(time_s):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise CallerLeft
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > limit_bytes:
                    raise _too_large(limit_bytes)
                parts.append(part)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise BodyTooSlow(f"The body was not here within {time_s:g} seconds.", remedy="Send it faster.") from None


async def discard_body(receive: Receive) -> None:
    """Let go by some of what is still being sent, so that a caller who sends first and listens then hears the answer."""
    left = LINGER_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read, and then what the connection gives."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _too_large(limit_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body is larger than {limit_bytes} bytes.",
        remedy="Send less, or raise AYA_BODY_LIMIT_BYTES where AYA runs: for states AYA_DELIVERY_LIMIT_BYTES, for embeddings "
        "AYA_EMBEDDING_BODY_LIMIT_BYTES.",
    )
