"""`aya collect --to`: a machine without a database of its own delivers what it finds to an AYA elsewhere."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aya.db.connection import Connection, rows
from aya.db.database import Database
from aya.delivery.document import write_state
from aya.delivery.post import Destination
from aya.errors import ConfigurationError, DeliveryFailed, UsageError
from aya.operations import delivery
from aya.operations.calls import list_calls
from aya.operations.context import Context
from aya.operations.delivery import deliver
from aya.operations.tokens import create_token, revoke_token
from aya.settings import Settings
from tests.delivery.elsewhere import elsewhere
from tests.record.states import whole
from tests.serve.command import Command
from tests.serve.guard.port import Port


@pytest.fixture
def port(context: Context, database: Database) -> Iterator[Port]:
    with elsewhere(context) as port:
        yield port


@pytest.fixture
def token_file(context: Context, database: Database, tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text(create_token(context, "agent-away", scope=["collect"], node="AWAY").token + "\n")
    return path


@pytest.fixture
def away(token_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """An AYA on another machine, that always sees the same there: looking has tests of its own."""
    monkeypatch.setattr(delivery, "look", lambda *_: replace(whole(), node_name="AWAY", collected_at=datetime.now(UTC)))
    return Context(Settings(home=tmp_path / "home", node="AWAY", token_file=token_file))


def nobody() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_what_could_not_be_delivered_is_delivered_later_and_in_order(
    away: Context, context: Context, admin: Connection, port: Port
) -> None:
    for waiting in (1, 2):
        done = deliver(away, nobody())
        assert (done.sent, done.waiting) == (0, waiting)
        assert "did not take the state" in str(done.problem)
    done = deliver(away, f"http://127.0.0.1:{port.number}")
    assert (done.sent, done.waiting, done.problem) == (3, 0, None)
    found = rows(admin, "SELECT collected_at FROM collection_runs ORDER BY id")
    assert len(found) == 3
    assert found == sorted(found, key=lambda run: run["collected_at"])
    assert rows(admin, "SELECT node_name FROM system_nodes") == [{"node_name": "AWAY"}]
    assert {call.caller for call in list_calls(context)} == {"token:agent-away"}


def test_a_revoked_token_is_said_and_nothing_is_lost(away: Context, context: Context, port: Port) -> None:
    revoke_token(context, "agent-away")
    done = deliver(away, f"http://127.0.0.1:{port.number}")
    assert (done.sent, done.waiting) == (0, 1)
    assert "was revoked" in str(done.problem)


def test_a_full_spool_drops_the_oldest_and_tells_of_it(away: Context, admin: Connection, port: Port) -> None:
    deliver(away, nobody())
    size = next((away.settings.home / "spool").glob("*.json")).stat().st_size
    small = Context(away.settings.model_copy(update={"spool_limit_bytes": size + size // 2}))
    done = deliver(small, nobody())
    assert (done.dropped, done.waiting) == (1, 2)
    assert deliver(away, f"http://127.0.0.1:{port.number}").waiting == 0
    told = rows(admin, "SELECT outcome, reason FROM collection_outcomes WHERE collector = 'delivery'")
    assert [row["outcome"] for row in told] == ["failed"]
    assert "one collection of" in told[0]["reason"]


def test_without_a_usable_token_nothing_is_looked_at(away: Context, token_file: Path, tmp_path: Path) -> None:
    token_file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="Others may read"):
        deliver(away, nobody())
    for path in (None, tmp_path / "none"):
        with pytest.raises(ConfigurationError):
            deliver(Context(away.settings.model_copy(update={"token_file": path})), nobody())
    assert not (away.settings.home / "spool").exists()


def test_the_command_delivers_what_it_finds_and_a_carried_file_is_recorded(
    token_file: Path, context: Context, database: Database, tmp_path: Path
) -> None:
    there = Command.at(tmp_path / "home", AYA_NODE="AWAY", AYA_TOKEN_FILE=str(token_file))
    assert there("collect", "--to", nobody(), "--dry-run").code == 2
    done = there("collect", "--to", nobody(), "--json")
    assert (done.code, done.document["sent"], done.document["waiting"]) == (3, 0, 1), done.err
    assert not (there.home / "data").exists(), "it needs no database"
    waiting = next((there.home / "spool").glob("*.json"))
    waiting.write_bytes(write_state(replace(whole(), node_name="AWAY")))
    here = Command.at(context.settings.home)
    done = here("collection", "record", str(waiting), "--json")
    assert (done.code, done.document["node_name"]) == (0, "AWAY"), done.out + done.err
    assert here("collection", "record", str(waiting), "--json").document == done.document
    assert here("collection", "record", "/nonexistent").code == 2


@pytest.mark.parametrize(
    "url",
    [
        "aya.example.org",
        "ftp://aya.example.org",
        "http://",
        "https://user:secret@aya.example.org",
        "https://aya.example.org/?token=x",
        "https://aya.example.org:99999",
        "http://aya.example.org",
        "http://192.168.0.80:8080",
        "http://localhost.evil.example",
    ],
)
def test_a_token_is_not_sent_where_it_could_be_read(url: str) -> None:
    with pytest.raises(UsageError):
        Destination(url, "token")
    assert Destination("http://192.168.0.80", "token", plain_http_allowed=True)


def test_an_answer_that_is_none_is_no_success() -> None:
    for said in (
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\n\r\n",
    ):
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()

            def answer(listening: socket.socket = listening, said: bytes = said) -> None:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(said)

            thread = threading.Thread(target=answer)
            thread.start()
            with pytest.raises(DeliveryFailed):
                Destination(f"http://127.0.0.1:{listening.getsockname()[1]}", "token").send(b"{}")
            thread.join()
