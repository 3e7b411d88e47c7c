"""Tokens: made once, kept as a hash, refused when they should be."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.access.scope import Scope, included
from aya.access.token import ALPHABET, make_token, read_token
from aya.access.tokens import holder
from aya.db.connection import Connection, rows, translated
from aya.db.database import Database, Login
from aya.errors import Conflict, DatabaseUnsuitable, NotAllowed, NotAuthenticated, NotFound, UsageError
from aya.operations.calls import list_calls
from aya.operations.changes import list_changes
from aya.operations.context import Context
from aya.operations.operation import of
from aya.operations.tokens import create_token, expiry, list_tokens, revoke_token
from aya.redaction import Redactor


@pytest.fixture
def aya(context: Context, database: Database) -> Context:
    return replace(context)


def test_a_token_is_shown_once_and_kept_as_a_hash(aya: Context, admin: Connection) -> None:
    made = create_token(aya, "grafana", scope=["read", "sql"], expires="90d")
    kept = list_tokens(aya)[0]
    assert (kept.name, kept.scopes, kept.status) == ("grafana", ("read", "sql"), "valid")
    assert kept.prefix == made.token[:12]
    assert made.expires_at is not None
    assert timedelta(days=89) < made.expires_at - datetime.now(UTC) <= timedelta(days=90)
    assert made.token not in repr(made)
    everything = json.dumps(
        [rows(admin, f"SELECT to_jsonb(t) AS row FROM {table} t") for table in ("aya.tokens", "change_log")],
        default=str,
    )
    secret = made.token.split("_")[2]
    assert secret not in everything
    assert secret[:20] not in everything


def test_who_holds_a_token_may_what_it_says_and_its_use_is_noted(aya: Context, writer: Connection) -> None:
    made = create_token(aya, "agent", scope=["collect"], node="ALPHA")
    caller, expires_at = holder(writer, read_token(made.token), "10.0.0.7")
    assert (caller.name, caller.scopes, caller.node, expires_at) == ("token:agent", {Scope.COLLECT}, "ALPHA", None)
    used = list_tokens(aya)[0]
    assert used.last_used_from == "10.0.0.7"
    assert used.last_used_at is not None
    holder(writer, read_token(made.token), "10.0.0.8")
    assert list_tokens(aya)[0] == used, "noted once a minute"


def test_noting_a_use_waits_for_nobody(aya: Context, writer: Connection, admin: Connection) -> None:
    made = create_token(aya, "agent")
    with admin.transaction():
        admin.execute("SELECT FROM aya.tokens FOR UPDATE")
        assert holder(writer, read_token(made.token), "10.0.0.7")[0].name == "token:agent"
    assert list_tokens(aya)[0].last_used_at is None


def test_a_token_that_is_not_valid_is_refused(aya: Context, writer: Connection) -> None:
    made = create_token(aya, "agent", expires="5m")
    forged = make_token()
    with pytest.raises(NotAuthenticated, match="no such token"):
        holder(writer, forged, None)
    # The right prefix with another secret.
    other = made.token[:12] + forged.text[12:-6]
    from aya.access.token import Token, _checksum

    with pytest.raises(NotAuthenticated, match="no such token"):
        holder(writer, Token(other + _checksum(other)), None)
    revoke_token(aya, "agent")
    with pytest.raises(NotAuthenticated, match="was revoked"):
        holder(writer, read_token(made.token), None)


def test_a_token_expires(aya: Context, writer: Connection, admin: Connection) -> None:
    made = create_token(aya, "agent", expires="5m")
    admin.execute("ALTER TABLE aya.tokens DISABLE TRIGGER keep_tokens")
    admin.execute("UPDATE aya.tokens SET expires_at = now() - interval '1 second'")
    admin.execute("ALTER TABLE aya.tokens ENABLE ALWAYS TRIGGER keep_tokens")
    with pytest.raises(NotAuthenticated, match="has expired"):
        holder(writer, read_token(made.token), None)
    assert list_tokens(aya)[0].status == "expired"


@given(st.data())
def test_a_misspelt_token_is_told_from_a_wrong_one_without_the_database(data: st.DataObject) -> None:
    token = make_token()
    at = data.draw(st.integers(4, len(token.text) - 1).filter(lambda place: place != 12))
    letter = data.draw(st.sampled_from(ALPHABET).filter(lambda one: one != token.text[at]))
    with pytest.raises(NotAuthenticated, match="checksum"):
        read_token(token.text[:at] + letter + token.text[at + 1 :])
    assert read_token(token.text) == token


@given(st.text(max_size=80))
def test_what_is_no_token_is_not_repeated(text: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        read_token(text)
    assert len(text) < 12 or text not in str(refused.value)


def test_aya_takes_its_own_tokens_out_of_texts() -> None:
    token = make_token().text
    for text in (f"see {token}.", f'{{"x": "{token}"}}', f"curl -H 'X: {token}'", f"https://a/?q={token}&b=1"):
        assert token not in Redactor(b"k" * 32).text(text)
        assert token[13:] not in Redactor(b"k" * 32).text(text)


def test_a_name_is_free_again_when_its_token_is_revoked(aya: Context) -> None:
    create_token(aya, "agent")
    with pytest.raises(Conflict, match="already"):
        create_token(aya, "agent")
    assert revoke_token(aya, "agent") == ["agent"]
    create_token(aya, "agent")
    assert [one.status for one in list_tokens(aya)] == ["valid", "revoked"]
    with pytest.raises(NotFound, match="no token nobody"):
        revoke_token(aya, "nobody")


def test_all_tokens_are_revoked_at_once(aya: Context) -> None:
    for name in ("one", "two", "three"):
        create_token(aya, name)
    number = list_tokens(aya)[0].id
    assert revoke_token(aya, str(number)) == ["three"]
    assert sorted(revoke_token(aya, every=True)) == ["one", "two"]
    assert revoke_token(aya, every=True) == []


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("", {}),
        ("a b", {}),
        ("-x", {}),
        ("a\0b", {}),
        ("x" * 101, {}),
        ("x", {"scope": []}),
        ("x", {"scope": ["root"]}),
        ("x", {"scope": ["collect"]}),
        ("x", {"scope": ["read"], "node": "ALPHA"}),
        ("x", {"scope": ["collect"], "node": "A/B"}),
        ("x", {"expires": "yesterday"}),
        ("x", {"expires": "0d"}),
        ("x", {"expires": "2001-01-01"}),
        ("x", {"expires": "999999w"}),
    ],
)
def test_a_token_that_means_nothing_is_not_made(aya: Context, name: str, more: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        create_token(aya, name, **more)  # type: ignore[arg-type]
    assert list_tokens(aya) == []


def test_a_moment_is_an_expiry_too() -> None:
    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    assert expiry(day) == datetime.fromisoformat(day).replace(tzinfo=UTC)
    assert expiry(None) is None


def test_admin_includes_all_but_collecting() -> None:
    assert included([Scope.ADMIN]) == set(Scope) - {Scope.COLLECT}
    assert included([Scope.COLLECT]) == {Scope.COLLECT}
    assert included([Scope.SQL, Scope.VERIFY]) == {Scope.SQL, Scope.VERIFY}


def test_readers_cannot_see_the_hashes(database: Database) -> None:
    with database.connect(Login.READER) as reader:
        with pytest.raises(DatabaseUnsuitable), translated(doing="reading hashes"):
            reader.execute("SELECT token_hash FROM aya.tokens")
        with pytest.raises(DatabaseUnsuitable), translated(doing="reading hashes"):
            reader.execute("SELECT * FROM aya.tokens")
        assert rows(reader, "SELECT name, prefix FROM aya.tokens") == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE aya.tokens SET scopes = '{admin}'",
        "UPDATE aya.tokens SET expires_at = NULL",
        "UPDATE aya.tokens SET revoked_at = NULL, revoked_by = NULL",
        "UPDATE aya.tokens SET node_name = 'BETA' WHERE node_name = 'ALPHA'",
        "DELETE FROM aya.tokens",
        "TRUNCATE aya.tokens",
        "UPDATE aya.calls SET caller = 'nobody'",
        "DELETE FROM aya.calls",
        "INSERT INTO aya.calls (request_id, caller, operation, arguments, arguments_sha256) "
        "VALUES ('x', 'x', 'x', '{}', sha256(''))",
        "DELETE FROM aya.call_ends",
        "UPDATE aya.call_ends SET outcome = 'done'",
        "UPDATE aya.deliveries SET answer = '{}'",
    ],
)
def test_the_writer_cannot_rewrite_who_may_and_who_did(aya: Context, writer: Connection, statement: str) -> None:
    of(create_token)(aya, name="agent", scope=["collect"], node="ALPHA", expires="1d")
    revoke_token(aya, "agent")
    with pytest.raises(DatabaseUnsuitable), translated(doing="rewriting"):
        writer.execute(statement)  # type: ignore[arg-type]


def test_who_is_let_in_and_put_out_stands_in_the_log(aya: Context) -> None:
    create_token(aya, "agent", scope=["collect"], node="ALPHA")
    revoke_token(aya, "agent")
    said = [(one.change_description, one.changed_by) for one in list_changes(aya)]
    assert [line for line, _ in said] == ["token agent was made for collect of ALPHA", "token agent was revoked"]
    assert {who for _, who in said} == {aya.settings.actor}


def test_only_an_administrator_makes_tokens(aya: Context, writer: Connection) -> None:
    made = create_token(aya, "looker", scope=["read", "sql", "verify"])
    caller, _ = holder(writer, read_token(made.token), "10.0.0.7")
    with pytest.raises(NotAllowed, match="needs scope admin"):
        of(create_token)(aya.asked_by(caller, "request-1"), name="stronger", scope=["admin"])
    assert [one.name for one in list_tokens(aya)] == ["looker"]
    assert list_calls(aya) == []
