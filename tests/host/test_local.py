"""This machine's files, whatever they are, are read or refused, and never hold us."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aya.host.local import CALLS, FILE_LIMIT_BYTES, LocalHost, look_up, read_file, read_link
from aya.host.reading import Call, Command, File, Files, Head, Links, Names
from aya.model import Outcome

NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """As nobody, where we are root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(data := os.urandom(300_000))
    assert read_file(str(tmp_path / "f")).data == data


def test_a_file_of_the_kernel_is_read_though_it_has_no_size() -> None:
    assert os.stat("/proc/self/status").st_size == 0
    assert f"Pid:\t{os.getpid()}" in read_file("/proc/self/status").text


def test_what_is_not_there_is_absent(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path / "none" / "x"):
        assert read_file(str(path)).outcome is Outcome.ABSENT
        assert read_link(str(path)).outcome is Outcome.ABSENT
        assert look_up(str(path)).outcome is Outcome.ABSENT


def test_a_process_that_has_ended_is_absent() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert read_file(f"/proc/{pid}/stat").outcome is Outcome.ABSENT


def test_a_process_that_ends_while_it_is_read_is_absent() -> None:
    pid = os.fork()
    if pid == 0:
        signal.pause()
    folder = os.open(f"/proc/{pid}", os.O_RDONLY)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert read_file(f"/proc/self/fd/{folder}/stat").outcome is Outcome.ABSENT
    os.close(folder)


def test_a_folder_has_no_content(tmp_path: Path) -> None:
    assert read_file(str(tmp_path)).outcome is Outcome.ABSENT


def test_a_pipe_does_not_hold_us(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_file(str(tmp_path / "pipe")).data == b""
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    assert read_file(str(tmp_path / "pipe")).outcome is Outcome.UNREADABLE
    os.close(writer)


def test_a_socket_is_not_read(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert read_file(str(tmp_path / "s")).outcome is not Outcome.OK


def test_a_file_that_is_too_large_is_unreadable_but_has_a_head(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"head")
    os.truncate(path, FILE_LIMIT_BYTES)
    assert len(read_file(str(path)).data) == FILE_LIMIT_BYTES
    os.truncate(path, FILE_LIMIT_BYTES + 1)
    assert (read_file(str(path)).outcome, read_file(str(path)).data) == (Outcome.UNREADABLE, b"")
    assert read_file(str(path), first_bytes=4).data == b"head"
    assert read_file("/dev/zero").outcome is Outcome.UNREADABLE


def test_a_file_that_is_closed_to_us_is_denied(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0)
    with unprivileged():
        assert read_file(str(tmp_path / "f")).outcome is Outcome.DENIED
        assert "Permission denied" in read_file(str(tmp_path / "f")).reason


def test_a_name_that_no_file_can_have_is_a_failure() -> None:
    assert (read_file("/a\0b").outcome, look_up("/a\0b").outcome) == (Outcome.FAILED, Outcome.FAILED)


def test_a_file_without_a_value_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "loop"
    path.symlink_to(path)
    assert read_file(str(path)).outcome is Outcome.UNREADABLE
    assert read_file("/proc/self/mem").outcome is Outcome.ABSENT  # reading at nought is an input/output error


def test_strange_names_are_found_and_lead_to_their_files(tmp_path: Path) -> None:
    names = [b"a b", b"caf\xe9", b"x\ny", b".hidden", b"a[b]", "日本".encode()]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    host = LocalHost()
    found = host.ask(Files(f"{tmp_path}/*"))
    assert sorted(answer.data for answer in found.values()) == sorted(names)
    assert all(host.ask(File(path))[path].data == answer.data for path, answer in found.items())
    assert set(host.ask(Names(f"{tmp_path}/*"))) == set(found)


def test_a_link_is_answered_with_its_target_and_what_is_none_is_absent(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "plain").touch()
    found = LocalHost().ask(Links(f"{tmp_path}/*"))
    assert found[f"{tmp_path}/link"].text == "nowhere"
    assert found[f"{tmp_path}/plain"].outcome is Outcome.ABSENT


def test_each_kind_of_question_is_answered_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("content")
    host = LocalHost()
    assert host.ask(Head(f"{tmp_path}/f", 4))[f"head {tmp_path}/f"].text == "cont"
    assert host.ask(Command(("echo", "x")))["echo x"].text == "x\n"


@pytest.mark.parametrize("name", CALLS)
def test_every_call_answers_in_json_or_says_why_it_does_not(name: str) -> None:
    answer = LocalHost().ask(Call(name))[name]
    if answer.outcome is Outcome.OK:
        json.loads(answer.text)
    else:
        assert name == "nvml"
        assert answer.reason


def test_a_call_that_breaks_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALLS, "broken", lambda: b"\xff".decode())
    assert LocalHost().ask(Call("broken"))["broken"].outcome is Outcome.FAILED
