"""Whether something accepts connections on an address and port of this machine."""

import socket
from ipaddress import ip_address

from aya.host.reading import Answer
from aya.model import Outcome

TIMEOUT_S = 3.0


def accepts(address: str, port: int) -> Answer:
    """Connect by TCP and hang up. A wildcard address is asked through its loopback."""
    try:
        parsed = ip_address(address.split("%")[0])
    except ValueError:
        return Answer(Outcome.UNREADABLE, reason=f"{address!r} is not an address")
    if parsed.is_unspecified:
        address = "127.0.0.1" if parsed.version == 4 else "::1"
    try:
        with socket.create_connection((address, port), timeout=TIMEOUT_S):
            return Answer(Outcome.OK, f"{address} port {port} accepted a connection".encode())
    except OSError as error:
        return Answer(Outcome.FAILED, reason=f"{address} port {port}: {error.strerror or error}")
