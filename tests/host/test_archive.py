"""A recording from a stranger is read or refused with a remedy; it leads nowhere else and takes no more room than it may."""

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aya.errors import UsageError
from aya.host import archive
from aya.host.local import FILE_LIMIT_BYTES
from aya.host.reading import Command, File, Found
from aya.host.recorded import RecordedHost
from aya.model import Outcome

LSCPU = {"system": "Linux", "commands": {"lscpu": {"stdout": "lscpu.txt", "exit": 0}}}
ASKED = Command(("lscpu",))


def packed(path: Path, *members: tuple[tarfile.TarInfo, bytes], root: str = "") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, data in members:
            member.name, member.size = f"{root}{member.name}", len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def file(name: str, data: bytes | str | dict[str, Any]) -> tuple[tarfile.TarInfo, bytes]:
    text = json.dumps(data) if isinstance(data, dict) else data
    return tarfile.TarInfo(name), text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize("root", ["", "./", "box/", "a/b/"])
def test_an_archive_is_read_whatever_folder_is_around_it(tmp_path: Path, root: str) -> None:
    path = packed(tmp_path / "r.tar.gz", file("host.json", LSCPU), file("lscpu.txt", "CPU(s): 2\n"), root=root)

    assert Found.of(RecordedHost.open(path), [ASKED]).text("lscpu") == "CPU(s): 2\n"


def test_a_tar_that_is_not_packed_is_read(tmp_path: Path) -> None:
    path = packed(tmp_path / "r.tar.gz", file("host.json", LSCPU), file("lscpu.txt", "x"))
    plain = tmp_path / "r.tar"
    plain.write_bytes(gzip.decompress(path.read_bytes()))

    assert Found.of(RecordedHost.open(plain), [ASKED]).text("lscpu") == "x"


