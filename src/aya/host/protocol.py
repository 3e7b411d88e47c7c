"""Whether what listens somewhere speaks its protocol: one small question, a time limit, and what came back."""

import http.client
import socket
import ssl
import struct
from collections.abc import Callable, Mapping

from aya.host.reading import Answer
from aya.model import Outcome

TIMEOUT_S = 5.0
SHOWN_BYTES = 300
PROTOCOL_3_0 = 196608
NOT_READY = {"57P03": "it does not take connections now", "53300": "it has no connection left to give"}
"""SQLSTATEs by which a PostgreSQL server says that it would not serve anybody."""


def ssh_banner(host: str, port: int) -> Answer:
    """Read the line by which an SSH server names itself (RFC 4253)."""

    def banner(wire: socket.socket) -> Answer:
        said = b""
        # It may send other lines before.
        while len(said) < 8192 and (chunk := wire.recv(1024)):
            said += chunk
            for line in said.split(b"\n")[:-1]:
                if line.startswith(b"SSH-"):
                    return Answer(Outcome.OK, line.strip())
        return Answer(Outcome.FAILED, said[:SHOWN_BYTES], f"{_place(host, port)} names no SSH version")

    return _asked(host, port, banner)


def postgresql_startup(host: str, port: int) -> Answer:
    """Send a startup packet, as every PostgreSQL client does; being asked to log in, or refused as unknown, is an answer.

    A host that is a path is the folder of a Unix socket.
    """

    def startup(wire: socket.socket) -> Answer:
        parameters = b"user\0aya_probe\0database\0postgres\0\0"
        wire.sendall(struct.pack("!II", 8 + len(parameters), PROTOCOL_3_0) + parameters)
        kind, body = _message(wire)
        if kind == b"R" and len(body) >= 4:
            return Answer(Outcome.OK, f"it asks for authentication of kind {struct.unpack('!I', body[:4])[0]}".encode())
        fields = {part[:1]: part[1:].decode("utf-8", "backslashreplace") for part in body.split(b"\0") if part}
        code = fields.get(b"C") if kind == b"E" else None
        if code is None:
            reason = f"{_place(host, port)} does not answer as PostgreSQL does"
            return Answer(Outcome.FAILED, (kind + body)[:SHOWN_BYTES], reason)
        said = f"{fields.get(b'S', '')} {code}: {fields.get(b'M', '')}"
        if code in NOT_READY:
            return Answer(Outcome.FAILED, said.encode(), f"{_place(host, port)}: {NOT_READY[code]}: {fields.get(b'M')}")
        return Answer(Outcome.OK, said.encode())

    return _asked(host, port, startup)


def http_health(host: str, port: int) -> Answer:
    """Ask for `/health`; any status is an answer, but one of 500 and above says that it is not well."""
    return _http(http.client.HTTPConnection(host, port, timeout=TIMEOUT_S), host, port)


def https_health(host: str, port: int) -> Answer:
    """The same through TLS. Whose certificate it is does not matter: what is asked is whether it speaks."""
    anybody = ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    return _http(http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=anybody), host, port)


def _http(connection: http.client.HTTPConnection, host: str, port: int) -> Answer:
    try:
        connection.request("GET", "/health", headers={"User-Agent": "aya", "Connection": "close"})
        response = connection.getresponse()
        said = f"{response.status} {response.reason}\n".encode() + response.read(SHOWN_BYTES)
    except (OSError, http.client.HTTPException) as error:
        return Answer(Outcome.FAILED, reason=f"{_place(host, port)}: {type(error).__name__}: {error}")
    finally:
        connection.close()
    if response.status >= 500:
        return Answer(Outcome.FAILED, said, f"{_place(host, port)} answers {response.status} {response.reason}")
    return Answer(Outcome.OK, said)


PROTOCOLS: Mapping[str, tuple[Callable[[str, int], Answer], str]] = {
    "ssh": (ssh_banner, "read the SSH banner"),
    "postgresql": (postgresql_startup, "send a PostgreSQL startup packet"),
    "http": (http_health, "GET /health"),
    "https": (https_health, "GET /health through TLS"),
}
"""For each protocol the question, and what it is called."""


def _asked(host: str, port: int, question: Callable[[socket.socket], Answer]) -> Answer:
    try:
        with _connected(host, port) as wire:
            return question(wire)
    except OSError as error:
        return Answer(Outcome.FAILED, reason=f"{_place(host, port)}: {error.strerror or error}")


def _connected(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=TIMEOUT_S)
    wire = socket.socket(socket.AF_UNIX)
    try:
        wire.settimeout(TIMEOUT_S)
        wire.connect(f"{host}/.s.PGSQL.{port}")
    except BaseException:
        wire.close()
        raise
    return wire


def _message(wire: socket.socket) -> tuple[bytes, bytes]:
    """Kind and body of a message of PostgreSQL's, of which the first bytes will do."""
    head = _exactly(wire, 5)
    if len(head) < 5:
        return head, b""
    length = struct.unpack("!I", head[1:])[0] - 4
    return head[:1], _exactly(wire, max(0, min(length, 8192)))


def _exactly(wire: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (chunk := wire.recv(size - len(data))):
        data += chunk
    return data


def _place(host: str, port: int) -> str:
    return f"{host} port {port}"
