"""What is written of a machine is what it answered: without secrets, without names where that is wanted, whole or not at all."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.errors import Conflict, HostError
from aya.host.identities import Disguise, people
from aya.host.local import LocalHost
from aya.host.reading import Answer, Call, Command, File, Files, Found, Head, Links, Names, Read
from aya.host.recorded import RecordedHost
from aya.host.recording import RecordingHost, write
from aya.model import Outcome

ABOUT = {"recorded_at": "2026-11-26T00:00:00+00:00", "aya_version": "0"}


def as_it_is(text: str) -> str:
    return text


def shown(found: Found) -> dict[str, tuple[Outcome, bytes, bool]]:
    return {name: (answer.outcome, answer.data, answer.broken_off) for name, answer in found.answers().items()}


def replayed(reads: tuple[Read, ...], path: Path) -> tuple[Found, Found]:
    """What the machine said, and what the recording of it says."""
    recording = RecordingHost(LocalHost())
    found = Found.of(recording, reads)
    write(recording.tape, path, as_it_is, ABOUT, names_kept=True)
    return found, Found.of(RecordedHost.open(path), reads)


@pytest.mark.parametrize("name", ["recording", "recording.tar.gz", "recording.tgz"])
def test_a_recording_answers_as_the_machine_did(tmp_path: Path, name: str) -> None:
    there = tmp_path / "there"
    (there / "sub").mkdir(parents=True)
    (there / "binary").write_bytes(bytes(range(256)))
    (there / "empty").touch()
    (there / "same").write_bytes(bytes(range(256)))
    (there / os.fsdecode(b"caf\xe9 'x'")).write_text("odd")
    (there / "link").symlink_to("binary")
    (there / "large").write_bytes(b"x" * (16 * 1024 * 1024 + 1))
    place = str(there)
    reads: tuple[Read, ...] = (
        Files(f"{place}/*"),
        File(f"{place}/none"),
        Head(f"{place}/binary", 5),
        Links(f"{place}/l*"),
        Names(f"{place}/s?b"),
        Names(f"{place}/nothing*"),
        Call("page-size"),
        Call("running-python"),
        Command(("sh", "-c", "echo 'out put'; echo err >&2; exit 4")),
        Command(("no-such-program",)),
        Command(("sleep", "9"), timeout_s=0.1),
    )
    live, recorded = replayed(reads, tmp_path / name)

    assert shown(recorded) == shown(live)
    assert recorded.gaps() == live.gaps()
    assert recorded.answer("sh -c echo 'out put'; echo err >&2; exit 4").errors == "err"


def test_secrets_are_in_no_file_of_a_recording(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("password = hunter2hunter2\n")
    recording = RecordingHost(LocalHost())
    Found.of(
        recording,
        [
            File(f"{tmp_path}/conf"),
            Command(("echo", "--token", "abc123def456")),
            Command(("ls", "password=hunter2hunter2")),
        ],
    )
    done = write(
        recording.tape,
        tmp_path / "recording",
        lambda text: re.sub("hunter2hunter2|abc123def456", "[redacted]", text),
        ABOUT,
        names_kept=True,
    )

    written = b"".join(path.read_bytes() for path in (tmp_path / "recording").rglob("*") if path.is_file())
    names = " ".join(str(path) for path in (tmp_path / "recording").rglob("*"))
    for secret in ("hunter2hunter2", "abc123def456"):
        assert secret.encode() not in written
        assert secret not in names
    assert done.redacted == 3


def test_a_recording_overwrites_nothing_and_is_closed_to_others(tmp_path: Path) -> None:
    recording = RecordingHost(LocalHost())
    Found.of(recording, [Call("page-size")])
    for name in ("r", "r.tar.gz"):
        write(recording.tape, tmp_path / name, as_it_is, ABOUT, names_kept=True)
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
        with pytest.raises(Conflict):
            write(recording.tape, tmp_path / name, as_it_is, ABOUT, names_kept=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r", "r.tar.gz"]


def test_where_it_cannot_be_written_nothing_is_left(tmp_path: Path) -> None:
    recording = RecordingHost(LocalHost())
    Found.of(recording, [Call("page-size")])
    for name in ("none/r", "none/r.tar.gz"):
        with pytest.raises(HostError, match="cannot be written"):
            write(recording.tape, tmp_path / name, as_it_is, ABOUT, names_kept=True)
    assert not list(tmp_path.iterdir())


def test_a_pattern_of_which_not_everything_came_back_is_not_called_whole(tmp_path: Path) -> None:
    class Broken(LocalHost):
        def ask_all(self, reads: list[Read], timeout_s: float) -> dict[str, Answer]:
            return {
                "/etc/passwd": Answer(Outcome.OK),
                "all /etc/pass* there are": Answer(Outcome.FAILED, broken_off=True),
            }

    recording = RecordingHost(Broken())
    Found.of(recording, [Names("/etc/pass*")])
    write(recording.tape, tmp_path / "r", as_it_is, ABOUT, names_kept=True)

    assert json.loads((tmp_path / "r" / "host.json").read_text())["whole"]["names"] == []


WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=5, max_size=12)


@given(WORD, st.uuids(), st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=8, max_size=12), st.binary(min_size=1))
def test_made_up_names_have_the_form_of_the_real_ones_and_are_the_same_everywhere(
    name: str, uuid: object, serial: str, key: bytes
) -> None:
    disguise = Disguise({f"x{name}", str(uuid), serial}, key)
    line = f"x{name} {uuid} {str(uuid).upper()} {serial} /home/x{name}/.x/x{name}.conf not{name}"
    said = disguise.text(line)

    assert len(said) == len(line)
    first, small, large, made, path, rest = said.split(" ")
    assert (first, small, made) != (f"x{name}", str(uuid), serial)
    assert small == large.lower()
    assert path == f"/home/{first}/.x/{first}.conf"
    assert rest == f"not{name}"
    assert [sign.isdigit() for sign in made] == [sign.isdigit() for sign in serial] or re.fullmatch("[0-9A-F]+", serial)
    assert disguise.text(line) == said


def test_addresses_of_cards_keep_their_maker_and_nothing_else() -> None:
    said = Disguise((), b"k").text("ether 0c:4d:e9:c9:6c:3c lo 00:00:00:00:00:00 0C:4D:E9:C9:6C:3C")

    assert re.fullmatch(r"ether 0c:4d:e9:(?!c9:6c:3c)\S+ lo 00:00:00:00:00:00 0C:4D:E9:\S+", said)


def test_people_are_known_by_accounts_and_folders() -> None:
    passwd = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000:Ada Lovelace,,,:/home/ada:/bin/sh\nnobody:x:65534:1::/:/bin/false\n"

    assert people([passwd, "/Users/grace/Library /Users/Shared/x /home/ada/x"]) == {"ada", "Ada Lovelace", "grace"}
