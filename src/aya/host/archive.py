"""The files of a recording: a folder, or a `.tar.gz`. Strangers send them, so nothing outside is opened and nothing unpacked.

Raises UsageError for what is no recording, or tries to be more than one.
"""

import gzip
import io
import os
import stat
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast

from aya.errors import UsageError
from aya.host.local import FILE_LIMIT_BYTES, read_file
from aya.host.reading import Answer
from aya.model import Outcome

MANIFEST = "host.json"
ARCHIVE_LIMIT_BYTES = 256 * 1024 * 1024
"""Unpacked, all files together: a machine with thousands of processes has a tenth of it."""
MEMBERS_LIMIT = 200_000
BROKEN = (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError, RecursionError)
"""What Python's readers of archives raise where one is no archive, or a broken one."""
UNPACKED = "A recording is a folder with host.json, or a .tar.gz of one; `aya host record` writes either."


class Archive(Protocol):
    """Where the files of a recording are."""

    def read(self, name: str) -> Answer:
        """The content of a file by its name in the recording; `unreadable` where it is missing or too large. Raises
        UsageError where the name leads out of the recording.
        """
        ...


def inside(name: str) -> str:
    """A file's name, made plain. Raises UsageError where it leads out of the recording."""
    path = PurePosixPath(name)
    if not name or "\0" in name or "\\" in name or path.is_absolute() or ".." in path.parts:
        raise UsageError(
            f"The recording names {name[:200]!r}, which leads out of it.",
            remedy="Names in host.json are of files beside it. Do not use a recording that says otherwise.",
        )
    return str(path)


class Folder:
    """A recording that is a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._real = folder.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise UsageError(f"{folder} cannot be opened: {error}.", remedy=UNPACKED) from None

    def read(self, name: str) -> Answer:
        """See `Archive`. Symbolic links are followed within the folder only."""
        path = self._folder / inside(name)
        try:
            real = path.resolve(strict=True)
            kind = os.stat(real).st_mode
        except (OSError, RuntimeError):
            return missing(name)
        if not real.is_relative_to(self._real):
            raise UsageError(
                f"{name} is a link that leads out of the recording.", remedy="Do not use a recording that does that."
            )
        if not stat.S_ISREG(kind):
            return Answer(Outcome.UNREADABLE, reason=f"{name} in the recording is no plain file")
        return read_file(str(real))


class Tar:
    """A recording that is a `.tar.gz`, kept in memory: it is gone through once, up to limits."""

    def __init__(self, path: Path) -> None:
        self._content: dict[str, bytes | None] = {}
        try:
            with path.open("rb") as file, tarfile.open(fileobj=_plain(file), mode="r|") as members:
                for member in members:
                    self._take(members, member)
        except BROKEN as error:
            raise UsageError(f"{path} is no .tar.gz that can be read: {error}.", remedy=UNPACKED) from None
        self._root = self._root_of_manifest()

    def _take(self, members: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        if len(self._content) >= MEMBERS_LIMIT:
            raise UsageError(f"The recording holds more than {MEMBERS_LIMIT} files.", remedy=UNPACKED)
        name = inside(member.name)
        if member.isdir():
            return
        if not member.isreg():
            raise UsageError(
                f"{name[:200]} in the recording is a link or a device.",
                remedy="A recording holds plain files only. Do not use one that says otherwise.",
            )
        file = members.extractfile(member) if member.size <= FILE_LIMIT_BYTES else None
        self._content[name] = file.read() if file is not None else None

    def _root_of_manifest(self) -> str:
        """The folder in the archive that holds the manifest: `tar czf x.tar.gz x` puts one around everything."""
        found = [name for name in self._content if PurePosixPath(name).name == MANIFEST]
        return str(PurePosixPath(min(found, key=len)).parent) if found else "."

    def read(self, name: str) -> Answer:
        """See `Archive`."""
        path = str(PurePosixPath(self._root) / inside(name))
        if path not in self._content:
            return missing(name)
        content = self._content[path]
        if content is None:
            return Answer(Outcome.UNREADABLE, reason=f"{name} in the recording is larger than {FILE_LIMIT_BYTES} bytes")
        return Answer(Outcome.OK, content)


def missing(name: str) -> Answer:
    """What a recording answers whose manifest names a file that is not there."""
    return Answer(Outcome.UNREADABLE, reason=f"{name} is named in {MANIFEST}, but is not in the recording")


class _Limited(io.RawIOBase):
    """What another stream gives, up to a limit on all of it together."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = ARCHIVE_LIMIT_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        chunk = self._stream.read(len(view))
        view[: len(chunk)] = chunk
        self._left -= len(chunk)
        if self._left < 0:
            raise UsageError(
                f"The recording is larger than {ARCHIVE_LIMIT_BYTES} bytes when it is unpacked.",
                remedy="Unpack it by hand if you trust it, and name the folder.",
            )
        return len(chunk)


def _plain(file: IO[bytes]) -> IO[bytes]:
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return cast(
        IO[bytes], io.BufferedReader(_Limited(cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file))
    )


def open_archive(path: Path) -> Archive:
    """The files of the recording at a path. Raises UsageError where there is none."""
    if path.is_dir():
        return Folder(path)
    if path.is_file():
        return Tar(path)
    raise UsageError(f"There is no recording at {path}.", remedy=UNPACKED)
