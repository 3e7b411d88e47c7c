"""What writes or runs SQL is logged with its caller before it is done, and sealed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import orjson
import pytest

from aya.access.caller import Caller
from aya.access.calls import said
from aya.access.scope import Scope
from aya.access.token import make_token
from aya.db.connection import Connection, rows
from aya.db.database import Database
from aya.errors import DatabaseError, NotFound, UsageError
from aya.operations.audit import checkpoint_folder, seal, verify_log
from aya.operations.calls import list_calls
from aya.operations.changes import list_changes
from aya.operations.context import Context
from aya.operations.operation import of, operation
from aya.operations.tokens import create_token, list_tokens, revoke_token
from aya.redaction import Redactor

ADMIN = Caller(name="token:boss", scopes=frozenset(Scope) - {Scope.COLLECT}, address="10.0.0.7", token_id=1)


@operation("POST /questions", command="ask", scope=Scope.SQL, writes=False)
def ask(context: Context, sql: Annotated[str, "What."]) -> str:
    """Ask."""
    context.tally.rows, context.tally.bytes = 3, 70
    if sql == "interrupt":
        raise KeyboardInterrupt
    return sql


@pytest.fixture
def boss(context: Context, database: Database) -> Iterator[Context]:
    yield replace(context).asked_by(ADMIN, "request-1")
    for folder, pattern in ((context.secrets_folder, "audit-*"), (checkpoint_folder(context), "*")):
        for path in folder.glob(pattern):
            path.unlink()


def test_a_write_is_logged_with_who_asked_and_how_it_ended(boss: Context) -> None:
    of(create_token)(boss, name="agent", scope=["collect"], node="ALPHA")
    call = list_calls(boss)[0]
    assert (call.caller, call.called_from, call.operation) == ("token:boss", "10.0.0.7", "create_token")
    assert (call.request_id, call.outcome) == ("request-1", "done")
    assert orjson.loads(call.arguments) == {"name": "agent", "scope": ["collect"], "node": "ALPHA"}
    changes = list_changes(boss)
    assert [(one.changed_by, one.change_reason) for one in changes] == [("token:boss", "request-1")]


def test_sql_is_logged_with_its_figures_though_it_writes_nothing(boss: Context) -> None:
    of(ask)(boss, sql="SELECT 1 AS password, 'secret=hunter2hunter2'")
    call = list_calls(boss, operation="ask")[0]
    assert (call.rows, call.bytes, call.outcome) == (3, 70, "done")
    assert "SELECT 1" in call.arguments
    assert "hunter2" not in call.arguments


def test_a_call_that_fails_ends_with_the_kind_of_its_error(boss: Context) -> None:
    with pytest.raises(NotFound):
        of(revoke_token)(boss, name="nobody")
    with pytest.raises(KeyboardInterrupt):
        of(ask)(boss, sql="interrupt")
    assert [call.outcome for call in list_calls(boss)] == ["KeyboardInterrupt", "NotFound"]


def test_what_cannot_be_logged_is_not_done(boss: Context, admin: Connection) -> None:
    signature = "aya.begin_call(text, text, inet, text, text, bytea)"
    admin.execute(f"REVOKE EXECUTE ON FUNCTION {signature} FROM aya_writer")  # type: ignore[arg-type]
    try:
        with pytest.raises(DatabaseError, match="logging the call"):
            of(create_token)(boss, name="agent")
    finally:
        admin.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO aya_writer")  # type: ignore[arg-type]
    assert list_tokens(boss) == []


def test_an_end_that_cannot_be_logged_leaves_the_call_without_one(
    boss: Context, admin: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    admin.execute("REVOKE INSERT ON aya.call_ends FROM aya_writer")
    try:
        of(create_token)(boss, name="agent")
    finally:
        admin.execute("GRANT INSERT ON aya.call_ends TO aya_writer")
    assert [one.name for one in list_tokens(boss)] == ["agent"]
    assert [call.outcome for call in list_calls(boss)] == [None]
    assert "could not be logged" in caplog.text


def test_calls_are_sealed_and_are_no_changes(boss: Context) -> None:
    of(ask)(boss, sql="SELECT 1")
    assert list_changes(boss) == []
    assert seal(boss).changes == 1
    assert verify_log(boss).problems == []


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("UPDATE aya.calls SET caller = 'token:somebody-else' WHERE id = {id}", "is not what it was"),
        ("UPDATE aya.calls SET arguments = '{{}}' WHERE id = {id}", "is not what it was"),
        ("DELETE FROM aya.calls WHERE id = {id}", "is gone"),
        (
            "INSERT INTO aya.calls (request_id, caller, operation, arguments, arguments_sha256) "
            "VALUES ('x', 'x', 'x', '{{}}', sha256(''))",
            "has no note in the log",
        ),
    ],
)
def test_a_call_that_is_changed_by_hand_is_found(boss: Context, admin: Connection, how: str, said: str) -> None:
    of(ask)(boss, sql="SELECT 1")
    seal(boss)
    number = list_calls(boss)[0].id
    for table in ("aya.calls", "aya.call_ends"):
        admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")  # type: ignore[arg-type]
    if how.startswith("DELETE"):
        admin.execute("DELETE FROM aya.call_ends")
    admin.execute(how.format(id=number))  # type: ignore[arg-type]
    for table in ("aya.calls", "aya.call_ends"):
        admin.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")  # type: ignore[arg-type]
    assert any(said in str(problem) for problem in verify_log(boss).problems)


def test_arguments_are_said_without_secrets_and_without_bodies() -> None:
    redactor = Redactor(b"k" * 32)
    token = make_token().text
    text = said(redactor, {"password": "hunter2hunter2", "sql": f"SELECT '{token}'", "body": b"x" * 5000, "n": None})
    assert "hunter2" not in text
    assert token not in text
    assert orjson.loads(text)["body"]["bytes"] == 5000
    assert "n" not in orjson.loads(text)
    assert "\\ud800" in said(redactor, {"sql": "\ud800"}).lower()
    assert "\\u0000" not in said(redactor, {"sql": "a\0b"})


def test_calls_are_found_by_who_what_and_when(boss: Context, admin: Connection) -> None:
    for number in range(5):
        of(ask)(boss.asked_by(replace(ADMIN, name=f"token:{number % 2}"), f"request-{number}"), sql="SELECT 1")
    assert len(list_calls(boss, caller="token:0")) == 3
    assert [call.request_id for call in list_calls(boss, request_id="request-3")] == ["request-3"]
    assert list_calls(boss, since="1 hour ago", limit=2) == list_calls(boss)[:2]
    newest = list_calls(boss)[0].id
    assert all(call.id < newest for call in list_calls(boss, before=newest))
    assert list_calls(boss, operation="create_token") == []
    with pytest.raises(UsageError):
        list_calls(boss, limit=0)
    assert rows(admin, "SELECT count(*) AS n FROM change_log WHERE table_affected = 'aya.calls'")[0]["n"] == 5
