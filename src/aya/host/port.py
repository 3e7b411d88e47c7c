"""Whether something accepts connections on an address and port of this machine."""

import socket
from ipaddress import ip_address

from aya.host.reading import Answer
from aya.model import Outcome

TIMEOUT_S = 3.0


def accepts(address: str, port: int) -> Answer:
    """Connect by TCP and hang up. A wildcard address is asked through its loopback."""
    try:
        address = loopback_of_wildcard(address)
    except ValueError:
        return Answer(Outcome.UNREADABLE, reason=f"{address!r} is not an address")
    try:
        with socket.create_connection((address, port), timeout=TIMEOUT_S):
            return Answer(Outcome.OK, f"{address} port {port} accepted a connection".encode())
    except OSError as error:
        return Answer(Outcome.FAILED, reason=f"{address} port {port}: {error.strerror or error}")


def loopback_of_wildcard(address: str) -> str:
    """Where to ask on this machine for what listens on an address. Raises ValueError for what is no address."""
    parsed = ip_address(address.split("%")[0])
    if not parsed.is_unspecified:
        return address
    return "127.0.0.1" if parsed.version == 4 else "::1"
