"""Who comes in at a port, over real HTTP: addressed to AYA, known, allowed, not too often."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from aya.access.token import make_token
from aya.db.database import Database
from aya.operations.context import Context
from aya.operations.tokens import create_token, revoke_token
from aya.serve.guard import authentication
from tests.serve.guard.port import Door, Port, bearer, served


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def port(context: Context, database: Database, door: Door) -> Iterator[Port]:
    with served(context, door) as port:
        yield port


def with_options(context: Context, **options: object) -> Context:
    return Context(context.settings.model_copy(update=options))


HOSTS = (
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1",
    "localhost",
    "127.0.0.1:1",
    "localhost:{port}.evil.example",
    "evil.example@127.0.0.1:{port}",
    "127.0.0.1:{port}, evil.example",
    "127.0.0.2:{port}",
    "0.0.0.0:{port}",
    "[::]:{port}",
    "127.1:{port}",
    "2130706433:{port}",
    "localhost.:{port}",
    "",
)
ORIGINS = (
    "http://evil.example",
    "https://evil.example:{port}",
    "null",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost:{port}.evil.example",
    "http://127.0.0.1.evil.example:{port}",
    "file://",
    "chrome-extension://abc",
    "http://evil.example http://127.0.0.1:{port}",
    "//127.0.0.1:{port}",
    "127.0.0.1:{port}",
    "http://localhost:{port}/",
    "ftp://localhost:{port}",
    "",
)


def test_thirty_combinations_of_host_and_origin_and_none_comes_in(port: Port, door: Door) -> None:
    statuses = []
    for host in HOSTS:
        head = f"GET /open HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".replace("{port}", str(port.number))
        statuses.append(port.said(head.encode()).split(b" ")[1])
    for origin in ORIGINS:
        head = f"GET /open HTTP/1.1\r\nHost: 127.0.0.1:{{port}}\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"
        statuses.append(port.said(head.replace("{port}", str(port.number)).encode()).split(b" ")[1])
    assert len(statuses) == 30
    assert set(statuses[: len(HOSTS)]) == {b"421"}
    assert set(statuses[len(HOSTS) :]) == {b"403"}
    assert door.entered == 0


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST:{port}"])
@pytest.mark.parametrize("origin", [None, "http://{host}"])
def test_aya_is_reached_by_its_own_names_and_from_its_own_pages(port: Port, host: str, origin: str | None) -> None:
    host = host.replace("{port}", str(port.number))
    headers = {"Host": host} | ({"Origin": origin.replace("{host}", host)} if origin else {})
    assert port.request("GET", "/", headers=headers)[0].status == 200


def test_no_host_and_two_hosts_are_refused(port: Port, door: Door) -> None:
    for hosts in ("", f"Host: 127.0.0.1:{port.number}\r\nHost: evil.example\r\n"):
        answer = port.said(f"GET /open HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n".encode())
        assert answer.split(b" ")[1] in (b"421", b"400")
    assert door.entered == 0


def test_a_name_and_an_origin_can_be_allowed(context: Context, database: Database, door: Door) -> None:
    allowed = with_options(
        context, allowed_hosts=("aya.example.org",), allowed_origins=("https://grafana.example.org",)
    )
    with served(allowed, door) as port:
        for host in ("aya.example.org", f"aya.example.org:{port.number}"):
            assert port.get(Host=host)[0] == 200
        assert port.get(Host="www.aya.example.org")[0] == 421
        answer, _ = port.request("GET", "/", headers={"Origin": "https://grafana.example.org"})
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "https://grafana.example.org"
        asked = {"Origin": "https://grafana.example.org", "Access-Control-Request-Method": "POST"}
        answer, _ = port.request("OPTIONS", "/admin", headers=asked)
        assert (answer.status, "Authorization" in answer.headers["Access-Control-Allow-Headers"]) == (204, True)
        assert port.request("OPTIONS", "/", headers=asked | {"Origin": "https://evil.example"})[0].status == 403


def test_on_this_machine_reading_needs_no_token_and_everything_else_does(port: Port) -> None:
    assert port.get() == (200, {"caller": "loopback", "bytes": 0})
    assert port.get("/sql")[0] == 200
    for path in ("/verify", "/admin", "/collect"):
        answer, problem = port.request("GET", path)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="AYA"')
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert f"scope {path[1:]}" in problem["detail"]
        assert problem["remedy"]


def test_reading_can_be_made_to_need_a_token(context: Context, database: Database, door: Door) -> None:
    with served(with_options(context, loopback_read=False), door) as port:
        assert port.get()[0] == 401
        assert port.get("/open")[0] == 200
        assert port.get(token=create_token(context, "reader").token)[0] == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"])
def test_what_a_proxy_says_gains_nobody_anything(port: Port, header: str) -> None:
    assert port.get(**{header.replace("-", "_"): "127.0.0.1"})[0] == 401


def test_behind_a_proxy_nobody_is_local(context: Context, database: Database, door: Door) -> None:
    with served(with_options(context, behind_proxy=True), door) as port:
        assert port.get()[0] == 401
        answer, _ = port.request("GET", "/open")
        assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_a_token_may_what_its_scopes_say(context: Context, port: Port) -> None:
    paths = ("/", "/sql", "/verify", "/collect", "/admin")
    scopes = ("read", "sql", "verify", "collect", "admin")
    for number, scope in enumerate(scopes):
        made = create_token(context, scope, scope=[scope], node="ALPHA" if scope == "collect" else None)
        let_in = [path for path in paths if port.get(path, made.token)[0] == 200]
        assert let_in == ([paths[number]] if scope != "admin" else ["/", "/sql", "/verify", "/admin"])
        refused = [port.get(path, made.token) for path in paths if path not in let_in]
        assert {status for status, _ in refused} == {403}
        assert all(f"token:{scope} may not" in problem["detail"] for _, problem in refused)


def test_a_token_that_is_not_valid_is_refused_even_for_what_needs_none(
    context: Context, port: Port, door: Door
) -> None:
    made = create_token(context, "reader").token
    assert port.get(token=made)[0] == 200
    revoke_token(context, "reader")
    entered = door.entered
    for sent in (made, make_token().text, made[:-1], "", "x" * 5000, "aya_"):
        assert port.get(token=sent)[0] == 401
    for value in ("Basic YTpi", "Bearer", made, f"Bearer {made} {made}", f"Token {made}"):
        assert port.request("GET", "/open", headers={"Authorization": value})[0].status in (401, 429)
    assert door.entered == entered


def test_a_valid_token_is_believed_for_a_moment_only(context: Context, database: Database, door: Door) -> None:
    with served(context, door, believed_s=3600) as port:
        made = create_token(context, "reader").token
        assert port.get(token=made)[0] == 200
        revoke_token(context, "reader")
        assert port.get(token=made)[0] == 200
        port.guard.authentication._believed.clear()
        assert port.get(token=made)[0] == 401


def test_two_authorizations_are_refused(context: Context, port: Port) -> None:
    made = create_token(context, "reader").token
    twice = f"Authorization: Bearer {made}\r\n" * 2
    head = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port.number}\r\n{twice}Connection: close\r\n\r\n"
    assert port.said(head.encode()).split(b" ")[1] == b"401"


@pytest.mark.parametrize(
    "name", ["access_token", "token", "api_key", "apikey", "TOKEN", "Authorization", "x", "%74oken"]
)
def test_a_token_in_the_address_is_refused_whether_it_is_valid_or_not(context: Context, port: Port, name: str) -> None:
    made = create_token(context, "reader").token
    status, problem = port.get(f"/?a=b&{name}={made}", made)
    assert status == 400
    assert "logged" in problem["detail"]
    assert made not in str(problem)


def test_tokens_reach_no_log(
    context: Context, port: Port, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    made = create_token(context, "reader").token
    with caplog.at_level("DEBUG"):
        port.get(token=made)
        port.get(f"/?token={made}")
        port.get(token=make_token().text)
    out = capfd.readouterr()
    assert made[13:] not in caplog.text + out.out + out.err


def test_many_failures_from_elsewhere_close_the_door_to_failures_only(
    context: Context, port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create_token(context, "reader").token
    assert {port.get(token=make_token().text)[0] for _ in range(15)} == {401}  # on this machine all share an address
    monkeypatch.setattr(authentication, "_is_loopback", lambda address: False)
    port.guard.authentication.believed_s = 3600
    assert port.get(token=made)[0] == 200
    statuses = [port.get(token=make_token().text)[0] for _ in range(15)]
    assert statuses[:10] == [401] * 10
    assert set(statuses[10:]) == {429}
    answer, _ = port.request("GET", "/", headers=bearer(make_token().text))
    assert int(answer.headers["Retry-After"]) >= 1
    assert port.get(token=made)[0] == 200


def test_who_asks_too_often_waits_and_others_do_not(context: Context, database: Database, door: Door) -> None:
    with served(with_options(context, rate_per_s=0.01), door) as port:
        port.guard.rate.burst = 3
        made = create_token(context, "reader").token
        assert [port.get()[0] for _ in range(5)] == [200, 200, 200, 429, 429]
        answer, problem = port.request("GET", "/")
        assert int(answer.headers["Retry-After"]) > 1
        assert "loopback" in problem["detail"]
        assert port.get(token=made)[0] == 200


def test_only_so_many_are_answered_at_once(context: Context, database: Database, door: Door) -> None:
    made = create_token(context, "asker", scope=["read", "sql"]).token
    with served(with_options(context, concurrent_calls=3, concurrent_heavy_calls=1), door) as port:
        running = [threading.Thread(target=port.get, args=("/sql?slow", made))]
        running += [threading.Thread(target=port.get, args=("/?slow", made)) for _ in range(2)]
        for number, thread in enumerate(running):
            thread.start()
            while door.entered <= number:
                assert thread.is_alive()
            if number == 0:
                answer, _ = port.request("GET", "/sql", headers=bearer(made))
                assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        assert port.get(token=made)[0] == 429
        assert port.get()[0] == 200, "another caller"
        door.wait.set()
        for thread in running:
            thread.join()
        assert port.get("/sql", made)[0] == 200


def test_every_answer_carries_what_a_browser_must_know(port: Port) -> None:
    for path, host in (("/", None), ("/admin", None), ("/", "evil.example")):
        answer, _ = port.request("GET", path, headers={"Host": host} if host else {})
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] is None
        assert answer.headers["Strict-Transport-Security"] is None


def test_a_request_is_found_again_by_its_id(port: Port) -> None:
    answer, problem = port.request("GET", "/admin", headers={"X-Request-ID": "trace-12345"})
    assert answer.headers["X-Request-ID"] == problem["request_id"] == "trace-12345"
    for bad in ("a" * 65, "with blank inside", 'quote"quote"'):
        assert port.request("GET", "/", headers={"X-Request-ID": bad})[0].headers["X-Request-ID"] != bad


def test_web_sockets_are_refused(port: Port, door: Door) -> None:
    upgrade = (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port.number}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with port.raw(upgrade.encode()) as connection:
        assert b"101" not in connection.recv(100)


def test_the_database_gone_is_said_and_forgiven(context: Context, database: Database, door: Door) -> None:
    made = create_token(context, "reader").token
    nowhere = Context(context.settings)
    with served(replace(nowhere), door) as port:
        good = port.guard.authentication.holder

        def broken(*_: object) -> object:
            from aya.errors import DatabaseUnreachable

            raise DatabaseUnreachable("PostgreSQL is not to be had.")

        port.guard.authentication.holder = broken  # type: ignore[assignment]
        assert port.get(token=made)[0] == 503
        assert port.get()[0] == 200
        port.guard.authentication.holder = good
        assert port.get(token=made)[0] == 200
