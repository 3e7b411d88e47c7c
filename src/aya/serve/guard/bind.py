"""Where AYA may be served: to this machine as it is; to others only with tokens, and with TLS or a word that it is not needed."""

from collections.abc import Sequence
from ipaddress import ip_address

from aya.access.tokens import KeptToken
from aya.errors import ConfigurationError, UnsafeToServe
from aya.settings import Settings


def is_loopback_only(host: str) -> bool:
    """Whether a server on that address is reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_unsafe_bind(settings: Settings, tokens: Sequence[KeptToken]) -> None:
    """Raise UnsafeToServe, saying how to do it, when anybody could enter the server or listen in on it."""
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise ConfigurationError(
            "A certificate needs its key, and a key its certificate.", remedy="Set AYA_TLS_CERTIFICATE and AYA_TLS_KEY."
        )
    for path in (settings.tls_certificate, settings.tls_key):
        if path is not None and not path.is_file():
            raise ConfigurationError(f"{path} is not a file.", remedy="Name the PEM files of certificate and key.")
    if is_loopback_only(settings.host):
        return
    lacking = []
    if not any(token.status == "valid" for token in tokens):
        lacking.append("no valid token exists: `aya token create NAME --scope read` makes one")
    if settings.tls_certificate is None and not settings.behind_proxy and not settings.plain_http_allowed:
        lacking.append(
            "there is no TLS: set AYA_TLS_CERTIFICATE and AYA_TLS_KEY, or AYA_BEHIND_PROXY=true where a proxy does it, "
            "or AYA_PLAIN_HTTP_ALLOWED=true where the network itself is encrypted"
        )
    if lacking:
        raise UnsafeToServe(
            f"AYA is not served on {settings.host}, where others could reach it: {'; '.join(lacking)}.",
            remedy="Do that, or serve 127.0.0.1 only.",
        )
