"""Send a document to the AYA elsewhere: one POST, no redirects, the token only over TLS or to this machine."""

import json
import ssl
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from aya import __version__
from aya.errors import DeliveryFailed, PayloadRefused, UsageError

PATH = "/api/v1/collections"
TIMEOUT_S = 60
ANSWER_LIMIT_BYTES = 1024 * 1024
REFUSED_FOR_GOOD = (400, 413, 415, 422)
"""Answers that would be the same the next time. Others wait for somebody: for another token, or for an approval."""


@dataclass(frozen=True)
class Destination:
    """Where to send to, and with what token."""

    url: str
    """`https://aya.example.org` or with a path before AYA's own; PATH is added."""
    token: str = field(repr=False)
    plain_http_allowed: bool = False

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            parts.port  # noqa: B018 - reading it is what checks it
        except ValueError as error:
            raise UsageError(f"{self.url:.200} is not a URL: {error}.", remedy="Write https://HOST[:PORT].") from None
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.query
            or parts.fragment
            or parts.username
        ):
            raise UsageError(
                "The destination is not a plain URL of a server.",
                remedy="Write https://HOST[:PORT]; the token is given by AYA_TOKEN_FILE or AYA_TOKEN.",
            )
        if parts.scheme == "http" and not _is_this_machine(parts.hostname) and not self.plain_http_allowed:
            raise UsageError(
                f"http://{parts.hostname} would show the token to everybody on the way.",
                remedy="Use https://, or set AYA_PLAIN_HTTP_ALLOWED=true where the network itself is encrypted.",
            )

    def send(self, document: bytes) -> Any:
        """Send it; the answer. Raises PayloadRefused when it is refused for good, DeliveryFailed when it may work later.

        The same document has the same Idempotency-Key, so that one whose answer was lost is not recorded twice.
        """
        parts = urlsplit(self.url)
        connection: HTTPConnection
        if parts.scheme == "https":
            connection = HTTPSConnection(
                parts.hostname or "", parts.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            connection = HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": sha256(document).hexdigest(),
            "User-Agent": f"aya/{__version__}",
        }
        try:
            connection.request("POST", parts.path.rstrip("/") + PATH, document, headers)
            response = connection.getresponse()
            status, body = response.status, response.read(ANSWER_LIMIT_BYTES)
        except (OSError, HTTPException) as error:
            raise DeliveryFailed(
                f"{self.url} did not take the state: {error or type(error).__name__}.",
                remedy="It waits, and is sent at the next `aya collect --to`, before newer ones.",
            ) from error
        finally:
            connection.close()
        said = _document(body)
        if status == 200 and isinstance(said, dict) and "run_id" in said:
            return said
        detail = (
            " ".join(str(said[name]) for name in ("detail", "remedy") if name in said) if isinstance(said, dict) else ""
        )
        message = f"{self.url} answered {status}: {detail or 'nothing that could be read'}"
        if status in REFUSED_FOR_GOOD:
            raise PayloadRefused(message)
        raise DeliveryFailed(message, remedy="It waits, and is sent at the next `aya collect --to`, before newer ones.")


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
