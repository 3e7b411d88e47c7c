"""A machine at the other end of ssh answers what this one answers, whatever its files are named and hold."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aya.errors import HostError, UsageError
from aya.host.address import opened
from aya.host.local import LocalHost
from aya.host.process import run
from aya.host.reading import Answer, Call, Command, File, Files, Found, Head, Links, Names, Read
from aya.host.ssh import BATCH_LIMIT_BYTES, Destination, answers, destination, script
from aya.model import Outcome
from tests.host.sshd import serving

MARK = "0123456789abcdef" * 2


def by_shell(*reads: Read) -> Mapping[str, Answer]:
    """What the shell of this machine answers: what ssh carries, without ssh."""
    done = run(("/bin/sh", "-s"), given=script(reads, MARK), timeout_s=60, output_limit_bytes=BATCH_LIMIT_BYTES)
    return answers(reads, done, MARK)


def by_python(*reads: Read) -> Mapping[str, Answer]:
    host = LocalHost()
    return {name: answer for read in reads for name, answer in host.ask(read).items()}


def shown(found: Mapping[str, Answer]) -> dict[str, tuple[Outcome, bytes]]:
    return {name: (answer.outcome, answer.data) for name, answer in found.items()}


NAME = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and not name.startswith("..") and len(name.encode()) < 200
)


@settings(max_examples=40)
@given(NAME, st.binary(max_size=200))
def test_any_name_and_any_content_are_read(tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / name).write_bytes(content)
    (folder / "link").unlink(missing_ok=True)
    if name != "link":
        (folder / "link").symlink_to(name)
    place = str(folder)
    reads = (File(f"{place}/{name}"), Head(f"{place}/{name}", 7), Names(f"{place}/*"), Links(f"{place}/*"))

    assert shown(by_shell(*reads)) == shown(by_python(*reads))


@settings(max_examples=40)
@given(st.text("ab.*?[]!-'\" $", min_size=1, max_size=8))
@example("*?a")
@example("*.a")
@example("[!b]*[.]*")
def test_any_pattern_finds_the_same(tmp_path_factory: pytest.TempPathFactory, pattern: str) -> None:
    folder = tmp_path_factory.mktemp("pattern")
    for name in ("a", "b", "ab", ".a", "a b", "a'b", "[a]", "a*", "$a", "-", "!"):
        (folder / name).write_text(name)
    if set(pattern) <= {"."}:
        return
    for wanted in (Names(f"{folder}/{pattern}"), Links(f"{folder}/{pattern}"), Files(f"{folder}/{pattern}")):
        assert shown(by_shell(wanted)) == shown(by_python(wanted))


def test_everything_that_is_no_file_is_refused_as_here(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    (tmp_path / "large").write_bytes(b"x" * (16 * 1024 * 1024 + 1))
    (tmp_path / "empty").touch()
    paths = [f"{tmp_path}/{name}" for name in ("dangling", "folder", "large", "empty", "none", "empty/below")]
    there, here = (by(*map(File, paths)) for by in (by_shell, by_python))

    assert shown(there) == shown(here)
    assert by_shell(File(f"{tmp_path}/pipe"))[f"{tmp_path}/pipe"].outcome is Outcome.UNREADABLE


def test_a_file_that_nobody_may_read_is_denied() -> None:
    user = 65534 if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        path = f"{folder}/closed"
        Path(path).write_text("x")
        Path(path).chmod(0)
        done = run(("/bin/sh", "-s"), given=script([File(path)], MARK), timeout_s=20, user=user, group=user)

    assert answers([File(path)], done, MARK)[path].outcome is Outcome.DENIED


@settings(max_examples=40)
@given(
    st.lists(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=20), max_size=4)
)
def test_arguments_arrive_as_they_are(arguments: list[str]) -> None:
    asked = Command(("printf", "%s|", *arguments))

    assert shown(by_shell(asked)) == shown(by_python(asked))


def test_programs_end_as_here() -> None:
    reads = [
        Command(("sh", "-c", "echo out; echo err >&2; exit 3")),
        Command(("sh", "-c", "printf '\\n0123\\000\\n'")),
        Command(("sh", "-c", "echo permission denied >&2; exit 1")),
        Command(("no-such-program-here", "-x")),
        Command(("/no/such/program",)),
        Command(("cat",)),
    ]
    there, here = by_shell(*reads), by_python(*reads)

    for name, answer in here.items():
        other = there[name]
        assert (other.outcome, other.data, other.errors) == (answer.outcome, answer.data, answer.errors)


def test_a_program_that_does_not_end_is_ended_and_the_next_is_asked() -> None:
    slow, quick = Command(("sleep", "60"), timeout_s=1), Command(("echo", "next"))
    found = by_shell(slow, quick)

    assert found["sleep 60"].broken_off
    assert found["echo next"].text == "next\n"


def test_what_was_not_reached_is_failed_and_never_absent() -> None:
    reads = [File("/etc/passwd"), Command(("echo", "x")), Names("/etc/*")]
    done = run(("/bin/sh", "-s"), given=script(reads, MARK), timeout_s=20)
    cut = Answer(Outcome.FAILED, done.data[: done.data.index(f"\n{MARK}Q1".encode())], "ssh ended with 255")
    found = Found(reads, answers(reads, cut, MARK))

    assert found.text("/etc/passwd")
    assert found.answer("echo x").outcome is Outcome.FAILED
    assert len(found.gaps()) == 2


@pytest.mark.parametrize("name", ["machine-architecture", "page-size", "clock-ticks", "user-id", "byte-order"])
def test_calls_say_the_same(name: str) -> None:
    assert by_shell(Call(name))[name].text.strip() == by_python(Call(name))[name].text.strip()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("root@alpha", Destination("alpha", "root")),
        ("alpha.local:2222", Destination("alpha.local", None, 2222)),
        ("u.s-r@[::1]:22", Destination("::1", "u.s-r", 22)),
    ],
)
def test_addresses_are_understood(text: str, found: Destination) -> None:
    assert destination(text) == found


@pytest.mark.parametrize(
    "text",
    ["-oProxyCommand=x", "root:secret@alpha", "a b", "a;b", "$(x)", "a:0", "a:99999", "", "a\nb", "u@-x", "[::1"],
)
def test_what_could_be_an_option_or_a_command_is_no_address(text: str) -> None:
    with pytest.raises(UsageError):
        destination(text)


def test_a_real_server_answers_and_the_connection_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a 'name'").write_bytes(content := bytes(range(256)) * 40)
    with serving(tmp_path) as (address, programs):
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        with opened(address) as host:
            found = Found.of(host, [File(f"{tmp_path}/a 'name'"), Command(("uname", "-s")), Names(f"{tmp_path}/auth*")])
            assert host.system == os.uname().sysname
        assert found.answer(f"{tmp_path}/a 'name'").data == content
        assert found.line("uname -s") == os.uname().sysname
        assert [path for path, _ in found.matches(f"{tmp_path}/a*")] == [
            f"{tmp_path}/a 'name'",
            f"{tmp_path}/authorized",
        ]
    assert not list(Path("/tmp").glob("aya-ssh-*/*"))


def test_a_machine_that_cannot_be_reached_is_an_error_that_says_how_to_try(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="could not be asked") as refused, opened("ssh:nobody@127.0.0.1:1"):
        pass
    assert "ssh nobody@127.0.0.1" in refused.value.remedy