MANIFESTS: dict[str, str | bytes] = {
    "not JSON": "{",
    "not UTF-8": b'{"system": "\xff"}',
    "no object": "[]",
    "no system": "{}",
    "unknown system": '{"system": "Plan9"}',
    "system of a wrong type": '{"system": ["Linux"]}',
    "commands of a wrong type": '{"system": "Linux", "commands": []}',
    "command of a wrong type": '{"system": "Linux", "commands": {"lscpu": 3}}',
    "stdout of a wrong type": '{"system": "Linux", "commands": {"lscpu": {"stdout": ["x"]}}}',
    "exit of a wrong type": '{"system": "Linux", "commands": {"lscpu": {"exit": "0"}}}',
    "exit that is true": '{"system": "Linux", "commands": {"lscpu": {"exit": true}}}',
    "unknown outcome": '{"system": "Linux", "commands": {"lscpu": {"outcome": "fine"}}}',
    "names of a wrong type": '{"system": "Linux", "names": {"a": 1}}',
    "whole of a wrong type": '{"system": "Linux", "whole": {"files": [1]}}',
    "call of a wrong type": '{"system": "Linux", "calls": {"user-id": 0}}',
    "deep nesting": '{"system": ' + "[" * 200_000 + "]" * 200_000 + "}",
    "a number without end": '{"system": "Linux", "x": ' + "9" * 10_000 + "}",
    "10 MB of nothing": "x" * 10_000_000,
    "too large": " " * (FILE_LIMIT_BYTES + 1),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_says_nothing_usable_is_refused(tmp_path: Path, name: str) -> None:
    said = MANIFESTS[name]
    (tmp_path / "host.json").write_bytes(said.encode() if isinstance(said, str) else said)

    with pytest.raises(UsageError) as refused:
        RecordedHost.open(tmp_path)
    assert refused.value.remedy
    assert len(str(refused.value)) < 2000


def test_10_mb_of_manifest_are_read(tmp_path: Path) -> None:
    said = {"system": "Linux", "files": {f"/proc/{number}/{'x' * 80}": "none.txt" for number in range(80_000)}}
    (tmp_path / "host.json").write_text(json.dumps(said))

    assert len(RecordedHost.open(tmp_path).manifest.files) == 80_000


def test_a_manifest_of_another_hand_is_read(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_bytes(
        b"\xef\xbb\xbf"
        + b'{"system": "macOS",\r\n "author": "me", "commands": {"/usr/bin/uname -m": "u.txt", "x": {"odd": 1}}}\r\n'
    )
    (tmp_path / "u.txt").write_text("arm64\r\n")
    host = RecordedHost.open(tmp_path)

    assert host.system == "Darwin"
    assert Found.of(host, [Command(("uname", "-m"))]).line("uname -m") == "arm64"
    assert len(host.manifest.notices) == 2


@pytest.mark.parametrize(
    "name", ["../secret", "../../etc/passwd", "/etc/passwd", "a/../../b", "", "a\\..\\b", "x\0y", "link"]
)
def test_a_name_that_leads_out_of_the_recording_opens_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "recording"
    folder.mkdir()
    (folder / "link").symlink_to("../secret")
    (folder / "host.json").write_text(json.dumps({"system": "Linux", "files": {"/etc/x": {"content": name}}}))

    with pytest.raises(UsageError, match="leads out"):
        RecordedHost.open(folder).ask(File("/etc/x"))


def test_links_within_a_recording_and_loops_of_them_are_no_danger(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("real")
    (tmp_path / "link.txt").symlink_to("real.txt")
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    files = {"/a": "link.txt", "/b": "loop.txt", "/c": "missing.txt", "/d": "."}
    (tmp_path / "host.json").write_text(json.dumps({"system": "Linux", "files": files}))
    found = Found.of(RecordedHost.open(tmp_path), [File(path) for path in files])

    assert found.text("/a") == "real"
    assert [found.answer(path).outcome for path in ("/b", "/c", "/d")] == [Outcome.UNREADABLE] * 3


def test_pipes_devices_and_huge_files_in_a_folder_are_unreadable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as sparse:
        sparse.truncate(10**9)
    (tmp_path / "host.json").write_text(json.dumps({"system": "Linux", "files": {"/pipe": "pipe", "/huge": "huge"}}))
    found = Found.of(RecordedHost.open(tmp_path), [File("/pipe"), File("/huge")])

    assert [found.answer(path).outcome for path in ("/pipe", "/huge")] == [Outcome.UNREADABLE] * 2


def link(kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo("lscpu.txt")
    member.type, member.linkname = kind, "/etc/passwd"
    return member, b""


HOSTILE: dict[str, Callable[[], tuple[tarfile.TarInfo, bytes]]] = {
    "symbolic link": lambda: link(tarfile.SYMTYPE),
    "hard link": lambda: link(tarfile.LNKTYPE),
    "character device": lambda: link(tarfile.CHRTYPE),
    "pipe": lambda: link(tarfile.FIFOTYPE),
    "absolute name": lambda: file("/etc/cron.d/x", "x"),
    "name that leads up": lambda: file("../../x", "x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_archive_with_anything_but_files_in_it_is_refused(tmp_path: Path, name: str) -> None:
    path = packed(tmp_path / "r.tar.gz", file("host.json", LSCPU), HOSTILE[name]())

    with pytest.raises(UsageError) as refused:
        RecordedHost.open(path)
    assert refused.value.remedy


def test_a_file_of_an_archive_that_is_too_large_is_unreadable_and_the_others_are_not(tmp_path: Path) -> None:
    said = LSCPU | {"files": {"/x": "x.txt"}}
    large = file("lscpu.txt", b"x" * (FILE_LIMIT_BYTES + 1))
    path = packed(tmp_path / "r.tar.gz", large, file("host.json", said), file("x.txt", "x"))
    found = Found.of(RecordedHost.open(path), [ASKED, File("/x")])

    assert found.answer("lscpu").outcome is Outcome.UNREADABLE
    assert found.text("/x") == "x"


def test_what_unpacks_to_more_than_the_limit_is_refused_before_it_fills_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "ARCHIVE_LIMIT_BYTES", 4_000_000)
    path = packed(tmp_path / "r.tar.gz", *(file(f"{number}", b"\0" * 1_000_000) for number in range(6)))

    with pytest.raises(UsageError, match="larger than"):
        RecordedHost.open(path)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MEMBERS_LIMIT", 50)
    path = packed(tmp_path / "r.tar.gz", *(file(f"d/{number}", "") for number in range(60)))

    with pytest.raises(UsageError, match="more than 50"):
        RecordedHost.open(path)


@pytest.mark.parametrize("cut", [0, 1, 20, 100, 511, 600])
def test_an_archive_that_is_cut_off_or_none_is_refused(tmp_path: Path, cut: int) -> None:
    whole = packed(tmp_path / "r.tar.gz", file("lscpu.txt", os.urandom(5000)), file("host.json", LSCPU)).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[:cut])
    (tmp_path / "text.tar.gz").write_bytes(b"hello" * cut)

    for name in ("cut.tar.gz", "text.tar.gz"):
        with pytest.raises(UsageError):
            RecordedHost.open(tmp_path / name)


def test_where_nothing_is_there_is_no_recording(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, Path("/dev/null")):
        with pytest.raises(UsageError) as refused:
            RecordedHost.open(path)
        assert "aya host record" in refused.value.remedy
