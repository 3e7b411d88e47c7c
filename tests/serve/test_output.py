"""What is printed: for people on a terminal, for programs in a pipe, and never for the terminal to obey."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.serve.command import Command

HOSTILE = "\x1b]0;owned\x07\x1b[31m[bold]:key: \u202e\x9b2J"
ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


@pytest.mark.parametrize(
    "arguments", [("show", "software"), ("show", "software", "--json"), ("doctor",), ("--help",)], ids=" ".join
)
def test_a_reader_that_has_had_enough_is_no_error(aya: Command, arguments: tuple[str, ...]) -> None:
    with aya.start(*arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize("arguments", [("show", "system"), ("show", "system", "--json")], ids=" ".join)
def test_output_that_cannot_be_written_is_an_error_without_a_trace(aya: Command, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [*aya.program, *arguments],
            env=aya.variables,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert process.returncode == 1
    assert process.stderr == "error: [Errno 28] No space left on device\n"


def test_closed_streams_change_no_exit_code(aya: Command) -> None:
    for arguments, closed, code in (("show system", ">&-", 0), ("show nonsense --json", ">&- 2>&-", 2)):
        line = f"{aya.program[0]} {arguments} {closed}"
        done = subprocess.run(line, shell=True, env=aya.variables, stderr=subprocess.PIPE, text=True)
        assert done.returncode == code
        assert "Traceback" not in done.stderr


def test_an_output_that_knows_few_characters_gets_the_others_spelt_out(aya: Command) -> None:
    assert aya("snapshot", "create", "größer").code == 0
    assert "gr\\xf6\\xdfer" in aya("snapshot", "list", PYTHONIOENCODING="ascii").out
    assert "größer" in aya("snapshot", "list", "--json", PYTHONIOENCODING="ascii").out


def test_names_that_would_steer_a_terminal_are_shown_and_not_obeyed(aya: Command) -> None:
    assert aya("snapshot", "create", HOSTILE, "--description", HOSTILE).code == 0
    for arguments in (
        ("snapshot", "list"),
        ("snapshot", "show", HOSTILE),
        ("snapshot", "verify", HOSTILE),
        ("snapshot", "diff", HOSTILE, HOSTILE),
        ("snapshot", "show", HOSTILE + "x"),
        ("show", HOSTILE),
        ("show", "--node", HOSTILE, "--json"),
    ):
        done = aya(*arguments)
        said = done.out + done.err
        assert not ESCAPE.search(said), arguments
        assert "\\x1b[31m[bold]:key: \\u202e\\x9b2J" in said.replace("\\\\", "\\"), arguments
    listed = aya("snapshot", "list", "--json").document
    assert HOSTILE in [snapshot["snapshot_name"] for snapshot in listed]


def test_in_a_pipe_nothing_is_coloured_moved_or_cut(aya: Command) -> None:
    for arguments in (("collect",), ("verify",), ("doctor",), ("show", "checks")):
        done = aya(*arguments, TERM="xterm-256color", COLUMNS="40")
        assert not ESCAPE.search(done.out + done.err)
        assert done.err == ""
    targets = {row["target"] for row in aya("show", "checks", "--json").document}
    assert max(map(len, targets)) > 40
    assert [target for target in targets if target not in done.out] == []


def on_a_terminal(aya: Command, *arguments: str) -> str:
    """Run a command with a terminal for all its streams; what the terminal was sent."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*aya.program, *arguments],
        env={**aya.variables, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        sent = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the terminal's other side is closed
                break
            if not chunk:
                break
            sent += chunk
    os.close(ours)
    assert process.returncode == 0
    return sent.decode()


def test_on_a_terminal_long_steps_show_where_they_are_and_clean_up(aya: Command) -> None:
    sent = on_a_terminal(aya, "collect")
    assert "recording" in sent
    assert "\x1b[?25l" in sent  # the cursor is hidden while the line moves, and shown again
    assert sent.rindex("\x1b[?25h") > sent.rindex("\x1b[?25l")
    assert "Recorded STRANGER" in sent


def test_with_json_a_terminal_gets_the_document_and_nothing_else(aya: Command) -> None:
    sent = on_a_terminal(aya, "db", "status", "--json")
    assert sent.startswith("{\r\n")
    assert sent.endswith("}\r\n")
    assert not ESCAPE.search(sent.replace("\r\n", "\n"))
