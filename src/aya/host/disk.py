"""Whether a folder of this machine can be written, how much room is left, and whether what lies there can be read."""

import os
import secrets
import tempfile
from dataclasses import dataclass

from aya.host.local import refusal
from aya.host.reading import Answer
from aya.model import Outcome

BLOCK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Space:
    """The room on a file system for ordinary users."""

    size_bytes: int
    free_bytes: int
    free_files: int | None
    """How many more files it can hold; None where it does not count them."""
    read_only: bool


def space(path: str) -> Space | Answer:
    """The room where a path lies; or why that cannot be told."""
    try:
        found = os.statvfs(path)
    except OSError as error:
        return refusal(path, error)
    return Space(
        size_bytes=found.f_blocks * found.f_frsize,
        free_bytes=found.f_bavail * found.f_frsize,
        free_files=found.f_favail if found.f_files else None,
        read_only=bool(found.f_flag & os.ST_RDONLY),
    )


def write_and_read_back(folder: str) -> Answer:
    """Write a block of chance to a new file in a folder, bring it to the disk, read it back, and remove the file."""
    wanted = secrets.token_bytes(BLOCK_BYTES)
    try:
        with tempfile.NamedTemporaryFile(prefix=".aya-probe-", dir=folder) as file:
            file.write(wanted)
            file.flush()
            os.fsync(file.fileno())
            with open(file.name, "rb") as again:
                back = again.read()
    except OSError as error:
        return Answer(Outcome.FAILED, reason=f"{folder}: {error.strerror}")
    if back != wanted:
        return Answer(Outcome.FAILED, reason=f"{folder}: what was read back is not what was written")
    return Answer(Outcome.OK, f"{BLOCK_BYTES} bytes written, synced and read back".encode())


@dataclass(frozen=True, slots=True)
class Content:
    """What lies in a folder and those below it."""

    files: int
    size_bytes: int
    newest_epoch_s: float | None
    unreadable: tuple[str, ...]
    """What could not be read, with the reason."""
    cut_off: bool
    """Whether there were more files than were looked at."""


def content(folder: str, *, most_files: int) -> Content:
    """Open every file below a folder and read its first block; links are not followed."""
    files, size_bytes, newest, cut_off = 0, 0, None, False
    unreadable: list[str] = []

    def refused(error: OSError) -> None:
        unreadable.append(f"{error.filename}: {error.strerror}")

    for place, _, names in os.walk(folder, onerror=refused):
        for name in names:
            if files >= most_files:
                cut_off = True
                break
            path = os.path.join(place, name)
            try:
                found = os.lstat(path)
                if not os.path.isfile(path) or os.path.islink(path):
                    continue
                files += 1
                with open(path, "rb", buffering=0) as file:
                    file.read(BLOCK_BYTES)
            except OSError as error:
                refused(error)
                continue
            size_bytes += found.st_size
            newest = max(newest or 0.0, found.st_mtime)
    return Content(files, size_bytes, newest, tuple(unreadable), cut_off)
