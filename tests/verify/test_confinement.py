"""A check that hangs, crashes, leaves, or says or prints far too much is a failed result, ends no other, and fills no memory."""

import os
import resource
import sys
import time
from pathlib import Path

import psutil
import pytest

from aya.db.connection import Connection, rows
from aya.model import CheckResult
from aya.verify.catalogue import catalogue
from aya.verify.runner import run_checks
from tests.verify.conftest import Node

HEAD = "import os, sys, time\nfrom aya.verify.check import Check, failed, passed\ndef run(subject):\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "checks").mkdir(mode=0o755)
    return tmp_path


def shown(node: Node, home: Path, body: str, **options: object) -> list[CheckResult]:
    """What a check with that body shows, and after it one of AYA's own."""
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    (home / "checks" / "mine.py").write_text(f"{HEAD}{lines}    if False: yield\ncheck = Check(run)\n")
    results = [
        result for result, _ in run_checks(node.subject(**options), catalogue(home, ["mine", "vector_distance"]))
    ]
    assert [(r.check, r.outcome.value) for r in results if r.check != "mine"] == [("vector_distance", "pass")]
    return [result for result in results if result.check == "mine"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("os._exit(3)", "exit status 3 before the check came to its end"),
        ("os._exit(0)", "exit status 0 before the check came to its end"),
        ("sys.exit(0)", "broke: SystemExit"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("os.abort()", "SIGABRT"),
        ("raise ValueError('at once')", "broke: ValueError: at once"),
        ("raise KeyboardInterrupt", "broke: KeyboardInterrupt"),
        ("def deeper(): return deeper()\ndeeper()", "RecursionError"),
        ("print('x' * 2 * 10**9)", "of memory"),
        ("while True: print('x' * 10**5)", "printed more than 1,048,576 bytes"),
        ("while True: os.write(2, b'x' * 10**5)", "printed more than 1,048,576 bytes"),
        ("yield passed('one', 'x' * 2 * 10**9)", "of memory"),
        ("yield passed('one', 'x' * 10**7)", "10,000,000 characters of evidence are too many"),
        ("while True: yield passed('one', 'x' * 1000)", "findings are larger than 4,194,304 bytes"),
        ("hoard = []\nwhile True: hoard.append('x' * 10**7)", "of memory"),
        ("yield 'something else'", "not a Finding"),
        ("subject.recorded('SELECT at once')", "at once"),
        ("open('/proc/self/fd/1', 'wb').write(b'x' * 10**8)", "printed more than"),
    ],
)
def test_a_check_that_breaks_is_a_failed_result_and_ends_no_other(node: Node, home: Path, body: str, said: str) -> None:
    results = shown(node, home, f"yield passed('before')\n{body}")
    assert [results[0].target, results[0].outcome.value] == ["before", "pass"]
    assert results[-1].outcome.value == "fail"
    assert results[-1].target == str(home / "checks" / "mine.py")
    assert said in str(results[-1].reason)


