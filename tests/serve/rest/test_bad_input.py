"""Whatever is sent, the answer is a problem that says what to do, and never a server error."""

import re
import socket

import httpx2
import pytest

BODIES: list[tuple[bytes, int]] = [
    (b'{"name": "a", "name": "b"}', 400),
    (b'{"name": NaN}', 400),
    (b'{"name": 9223372036854775808}', 400),
    (b'{"name": 1e999}', 400),
    (b'{"name": "\\ud800"}', 400),
    (b'{"name": "\xff"}', 400),
    (b"[" * 100_000, 400),
    (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
    (b'{"name": "a\\u0000b"}', 400),
    (b'{"name": ', 400),
    (b"null", 422),
    (b"[]", 422),
    (b"{}", 422),
    (b'{"name": 1}', 422),
    (b'{"name": "a", "nope": 1}', 422),
    (b'{"name": ""}', 422),
]


@pytest.mark.parametrize(("body", "status"), BODIES, ids=[repr(body[:30]) for body, _ in BODIES])
def test_a_body_that_cannot_be_read_or_does_not_fit_is_refused(client: httpx2.Client, body: bytes, status: int) -> None:
    answer = client.post("/api/v1/snapshots", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_a_body_that_is_no_json_is_refused_as_such(client: httpx2.Client) -> None:
    answer = client.post("/api/v1/snapshots", content=b"name=a", headers={"content-type": "text/plain"})
    assert (answer.status_code, "application/json" in answer.json()["remedy"]) == (415, True)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nodes/%ff",
        "/api/v1/settings?setting_name=%ff",
        "/api/v1/system/state?node=%c3",
        "/api/v1/snapshots/%00",
        "/api/v1/search?text=%00",
    ],
)
def test_what_is_no_text_is_refused(client: httpx2.Client, path: str) -> None:
    host, port = client.base_url.host, client.base_url.port
    with socket.create_connection((host, port or 80)) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        assert raw.recv(64).startswith(b"HTTP/1.1 400")


def test_what_is_not_there_says_what_is(client: httpx2.Client) -> None:
    for path, said in (
        ("/api/v1/nodes/NOBODY", "ALPHA"),
        ("/api/v1/system/state?node=NOBODY", "ALPHA"),
        ("/api/v1/snapshots/none", "none"),
        ("/api/v1/why/ALPHA/nothing_such", "nothing_such"),
        ("/nowhere", "/openapi.json"),
        ("/api/v1/nodes/", "/openapi.json"),
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert said in answer.json()["detail"] + answer.json().get("remedy", "")


def test_an_unknown_parameter_is_refused_with_those_there_are(client: httpx2.Client) -> None:
    for path in ("/api/v1/system/state?nodes=ALPHA", "/api/v1/nodes/ALPHA?x=1", "/api/v1/changes/latest?x=1"):
        answer = client.get(path)
        assert answer.status_code == 422
        assert "as_of" in answer.json()["remedy"] or "limit" in answer.json()["remedy"]


def test_a_method_that_is_not_for_a_path_is_refused_with_those_that_are(client: httpx2.Client) -> None:
    for method, path, allowed in (
        ("DELETE", "/api/v1/snapshots", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/api/v1/system/state", "GET, HEAD, OPTIONS"),
        ("TRACE", "/health", "GET, HEAD, OPTIONS"),
    ):
        answer = client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        options = client.options(path)
        assert (options.status_code, options.headers["allow"], options.content) == (204, allowed, b"")


def test_every_answer_has_a_request_id_which_the_caller_may_choose(client: httpx2.Client) -> None:
    assert client.get("/health", headers={"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
    for bad in ("a b", "x" * 65, "<script>"):
        made = client.get("/api/v1/nodes", headers={"x-request-id": bad}).headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{32}", made)


def test_whoever_hangs_up_is_no_harm(client: httpx2.Client) -> None:
    host, port = client.base_url.host, client.base_url.port
    for _ in range(20):
        with socket.create_connection((host, port or 80)) as raw:
            raw.sendall(f"GET /api/v1/system/state HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert client.get("/api/v1/system/state").status_code == 200
