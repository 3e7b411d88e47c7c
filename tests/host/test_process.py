"""A program runs without a shell, a terminal or our environment, within its limits, and leaves nothing behind."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from aya.host.process import OUTPUT_LIMIT_BYTES, find, plain_environment, run
from aya.host.reading import Answer
from aya.model import Outcome


def shell(script: str, timeout_s: float = 30, output_limit_bytes: int = OUTPUT_LIMIT_BYTES) -> Answer:
    return run(["/bin/sh", "-c", script], timeout_s=timeout_s, output_limit_bytes=output_limit_bytes)


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_killed(pid: int) -> bool:
    """Whether it dies, for which a killed process needs a moment."""
    deadline = time.monotonic() + 20
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not lives(pid)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Path]:
    """A file into which a test's program writes the numbers of the processes it started; they are ended in any case."""
    path = tmp_path / "started"
    yield path
    for pid in map(int, path.read_text().split() if path.exists() else ()):
        if lives(pid):
            os.kill(pid, 9)


# --- how it ends ------------------------------------------------------------------------------------------------------


def test_what_a_program_prints_comes_back_apart_from_its_errors() -> None:
    answer = shell("echo out; echo err >&2")
    assert (answer.outcome, answer.data, answer.errors, answer.exit_status) == (Outcome.OK, b"out\n", "err", 0)


def test_a_program_that_is_not_installed_is_absent() -> None:
    answer = run(["aya-has-no-such-program"], timeout_s=5)
    assert (answer.outcome, answer.reason) == (Outcome.ABSENT, "aya-has-no-such-program is not installed")
    assert run(["/no/such/program"], timeout_s=5).outcome is Outcome.ABSENT


def test_a_program_that_ends_with_an_error_failed_and_says_why() -> None:
    answer = shell("echo half; echo no such disk >&2; echo more >&2; exit 3")
    assert (answer.outcome, answer.exit_status, answer.data) == (Outcome.FAILED, 3, b"half\n")
    assert answer.reason.endswith("ended with 3: no such disk")
    assert not answer.broken_off


def test_a_program_that_is_killed_failed() -> None:
    assert (shell("kill -9 $$").outcome, shell("kill -9 $$").exit_status) == (Outcome.FAILED, -9)


@pytest.mark.parametrize("said", ["open /dev/mem: Permission denied", "you must be root", "Operation not permitted"])
def test_a_program_that_was_refused_is_denied(said: str) -> None:
    assert shell(f"echo '{said}' >&2; exit 1").outcome is Outcome.DENIED


def test_a_refusal_on_the_way_does_not_make_a_good_end_bad() -> None:
    assert shell("echo 'Permission denied' >&2; echo all").outcome is Outcome.OK


def test_a_file_that_may_not_be_run_is_denied(tmp_path: Path) -> None:
    program(tmp_path / "tool", "echo").chmod(0o644)
    assert run([str(tmp_path / "tool")], timeout_s=5).outcome is Outcome.DENIED


def test_an_argument_that_no_program_can_get_is_a_failure() -> None:
    assert run(["echo", "a\0b"], timeout_s=5).outcome is Outcome.FAILED


# --- limits -----------------------------------------------------------------------------------------------------------


def test_a_program_that_does_not_end_is_killed_with_all_it_started(started: Path) -> None:
    answer = shell(f"sleep 600 & echo $$ $! > {started}; echo half; wait", timeout_s=1)
    assert (answer.outcome, answer.data, answer.broken_off) == (Outcome.FAILED, b"half\n", True)
    assert "did not end within 1 s" in answer.reason
    pids = [int(pid) for pid in started.read_text().split()]
    assert len(pids) == 2
    assert all(map(is_killed, pids))


def test_what_outlives_its_program_and_keeps_us_waiting_is_killed(started: Path) -> None:
    answer = shell(f"sleep 600 & echo $! > {started}; echo done", timeout_s=1)
    assert (answer.data, answer.broken_off) == (b"done\n", True)
    assert is_killed(int(started.read_text()))


