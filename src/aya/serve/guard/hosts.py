"""To whom a request is addressed, and which page sent it: a web page must not reach AYA under a name of its own.

A page can let its own name point to 127.0.0.1 (DNS rebinding); its requests then come from this machine, but carry that name
as Host. So Host must be one of AYA's names, and Origin, where there is one, a page of AYA's or one that was allowed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aya.errors import Misdirected, NotAllowed

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Hosts:
    """The names by which AYA may be addressed, and the web origins whose pages may call it."""

    names: frozenset[str]
    origins: frozenset[str]
    foreign_origins: frozenset[str] = frozenset()
    """Those of the origins that are not AYA's own, and were allowed: browsers are told so (CORS)."""

    @classmethod
    def of(
        cls, *, host: str, port: int, tls: bool, allowed_hosts: Iterable[str] = (), allowed_origins: Iterable[str] = ()
    ) -> "Hosts":
        """Those of a server on that address: itself and this machine's names with its port, and what was allowed."""
        standard_port = 443 if tls else 80
        own = [*LOCAL_NAMES, *({f"[{host}]" if ":" in host else host} - {"0.0.0.0", "[::]"})]
        names = {f"{name}:{port}" for name in own} | ({*own} if port == standard_port else set())
        for allowed in allowed_hosts:
            names |= {allowed} if _has_port(allowed) else {allowed, f"{allowed}:{port}"}
        names = {name.lower() for name in names}
        # A proxy may do the TLS, so that pages of AYA's own names are https where AYA speaks http.
        origins = {f"{scheme}://{name}" for name in names for scheme in ("http", "https")}
        foreign = frozenset(origin.lower().rstrip("/") for origin in allowed_origins)
        return cls(frozenset(names), foreign | origins, foreign)

    def check(self, headers: Headers) -> str | None:
        """The foreign origin that sent the request, None when none did.

        Raises Misdirected or NotAllowed for a request that is not addressed to AYA, or comes from another page.
        """
        hosts = [value for name, value in headers if name == b"host"]
        host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else None
        if host not in self.names:
            raise Misdirected(
                f"The request is addressed to {host!r:.200}, which is no name of this server."
                if host is not None
                else f"The request has {len(hosts)} Host headers.",
                remedy="Use one of its names, or add this one to AYA_ALLOWED_HOSTS where AYA runs.",
            )
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        for origin in origins:
            if origin.lower() not in self.origins or len(origins) > 1:
                raise NotAllowed(
                    f"Pages of {origin!r:.200} may not call AYA.",
                    remedy="Add that origin to AYA_ALLOWED_ORIGINS where AYA runs, if they should.",
                )
        return next((origin for origin in origins if origin.lower() in self.foreign_origins), None)


def _has_port(name: str) -> bool:
    return name.rsplit("]", 1)[-1].count(":") == 1
