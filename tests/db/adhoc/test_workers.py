"""Workers that run SQL: ready before they are asked where that was wished, and gone with who wished it."""

import time
from collections.abc import Iterator

import psutil
import pytest

from aya.db.adhoc import workers
from aya.db.adhoc.workers import MODULE, Workers
from aya.operations.context import Context
from aya.serve.rest.server import serving


@pytest.fixture
def two() -> Iterator[Workers]:
    made = Workers(2)
    yield made
    made.close()


def running() -> set[int]:
    """The workers of this program."""
    return {child.pid for child in psutil.Process().children() if MODULE in _words(child)}


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def test_as_many_are_ready_as_may_be_needed_and_they_are_the_ones_that_answer(two: Workers) -> None:
    before = running()
    two.get_ready()
    ready = running() - before
    assert len(ready) == 2
    two.get_ready()
    with two.one() as (first, _), two.one() as (second, _):
        assert first.alive
        assert second.alive
        assert running() - before == ready
    two.close()
    assert running() == before


def test_one_that_died_is_replaced_and_those_that_are_ready_are_asked_first(two: Workers) -> None:
    two.get_ready()
    before = running()
    with two.one() as (worker, _):
        worker.kill()
    (started,) = running() - before
    with two.one():
        assert started in running()
    with two.one() as (_, _), two.one() as (last, _):
        assert last.alive
    assert len(running()) == len(before)


def test_closed_while_it_starts_them_none_is_left(two: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    before, start = running(), workers._new

    def closed_meanwhile() -> workers.Worker:
        worker = start()
        two.close()
        return worker

    monkeypatch.setattr(workers, "_new", closed_meanwhile)
    two.get_ready()
    assert running() == before


def test_they_run_while_it_is_served_and_not_longer(context: Context) -> None:
    served = Context(context.settings.model_copy(update={"sql_concurrency": 3}))
    before = running()
    with serving(served, "127.0.0.1", 0):
        while len(running() - before) < 3:
            time.sleep(0.02)
    assert running() == before
