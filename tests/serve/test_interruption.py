"""Interrupted or left by its server at any moment, `aya collect` records all or nothing, and works the next time. Kills are
tried in tests/record/test_kills.py.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from aya.db.connection import Connection, rows
from aya.db.database import Database, Login
from aya.settings import Settings
from tests.conftest import empty, make_home
from tests.serve.command import Command

COUNTS = """
SELECT (SELECT count(*) FROM collection_runs) AS runs,
    (SELECT count(*) FROM system_nodes) AS nodes,
    (SELECT count(*) FROM software_versions) AS software,
    (SELECT count(*) FROM performance_metrics) AS measurements,
    (SELECT count(*) FROM aya.section_marks) AS marks,
    (SELECT count(*) FROM collection_outcomes) AS outcomes,
    (SELECT count(*) FROM collection_runs WHERE NOT EXISTS (SELECT FROM collection_outcomes WHERE run_id = id)) AS without
"""
WRITERS = "SELECT count(*) AS number FROM pg_stat_activity WHERE usename = 'aya_writer'"
OBSERVERS = "SELECT count(*) AS number FROM pg_stat_activity WHERE usename = 'postgres' AND application_name = ''"


@pytest.fixture
def admin(aya: Command) -> Iterator[Connection]:
    """The superuser in the database of `aya`, in which nothing is recorded."""
    aya("db", "start")
    with Database(Settings(home=aya.home)).connect(Login.ADMIN) as connection:
        empty(connection)
        yield connection


def number_of(sessions: str, admin: Connection) -> int:
    return int(rows(admin, sessions)[0]["number"])


def until(true: Callable[[], bool]) -> None:
    """Wait for something, as long as the test's own time limit lets us."""
    while not true():
        time.sleep(0.002)


def recorded_runs(admin: Connection) -> int:
    """How many runs are recorded; what is recorded is whole. Waits until a killed writer's session is gone."""
    until(lambda: number_of(WRITERS, admin) == 0)
    counts = rows(admin, COUNTS)[0]
    assert counts.pop("without") == 0
    assert len({number > 0 for number in counts.values()}) == 1, counts
    return int(counts["runs"])


def hit(
    process: "subprocess.Popen[str]", how: signal.Signals, admin: Connection, after_s: float, *, writing: bool
) -> None:
    """Send a signal some time after the start, or after the writing of rows has begun."""
    if writing:
        until(lambda: number_of(WRITERS, admin) > 0 or process.poll() is not None)
    time.sleep(after_s)
    process.send_signal(how)


def test_ctrl_c_at_any_moment_leaves_all_or_nothing_and_ends_with_130(aya: Command, admin: Connection) -> None:
    for after_s, writing in ((0.3, False), (0.6, False), (1.0, False), (0, True), (0.05, True)):
        empty(admin)
        with aya.start("collect") as process:
            hit(process, signal.SIGINT, admin, after_s, writing=writing)
            assert process.stderr is not None
            said = process.stderr.read()
        # It may have been through already.
        assert (process.returncode, said) in ((130, "Interrupted. Nothing is half recorded.\n"), (0, ""))
        assert recorded_runs(admin) in ((0, 1) if process.returncode else (1,))


def test_a_ctrl_c_in_a_callback_that_lets_no_exception_out_is_not_lost() -> None:
    program = """
import signal, sys, time, weakref
import aya.serve.cli as cli
class Thing: pass
def command(as_json):
    thing = Thing()
    kept = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
    del thing
    time.sleep(60)
    return 0
cli._run = command
cli.main()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50)
    assert (ended.returncode, ended.stderr) == (130, "Interrupted. Nothing is half recorded.\n")


def test_two_at_the_same_time_record_one_after_the_other(aya: Command, admin: Connection) -> None:
    both = [aya.start("collect", "--json") for _ in range(2)]
    ended = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert recorded_runs(admin) == 2
    twice = rows(
        admin,
        "SELECT software_name FROM software_versions WHERE is_active "
        "GROUP BY node_id, software_name, install_path, software_architecture HAVING count(*) > 1",
    )
    assert twice == []
    assert len(rows(admin, "SELECT FROM system_nodes")) == 1


@pytest.mark.parametrize("sessions", [OBSERVERS, WRITERS], ids=["while looking", "while writing"])
def test_a_server_killed_meanwhile_is_an_error_and_the_next_collect_works(
    aya: Command, admin: Connection, sessions: str
) -> None:
    with aya.start("collect", "--json") as process:
        until(lambda: number_of(sessions, admin) > 0 or process.poll() is not None)
        kill_server(aya)
        out, err = process.communicate(timeout=120)
    # It may have been through already.
    assert process.returncode in (0, 1)
    if process.returncode:
        assert json.loads(out)["error"]["remedy"]
        assert "Traceback" not in err
    assert aya("collect").code == 0
    with Database(Settings(home=aya.home)).connect(Login.ADMIN) as connection:
        assert recorded_runs(connection) in (1, 2)


def kill_server(aya: Command) -> None:
    postmaster = psutil.Process(Database(Settings(home=aya.home)).server.status().process_id)
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=10)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
def test_a_first_start_that_was_ended_half_way_is_no_obstacle(how: signal.Signals) -> None:
    aya = Command.at(make_home())
    try:
        with aya.start("db", "migrate") as process:
            until(lambda: any(aya.home.glob(".data-*/PG_VERSION")) or process.poll() is not None)
            process.send_signal(how)
            _, said = process.communicate(timeout=120)
        assert process.returncode == (130 if how is signal.SIGINT else -how), said
        assert aya("db", "migrate").code == 0
        assert aya("doctor").code == 0
        assert list(aya.home.glob(".data-*")) == []
    finally:
        aya("db", "stop")
        shutil.rmtree(aya.home)
