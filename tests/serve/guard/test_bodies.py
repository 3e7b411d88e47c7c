"""Bodies and heads that are too large, too slow or not what they say, sent to a server in a process of its own."""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from aya.db.database import Database
from aya.operations.context import Context
from aya.operations.tokens import create_token
from tests.serve.guard.port import everything

LIMIT = 64 * 1024
DELIVERY_LIMIT = 1024 * 1024
GROWTH_LIMIT_BYTES = 50 * 1024 * 1024
SERVE = """
import sys
from pathlib import Path
from aya.operations.context import Context
from aya.serve.guard.connection import LimitedConnection
from aya.settings import Settings
from tests.serve.guard.port import Door, served

LimitedConnection.headers_time_s = 2.5
settings = Settings(
    home=Path(sys.argv[1]), body_limit_bytes=64 * 1024, delivery_limit_bytes=1024 * 1024, body_time_s=2.5, rate_per_s=0
)
with served(Context(settings), Door()) as port:
    print(port.number, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Server:
    number: int
    process: psutil.Process
    token: str

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.number), timeout=20)

    def head(self, path: str, *more: str) -> bytes:
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.number}",
            f"Authorization: Bearer {self.token}",
            *more,
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def said(self, data: bytes) -> tuple[int, dict[str, object]]:
        with self.connect() as connection:
            connection.sendall(data)
            return answer(everything(connection))


def answer(data: bytes) -> tuple[int, dict[str, object]]:
    if not data:
        return 0, {}
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body) if body.startswith(b"{") else {}


@pytest.fixture(scope="module")
def server(context: Context) -> Iterator[Server]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(context.settings.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    ) as process:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), psutil.Process(process.pid), "")
        process.communicate(timeout=30)  # it serves until its input ends


@pytest.fixture
def port(context: Context, database: Database, server: Server) -> Server:
    token = create_token(context, "bomber", scope=["read", "collect"], node="ALPHA").token
    return Server(server.number, server.process, token)


def flood(port: Server, head: bytes, chunk: bytes, times: int) -> tuple[int, int]:
    """Send a chunk again and again until the other side answers or cuts; the status (0: cut) and the bytes sent."""
    sent = 0
    with port.connect() as connection:
        connection.sendall(head)
        try:
            for _ in range(times):
                if select.select([connection], [], [], 0)[0]:
                    break
                connection.sendall(chunk)
                sent += len(chunk)
            return answer(everything(connection))[0], sent
        except (BrokenPipeError, ConnectionResetError):
            return 0, sent


def test_a_body_a_hundred_times_too_large_is_cut_wherever_it_says_so(port: Server) -> None:
    before = port.process.memory_info().rss
    assert flood(port, port.head("/", f"Content-Length: {100 * LIMIT}"), b"x" * LIMIT, 100)[0] in (413, 0)
    chunk = f"{LIMIT:x}\r\n".encode() + b"x" * LIMIT + b"\r\n"
    for path, limit in (("/", LIMIT), ("/collect", DELIVERY_LIMIT)):
        status, sent = flood(port, port.head(path, "Transfer-Encoding: chunked"), chunk, 1000 * limit // LIMIT)
        assert status in (413, 0)
        assert sent < 500 * limit
    assert port.process.memory_info().rss - before < GROWTH_LIMIT_BYTES
    assert port.said(port.head("/", "Content-Length: 2", "Connection: close") + b"{}")[0] == 200


def test_a_body_at_its_limit_is_taken_and_one_byte_more_is_not(port: Server) -> None:
    for path, limit in (("/", LIMIT), ("/collect", DELIVERY_LIMIT)):
        for size, status in ((limit, 200), (limit + 1, 413)):
            head = port.head(path, f"Content-Length: {size}", "Connection: close")
            with port.connect() as connection:
                connection.sendall(head)
                try:
                    connection.sendall(b"x" * size)
                except (BrokenPipeError, ConnectionResetError):
                    assert status == 413
                said, document = answer(everything(connection))
                assert said in ((status,) if status == 200 else (413, 0))
                assert document.get("bytes", limit) == limit


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate", "gzip, gzip", "x-evil"])
def test_an_encoded_body_is_not_unpacked(port: Server, encoding: str) -> None:
    status, problem = port.said(port.head("/", f"Content-Encoding: {encoding}", "Content-Length: 5") + b"12345")
    assert status == 415
    assert encoding in str(problem["detail"])


def test_a_slow_body_is_cut_however_small_its_steps(port: Server) -> None:
    for more in ("Content-Length: 1000", "Transfer-Encoding: chunked"):
        started = time.monotonic()
        with port.connect() as connection:
            connection.sendall(port.head("/", more))
            try:
                while not select.select([connection], [], [], 0.2)[0]:
                    connection.sendall(b"1\r\nx\r\n" if "chunked" in more else b"x")
                    assert time.monotonic() - started < 15
                assert answer(everything(connection))[0] in (408, 0)
            except (BrokenPipeError, ConnectionResetError):
                pass


@pytest.mark.parametrize(
    ("more", "body"),
    [
        (("Content-Length: 5",), b"1234567890"),
        (("Content-Length: 5", "Content-Length: 10"), b"1234567890"),
        (("Content-Length: 5", "Transfer-Encoding: chunked"), b"5\r\n12345\r\n0\r\n\r\n"),
        (("Content-Length: -1",), b"12345"),
        (("Content-Length: 0x5",), b"12345"),
        (("Content-Length: 99999999999999999999999999",), b"12345"),
        (("Transfer-Encoding: chunked",), b"ffffffffffffffffff\r\n12345"),
        (("Transfer-Encoding: chunked",), b"zz\r\n12345\r\n"),
        (("Transfer-Encoding: gzip, chunked",), b"5\r\n12345\r\n0\r\n\r\n"),
    ],
)
def test_a_lie_about_a_length_ends_in_an_answer_or_a_cut(port: Server, more: tuple[str, ...], body: bytes) -> None:
    with port.connect() as connection:
        connection.sendall(port.head("/", *more, "Connection: close") + body)
        status, document = answer(everything(connection))
    assert status < 500
    assert document.get("bytes", 5) == 5


def test_a_caller_that_leaves_amid_its_body_is_forgotten(port: Server) -> None:
    with port.connect() as connection:
        connection.sendall(port.head("/", "Content-Length: 1000") + b"x")
    assert port.said(port.head("/", "Content-Length: 2", "Connection: close") + b"{}") == (
        200,
        {"caller": "token:bomber", "bytes": 2},
    )


def test_an_endless_head_is_cut(port: Server) -> None:
    before = port.process.memory_info().rss
    status, sent = flood(port, port.head("/")[:-2], b"X-More: " + b"x" * 8000 + b"\r\n", 20_000)
    assert status in (431, 400, 0)
    assert sent < 20_000 * 8000
    status, sent = flood(port, b"GET /", b"x" * 8000, 20_000)
    assert status in (431, 400, 0)
    assert port.process.memory_info().rss - before < GROWTH_LIMIT_BYTES


def test_a_slow_head_is_cut_also_on_a_connection_that_was_used(port: Server) -> None:
    for first in (b"", port.head("/", "Content-Length: 2") + b"{}"):
        with port.connect() as connection:
            if first:
                connection.sendall(first)
                answered = b""
                while not answered.endswith(b"}"):
                    answered += connection.recv(4096)
                assert answered.startswith(b"HTTP/1.1 200")
            started = time.monotonic()
            try:
                while not select.select([connection], [], [], 0.2)[0]:
                    connection.sendall(b"G" if time.monotonic() - started < 0.1 else b"")
                    assert time.monotonic() - started < 15
                assert connection.recv(10) == b""
            except (BrokenPipeError, ConnectionResetError):
                pass


def test_without_a_token_a_body_is_not_awaited_and_whoever_sends_it_hears_why(port: Server) -> None:
    head = f"POST /collect HTTP/1.1\r\nHost: 127.0.0.1:{port.number}\r\nContent-Length: 1000000\r\n\r\n".encode()
    for body in (b"", b"x" * 1_000_000):
        with port.connect() as connection:
            connection.sendall(head + body)
            status, problem = answer(everything(connection))
            assert (status, "needs a token" in str(problem["detail"])) == (401, True)
