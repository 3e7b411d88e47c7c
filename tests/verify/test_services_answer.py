"""A service that speaks its protocol passes; one that is silent, speaks another, or says that it is not well fails."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from aya.host import protocol
from aya.model import Interface, Outcome, Service
from tests.verify.conftest import Node, OwnServer

Speaking = Callable[[bytes], int]


@pytest.fixture
def speaking() -> Iterator[Speaking]:
    """A server that says those bytes to everybody who comes; its port."""
    opened: list[socket.socket] = []

    def start(said: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def serve() -> None:
            while True:
                try:
                    wire, _ = listener.accept()
                except OSError:
                    return
                with wire, suppress(OSError):
                    wire.sendall(said)
                    wire.shutdown(socket.SHUT_WR)
                    while wire.recv(1024):
                        pass

        threading.Thread(target=serve, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in opened:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def web(status: int, context: ssl.SSLContext | None = None) -> HTTPServer:
    """A web server that answers everything with that status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(self.path.encode() * 1000)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def listening(name: str, port: int, kind: str | None = None, address: str = "127.0.0.1") -> Service:
    listener = {"protocol": "tcp", "address": address, "port": port}
    return Service(service_name=name, service_type=kind, port=port, metadata={"listeners": [listener]})


def outcomes(node: Node) -> list[tuple[str, str | None]]:
    return [(outcome, reason) for _, outcome, reason in node.tested_by("services_answer")]


@pytest.mark.parametrize("said", [b"SSH-2.0-test\r\n", b"Be welcome\r\nSSH-2.0-test\r\n"])
def test_an_ssh_server_that_names_itself_passes(node: Node, speaking: Speaking, said: bytes) -> None:
    node.has(listening("sshd", speaking(said)))
    (result,) = node.results("services_answer")
    assert (result.outcome, result.evidence) == ("pass", "SSH-2.0-test")
    assert "read the SSH banner at 127.0.0.1 port" in str(result.probe)


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-no end of the line", b"x" * 100_000]
)
@pytest.mark.parametrize(("name", "kind"), [("sshd", None), ("postgres", None)])
def test_a_server_that_speaks_something_else_fails(
    node: Node, speaking: Speaking, said: bytes, name: str, kind: str | None
) -> None:
    node.has(listening(name, speaking(said), kind))
    assert [outcome for outcome, _ in outcomes(node)] == ["fail"]


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "pass"), (404, "pass"), (401, "pass"), (500, "fail"), (503, "fail")]
)
@pytest.mark.parametrize("kind", ["web", "api"])
def test_a_web_server_passes_unless_it_says_that_it_is_not_well(
    node: Node, status: int, outcome: str, kind: str
) -> None:
    server = web(status)
    node.has(listening("anything", server.server_port, kind))
    (result,) = node.results("services_answer")
    server.shutdown()
    server.server_close()
    assert result.outcome == outcome
    assert str(status) in result.evidence
    assert len(result.evidence) < 1000


def test_what_is_no_web_server_fails_as_one(node: Node, speaking: Speaking) -> None:
    node.has(listening("anything", speaking(b"SSH-2.0-test\r\n"), "api"))
    assert [outcome for outcome, _ in outcomes(node)] == ["fail"]


def test_a_web_server_is_asked_through_tls_whoever_signed_its_certificate(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(hours=1)
        )
    ).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "pem").write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    server = web(200, context)
    answer = protocol.https_health("127.0.0.1", server.server_port)
    plain = protocol.http_health("127.0.0.1", server.server_port)
    server.shutdown()
    server.server_close()
    assert answer.outcome is Outcome.OK
    assert plain.outcome is Outcome.FAILED


def test_a_postgresql_server_answers_through_its_socket(node: Node, own_server: OwnServer) -> None:
    folder, port = own_server.route.host, own_server.route.port
    listeners = [{"protocol": "unix", "address": f"{folder}/.s.PGSQL.{port}", "port": None}]
    node.has(Service(service_name="postgres:/x", metadata={"program": "postgres", "listeners": listeners}))
    (result,) = node.results("services_answer")
    assert (result.target, result.outcome) == (f"postgres:/x {folder}", "pass")
    assert "FATAL" in result.evidence


def test_a_postgresql_server_whose_socket_is_gone_fails(node: Node) -> None:
    listeners = [{"protocol": "unix", "address": "/no/such/.s.PGSQL.5432", "port": None}]
    node.has(Service(service_name="postgres", metadata={"program": "postgres", "listeners": listeners}))
    assert [outcome for outcome, _ in outcomes(node)] == ["fail"]


def refusal(code: str) -> bytes:
    body = b"SFATAL\0C" + code.encode() + b"\0Mnot now\0\0"
    return b"E" + struct.pack("!I", 4 + len(body)) + body


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (b"R" + struct.pack("!II", 8, 10), "pass"),
        (refusal("28000"), "pass"),
        (refusal("57P03"), "fail"),
        (refusal("53300"), "fail"),
        (b"R" + struct.pack("!I", 4), "fail"),
        (b"E" + struct.pack("!I", 2**32 - 1) + b"x", "fail"),
        (b"E\0\0", "fail"),
    ],
)
def test_what_a_postgresql_server_answers_is_understood(
    node: Node, speaking: Speaking, said: bytes, outcome: str
) -> None:
    node.has(listening("postgres", speaking(said)))
    assert [found for found, _ in outcomes(node)] == [outcome]


@pytest.mark.parametrize("name", ["ssh", "postgresql", "http", "https"])
def test_a_server_that_is_silent_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(protocol, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = protocol.PROTOCOLS[name][0]("127.0.0.1", silent.getsockname()[1])
    assert answer.outcome is Outcome.FAILED
    assert "timed out" in answer.reason


def test_a_service_of_an_unknown_protocol_is_not_tested(node: Node, speaking: Speaking) -> None:
    node.has(listening("anything", speaking(b"")))
    assert outcomes(node) == []


def test_of_another_node_its_address_is_asked_and_what_the_network_does_not_reach_is_skipped(
    node: Node, speaking: Speaking
) -> None:
    port = speaking(b"SSH-2.0-test\r\n")
    node.has(listening("sshd", port, address="127.0.0.1"))
    (result,) = node.results("services_answer", is_here=False)
    assert (result.outcome, result.reason) == ("skipped", "it listens on ALPHA's own loopback only")
    node.has(listening("sshd", port, address="0.0.0.0"))
    assert node.results("services_answer", is_here=False)[0].reason == "no address of ALPHA is recorded"
    node.has(Interface(interface_name="en0", ipv4_address="192.0.2.1", is_primary=True))
    (result,) = node.results("services_answer", is_here=False)
    assert result.probe == f"read the SSH banner at 192.0.2.1 port {port}"
    assert result.outcome == "fail"