def test_a_service_that_a_program_leaves_behind_on_purpose_lives(started: Path) -> None:
    answer = shell(f"sleep 600 >/dev/null 2>&1 & echo $! > {started}")
    assert answer.outcome is Outcome.OK
    assert lives(int(started.read_text()))


def test_a_program_that_prints_all_the_time_does_not_get_more_time_by_that() -> None:
    answer = shell("while :; do echo; done", timeout_s=1, output_limit_bytes=1 << 40)
    assert "did not end within 1 s" in answer.reason


@pytest.mark.parametrize("stream", ["", ">&2"])
def test_a_program_that_prints_without_end_is_ended_at_the_limit(stream: str) -> None:
    answer = shell(f"cat /dev/zero {stream}", output_limit_bytes=100_000)
    assert (answer.outcome, answer.broken_off) == (Outcome.FAILED, True)
    assert "printed more than 100000 bytes" in answer.reason
    assert max(len(answer.data), len(answer.errors)) <= 100_000 + 65_536


def test_a_long_answer_comes_back_whole() -> None:
    size = OUTPUT_LIMIT_BYTES - 1
    answer = shell(f"head -c {size} /dev/zero; head -c {size} /dev/zero >&2")
    assert (answer.outcome, len(answer.data), len(answer.errors)) == (Outcome.OK, size, size)


# --- what it gets to see ----------------------------------------------------------------------------------------------


def test_a_program_sees_nothing_of_our_environment_and_speaks_c(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AYA_DATABASE_URL", "PGPASSWORD", "LD_PRELOAD", "PYTHONPATH"):
        monkeypatch.setenv(name, "s3cr3t")
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    seen = dict(line.split("=", 1) for line in run(["env"], timeout_s=5).text.splitlines())
    assert set(seen) == {"PATH", "HOME", "LC_ALL", "LANGUAGE", "TZ"}
    assert (seen["LC_ALL"], seen["LANGUAGE"], seen["TZ"]) == ("C", "C", "UTC")


def test_what_is_given_to_a_program_is_added() -> None:
    assert run(["env"], timeout_s=5, environment={"HOME": "/x"}).text.count("HOME=/x") == 1


def test_a_program_that_reads_finds_the_end_at_once() -> None:
    assert (shell("cat; echo end").outcome, shell("cat; echo end").data) == (Outcome.OK, b"end\n")


def test_a_program_has_no_terminal_and_no_open_file_of_ours(tmp_path: Path) -> None:
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        opened = shell("ls -l /proc/self/fd").text
    assert "pipe:" in opened
    assert "ours" not in opened
    assert shell("exec 3<>/dev/tty").outcome is not Outcome.OK


def test_a_program_starts_in_the_root_folder() -> None:
    assert run(["pwd"], timeout_s=5).data == b"/\n"


def test_no_shell_looks_at_the_words() -> None:
    assert run(["echo", "$HOME; ls *"], timeout_s=5).data == b"$HOME; ls *\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run programs as another user")
def test_a_program_of_another_user_has_none_of_our_rights() -> None:
    answer = run(["id", "-u", "--real"], timeout_s=5, user=65534, group=65534)
    groups = run(["id", "-G"], timeout_s=5, user=65534, group=65534)
    assert (answer.data, groups.data) == (b"65534\n", b"65534\n")


# --- where it is found ------------------------------------------------------------------------------------------------


def test_the_callers_path_comes_before_the_folders_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "ls", "echo ours")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["ls"], timeout_s=5).data == b"ours\n"
    assert run(["env"], timeout_s=5).outcome is Outcome.OK


@pytest.mark.parametrize("path", ["", ":", ".", "bin:.", None])
def test_the_folder_we_stand_in_is_never_searched(
    path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    for folder in (tmp_path, tmp_path / "bin"):
        program(folder / "aya-trap", "echo trapped")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PATH")
    if path is not None:
        monkeypatch.setenv("PATH", path)
    assert find("aya-trap") is None
    assert find("sh") in ("/usr/bin/sh", "/bin/sh")
    assert all(folder.startswith("/") for folder in plain_environment()["PATH"].split(":"))
