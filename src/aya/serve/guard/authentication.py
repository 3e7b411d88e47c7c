"""Who calls: the holder of a token, somebody on this machine, or nobody that is known."""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from urllib.parse import unquote

from aya.access.caller import Caller, anonymous, loopback
from aya.access.token import SHAPE, Token, read_token
from aya.errors import NotAuthenticated, RequestRefused, TooManyRequests
from aya.serve.guard.rates import Rate

Headers = Sequence[tuple[bytes, bytes]]
Holder = Callable[[Token, str | None], tuple[Caller, datetime | None]]
"""Who holds a token, and until when; raises NotAuthenticated. May wait for the database: it is called in a thread."""

BELIEVED_S = 1.0
"""How long a token that was found valid is believed without looking again: a revocation is in force after this time."""
BELIEVED_AT_ONCE = 1000
FAILURES_PER_S, FAILURES_AT_ONCE = 1 / 6, 10
"""Tokens that are not valid, from one address: ten at once, then ten a minute."""
FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"})
"""What a proxy adds. Nobody gains anything by it; but who was forwarded is not on this machine."""
BEGINNING = b"aya_"
"""Of every token of AYA's."""
NAMES_OF_TOKENS = re.compile(r"(?:^|&)(?:access_token|token|auth(?:orization)?|bearer|api_?key)=", re.IGNORECASE)


@dataclass
class Authentication:
    """Tells who calls."""

    holder: Holder
    local_may_read: bool
    """Whether callers of this machine may read without a token: only where the server listens to this machine alone."""
    foreign_keys_ignored: bool = False
    """Whether a key of another service counts as none for a caller who needs none: its clients cannot send nothing."""
    believed_s: float = BELIEVED_S
    _believed: OrderedDict[bytes, tuple[Caller, float, datetime | None]] = field(default_factory=OrderedDict)
    _failures: Rate = field(default_factory=lambda: Rate(FAILURES_PER_S, FAILURES_AT_ONCE))

    async def caller(self, headers: Headers, query: bytes, address: str | None) -> Caller:
        """Who calls. Raises NotAuthenticated for a token that is not valid, TooManyRequests after many of those."""
        refuse_token_in_query(query)
        given = [value for name, value in headers if name == b"authorization"]
        if self._needs_none(headers, address) and (not given or (self.foreign_keys_ignored and _are_foreign(given))):
            return loopback(str(address))
        if not given:
            return anonymous(address)
        try:
            return await self._holder_of(given, address)
        except NotAuthenticated:
            self._count_failure(address)
            raise

    def _needs_none(self, headers: Headers, address: str | None) -> bool:
        forwarded = any(name in FORWARDED for name, _ in headers)
        return self.local_may_read and not forwarded and address is not None and _is_loopback(address)

    async def _holder_of(self, given: list[bytes], address: str | None) -> Caller:
        if len(given) > 1:
            raise NotAuthenticated(
                "There are two Authorization headers.", remedy="Send one: `Authorization: Bearer TOKEN`."
            )
        kind, _, sent = given[0].decode("latin-1").partition(" ")
        if kind.lower() != "bearer":
            raise NotAuthenticated("The Authorization is none of AYA's.", remedy="Send `Authorization: Bearer TOKEN`.")
        token = read_token(sent.strip())
        key = sha256(token.text.encode()).digest()
        known = self._believed.get(key)
        if known is not None:
            caller, until, expires_at = known
            if time.monotonic() < until and (expires_at is None or datetime.now(UTC) < expires_at):
                return caller if caller.address == address else _from(caller, address)
            del self._believed[key]
        # Whoever was let in before is not shut out by what others try from the same address.
        elif self._failures.is_spent(str(address)):
            raise TooManyRequests(
                "Too many tokens from this address were not valid.",
                remedy="Wait for as long as Retry-After says, then send a valid one.",
                retry_after_s=self._failures.wait_s(str(address)),
            )
        caller, expires_at = await asyncio.to_thread(self.holder, token, address)
        self._believed[key] = (caller, time.monotonic() + self.believed_s, expires_at)
        if len(self._believed) > BELIEVED_AT_ONCE:
            self._believed.popitem(last=False)
        return caller

    def _count_failure(self, address: str | None) -> None:
        # All callers of this machine share its address: one of them could shut out the others.
        if address is not None and _is_loopback(address):
            return
        try:
            self._failures.take(str(address))
        except TooManyRequests as spent:
            spent.message = "Too many tokens from this address were not valid."
            raise spent from None


def refuse_token_in_query(query: bytes) -> None:
    """Raise RequestRefused for a token in the address: addresses are logged, kept in histories and passed on."""
    if not query:
        return
    text = unquote(query.decode("latin-1"))
    if NAMES_OF_TOKENS.search(text) or SHAPE.search(text):
        raise RequestRefused(
            "A token does not belong into an address: those are logged and passed on.",
            remedy="Send it as `Authorization: Bearer TOKEN`; if it was a real one, `aya token revoke` it now.",
        )


@lru_cache(1024)
def _is_loopback(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return (mapped or parsed).is_loopback


def _are_foreign(given: list[bytes]) -> bool:
    """Whether these are keys of another service; what looks like a token of AYA's is to be one."""
    return not any(BEGINNING in value for value in given)


def _from(caller: Caller, address: str | None) -> Caller:
    return Caller(name=caller.name, scopes=caller.scopes, node=caller.node, address=address, token_id=caller.token_id)
