"""Where AYA is served, and where it refuses to be."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from aya.access.scope import Scope
from aya.access.tokens import KeptToken
from aya.errors import ConfigurationError, ExitCode, UnsafeToServe
from aya.operations.operation import operations
from aya.serve.guard.bind import is_loopback_only, refuse_unsafe_bind
from aya.serve.guard.hosts import Hosts
from aya.serve.guard.port import needs_of
from aya.settings import Settings

VALID = KeptToken(
    id=1,
    name="reader",
    prefix="aya_00000000",
    scopes=("read",),
    node_name=None,
    created_at=datetime.now(UTC),
    created_by="root",
    expires_at=None,
    revoked_at=None,
    revoked_by=None,
    last_used_at=None,
    last_used_from=None,
    status="valid",
)
LOCAL = ("127.0.0.1", "127.0.0.2", "::1", "localhost")
OPEN = ("0.0.0.0", "::", "192.168.0.80", "10.0.0.1", "fe80::1", "alpha.local", "")
TOKENS = ((), (replace(VALID, status="revoked"), replace(VALID, status="expired")), (VALID,))
SAFETIES = ("none", "tls", "behind_proxy", "plain_http_allowed")


@pytest.mark.parametrize(("host", "tokens", "safety"), list(product(LOCAL + OPEN, TOKENS, SAFETIES)))
def test_others_are_served_only_with_a_valid_token_and_tls_or_a_word(
    tmp_path: Path, host: str, tokens: tuple[KeptToken, ...], safety: str
) -> None:
    options: dict[str, object] = {}
    if safety == "tls":
        for name in ("tls_certificate", "tls_key"):
            (tmp_path / name).write_text("PEM")
            options[name] = tmp_path / name
    elif safety != "none":
        options[safety] = True
    settings = Settings(home=tmp_path, host=host, **options)  # type: ignore[arg-type]
    safe = host in LOCAL or (tokens == (VALID,) and safety != "none")
    if safe:
        refuse_unsafe_bind(settings, tokens)
        return
    with pytest.raises(UnsafeToServe) as refused:
        refuse_unsafe_bind(settings, tokens)
    assert refused.value.exit_code == ExitCode.USAGE
    assert ("aya token create" in refused.value.message) == (tokens != (VALID,))
    assert ("AYA_TLS_CERTIFICATE" in refused.value.message) == (safety == "none")


def test_a_certificate_without_key_or_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pem").write_text("PEM")
    for options in (
        {"tls_certificate": tmp_path / "pem"},
        {"tls_key": tmp_path / "pem"},
        {"tls_certificate": tmp_path / "pem", "tls_key": tmp_path / "none"},
    ):
        with pytest.raises(ConfigurationError):
            refuse_unsafe_bind(Settings(home=tmp_path, **options), [VALID])  # type: ignore[arg-type]


def test_a_wildcard_is_no_name() -> None:
    names = Hosts.of(host="0.0.0.0", port=8080, tls=False).names
    assert names == {"127.0.0.1:8080", "localhost:8080", "[::1]:8080"}
    assert "192.168.0.80:8080" in Hosts.of(host="192.168.0.80", port=8080, tls=False).names
    assert {"[fd00::1]:8080", "[::1]:8080"} <= Hosts.of(host="fd00::1", port=8080, tls=False).names
    assert "localhost" in Hosts.of(host="127.0.0.1", port=443, tls=True).names
    assert "localhost" not in Hosts.of(host="127.0.0.1", port=80, tls=True).names
    assert not is_loopback_only("127.0.0.1.evil.example")


def test_a_request_takes_what_its_operation_takes(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    asked = {(route.method, f"/api/v1{route.path}"): one for one in operations().values() for route in one.routes}
    needed = needs_of(lambda method, path: asked.get((method, path)), settings)
    for (method, path), one in asked.items():
        assert needed(method, path).scope is one.scope
    delivering = needed("POST", "/api/v1/collections")
    assert (delivering.scope, delivering.body_limit_bytes, delivering.heavy) == (
        Scope.COLLECT,
        settings.delivery_limit_bytes,
        True,
    )
    assert needed("GET", "/health").scope is None
    assert needed("GET", "/whatever").scope is Scope.READ
