"""A worker may do what it wants: it takes nobody with it."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from aya.host.worker import Ended, Reply, Worker


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setenv("AYA_TOKEN", "hunter2")
    packages = os.pathsep.join((str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")))
    worker = Worker("tests.host.echo", {"PYTHONPATH": packages})
    assert worker.wait(60) == Reply(Ended.ANSWERED)
    yield worker
    worker.kill()


def test_one_that_does_not_come_up_is_said() -> None:
    assert Worker("tests.host.no_such_module", {}).wait(60) == Reply(Ended.DIED)


def asked(worker: Worker, message: bytes, *, timeout_s: float = 30, limit_bytes: int = 1000) -> Reply:
    return worker.ask(message, timeout_s=timeout_s, limit_bytes=limit_bytes)


def test_it_answers_one_message_after_the_other_whatever_is_printed(worker: Worker) -> None:
    for message in (b"a", b"", b"print", b"x" * 900):
        assert asked(worker, message) == Reply(Ended.ANSWERED, message)
    assert worker.alive


def test_a_message_larger_than_a_pipe_gets_through(worker: Worker) -> None:
    message = b"y" * 3_000_000
    assert asked(worker, message, limit_bytes=len(message)).message == message


@pytest.mark.parametrize(
    ("message", "timeout_s", "ended"),
    [(b"sleep 600", 1.0, Ended.SLOW), (b"long 1001", 30.0, Ended.LONG), (b"die", 30.0, Ended.DIED)],
)
def test_one_that_does_not_answer_as_it_should_is_ended(
    worker: Worker, message: bytes, timeout_s: float, ended: Ended
) -> None:
    asked(worker, b"hello")
    assert asked(worker, message, timeout_s=timeout_s) == Reply(ended)
    assert not worker.alive


def test_one_that_died_unasked_is_noticed(worker: Worker) -> None:
    psutil.Process(worker._process.pid).kill()
    worker._process.wait()
    assert not worker.alive
    assert asked(worker, b"hello") == Reply(Ended.DIED)


def test_its_memory_has_a_limit(worker: Worker) -> None:
    assert asked(worker, b"take 1000000").message == b"1000000"
    assert asked(worker, b"take 1000000000").message == b"no memory"
    assert worker.alive


def test_it_sees_nothing_of_what_the_caller_was_told(worker: Worker) -> None:
    assert asked(worker, b"see AYA_TOKEN").message == b"nothing"
