"""An answer that is ready to be sent: bytes, their strong tag, and how to send them to whoever has them already, takes
gzip or wants the head only.
"""

import asyncio
import gzip
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from starlette.types import Scope, Send

SMALL_BYTES = 1024
"""Smaller answers are not worth compressing."""
LARGE_BYTES = 32 * 1024 * 1024
"""Larger ones are sent as they are: keeping and making them twice would cost more than it saves."""
LEVEL = 5
ZIPPED = b"-gzip"
"""Ends the tag of what is compressed: a strong tag tells one sequence of bytes from every other."""

Headers = list[tuple[bytes, bytes]]


class Answer:
    """Bytes in one or more pieces with their media type. `tag` is made from them unless it is given."""

    __slots__ = ("_zipped", "headers", "length", "media_type", "pieces", "tag")

    def __init__(
        self,
        pieces: Sequence[bytes],
        media_type: str,
        *,
        tag: bytes | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.pieces = pieces
        self.media_type = media_type
        self.length = sum(map(len, pieces))
        self.tag = tag if tag is not None else tag_of(pieces)
        self.headers: Headers = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        self._zipped: asyncio.Future[bytes] | None = None

    async def send(self, scope: Scope, send: Send) -> None:
        """Send it, or of it what is needed."""
        asked = _asked(scope)
        zipped = SMALL_BYTES <= self.length <= LARGE_BYTES and _takes_gzip(asked.get(b"accept-encoding", b""))
        tag = b'"' + self.tag + (ZIPPED if zipped else b"") + b'"'
        headers: Headers = [
            (b"etag", tag),
            (b"vary", b"accept, accept-encoding"),
            (b"cache-control", b"no-cache"),
            *self.headers,
        ]
        if self._is_known(asked.get(b"if-none-match")):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body"})
            return
        pieces = [await self._compressed()] if zipped else self.pieces
        if zipped:
            headers.append((b"content-encoding", b"gzip"))
        headers += [
            (b"content-type", self.media_type.encode()),
            (b"content-length", str(len(pieces[0]) if zipped else self.length).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in pieces[:-1]:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": pieces[-1] if pieces else b""})

    def _is_known(self, said: bytes | None) -> bool:
        """Whether the caller says that it has this already (RFC 9110, 13.1.2: compared weakly)."""
        if said is None:
            return False
        known = (self.tag, self.tag + ZIPPED)
        return any(
            one == b"*" or one.removeprefix(b"W/").strip(b'"') in known for one in map(bytes.strip, said.split(b","))
        )

    async def _compressed(self) -> bytes:
        """Made once, by the first who asks, beside everything else."""
        if self._zipped is None:
            self._zipped = asyncio.ensure_future(asyncio.to_thread(_gzip, self.pieces))
        return await asyncio.shield(self._zipped)


def tag_of(pieces: Iterable[bytes]) -> bytes:
    """The tag of what consists of these bytes."""
    hashed = blake2b(digest_size=16)
    for piece in pieces:
        hashed.update(piece)
    return hashed.hexdigest().encode()


def _gzip(pieces: Sequence[bytes]) -> bytes:
    return gzip.compress(b"".join(pieces), LEVEL, mtime=0)


def _asked(scope: Scope) -> dict[bytes, bytes]:
    """The headers that matter; of one that stands there several times, all of them."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in (b"if-none-match", b"accept-encoding"):
            found[name] = found[name] + b", " + value if name in found else value
    return found


def _takes_gzip(said: bytes) -> bool:
    if b"gzip" not in said and b"*" not in said:
        return False
    quality: dict[bytes, bool] = {}
    for part in said.lower().split(b","):
        coding, _, parameters = part.partition(b";")
        value = parameters.replace(b" ", b"").removeprefix(b"q=").strip(b"0.")
        quality[coding.strip()] = bool(value) or not parameters.strip()
    return quality.get(b"gzip", quality.get(b"*", False))