@pytest.mark.parametrize(
    "body",
    [
        "time.sleep(1000)",
        "while True: pass",
        "import signal\nfor s in (1, 2, 3, 14, 15): signal.signal(s, signal.SIG_IGN)\ntime.sleep(1000)",
        "subject.recorded('SELECT pg_sleep(1000)')",
        "os.fork()\ntime.sleep(1000)",
        "import threading\nthreading.Thread(target=time.sleep, args=(1000,)).start()\ntime.sleep(1000)",
    ],
)
def test_a_check_that_hangs_is_stopped_with_all_it_started_and_is_a_failed_result(
    node: Node, home: Path, admin: Connection, body: str
) -> None:
    before = offspring()
    results = shown(node, home, f"yield passed('before')\nprint('still here', flush=True)\n{body}", check_limit_s=1)
    assert [result.outcome.value for result in results] == ["pass", "fail"]
    assert "did not end within 1 s" in str(results[1].reason) or "statement timeout" in str(results[1].reason)
    assert "still here" in results[1].evidence
    assert results[1].duration_ms >= 1000 or "statement timeout" in str(results[1].reason)
    deadline = time.monotonic() + 20
    while offspring() - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert offspring() - before == set()
    sleeping = "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(1000)%' AND pid <> pg_backend_pid()"
    while rows(admin, sleeping.replace("%", "%%")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert rows(admin, sleeping.replace("%", "%%")) == []


def offspring() -> set[int]:
    """Processes that came from this one, but for those that fork the checks."""
    helpers = ("multiprocessing.forkserver", "multiprocessing.resource_tracker")
    found = set()
    for process in psutil.Process().children(recursive=True):
        try:
            line = " ".join(process.cmdline())
            if process.status() != psutil.STATUS_ZOMBIE and not (
                any(helper in line for helper in helpers) and process.ppid() == os.getpid()
            ):
                found.add(process.pid)
        except psutil.NoSuchProcess:
            continue
    return found


def test_a_check_that_starts_a_thread_or_process_and_ends_is_not_waited_for(node: Node, home: Path) -> None:
    thread = "import threading\nthreading.Thread(target=time.sleep, args=(1000,)).start()\n"
    body = f"{thread}if os.fork() == 0: time.sleep(1000)\nyield passed('one')"
    assert [result.outcome.value for result in shown(node, home, body)] == ["pass"]


def test_what_a_check_prints_stands_with_the_evidence_of_what_it_was_printed_for(node: Node, home: Path) -> None:
    body = "\n".join(
        (
            "print('for one')",
            "yield passed('one', 'evidence')",
            "os.write(2, b'for two \\xff')",
            "yield passed('two')",
            "yield passed('three')",
        )
    )
    one, two, three = shown(node, home, body)
    assert one.evidence == "evidence\nprinted: for one\n"
    assert two.evidence == "printed: for two \\xff"
    assert three.evidence == ""


def test_when_a_thing_was_tested_and_how_long_is_its_own(node: Node, home: Path) -> None:
    one, two = shown(node, home, "time.sleep(0.3)\nyield passed('slow')\nyield passed('quick')")
    assert one.duration_ms >= 300 > two.duration_ms
    assert (two.started_at - one.started_at).total_seconds() >= 0.3


def test_checks_that_say_or_print_without_end_leave_the_memory_of_the_caller_as_it_was(node: Node, home: Path) -> None:
    shown(node, home, "yield passed('one')")
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    shown(node, home, "print('x' * 10**8)")
    shown(node, home, "while True: yield passed('one', 'x' * 10**5)")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before < 64 * 1024**2


def test_a_check_neither_sees_nor_spoils_the_connections_of_its_caller(node: Node, home: Path) -> None:
    descriptor = node.connection.fileno()
    body = f"for fd in range(3, 256):\n    try: os.close(fd)\n    except OSError: pass\nos.close({descriptor})"
    assert [result.outcome.value for result in shown(node, home, body)] == ["fail"]
    assert rows(node.connection, "SELECT 1 AS one") == [{"one": 1}]


def test_a_subject_that_was_used_here_still_travels_and_its_connection_stays_here(node: Node, tmp_path: Path) -> None:
    subject = node.subject()
    with subject.database:
        ((result, _),) = run_checks(subject, catalogue(tmp_path, ["vector_distance"]))
        assert result.outcome.value == "pass"
        assert subject.recorded("SELECT id FROM system_nodes WHERE id = %(node)s") == [{"id": node.id}]


def test_a_check_for_which_no_process_can_be_had_is_a_failed_result(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    entries = catalogue(tmp_path, ["vector_distance", "write_read_back"])
    with monkeypatch.context() as patched:
        patched.setattr("multiprocessing.forkserver._forkserver.ensure_running", refused)
        results = [result for result, _ in run_checks(node.subject(), entries)]
    assert [(r.check, r.outcome.value) for r in results] == [("vector_distance", "fail"), ("write_read_back", "fail")]
    assert "temporarily unavailable" in str(results[0].reason)


def test_when_what_the_processes_come_from_is_killed_the_next_check_runs_all_the_same(
    node: Node, tmp_path: Path
) -> None:
    entries = catalogue(tmp_path, ["vector_distance"])
    run_checks(node.subject(), entries)
    for process in psutil.Process().children():
        if "multiprocessing.forkserver" in " ".join(process.cmdline()):
            process.kill()
            while process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.02)
    ((result, _),) = run_checks(node.subject(), entries)
    assert result.outcome.value == "pass"
