"""A file as a document, read once and whole, so that its hash is that of exactly what was read; and the files of a folder."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from aya.host.local import FILE_LIMIT_BYTES, refusal
from aya.model import Outcome

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileRead:
    """What came of reading a file."""

    path: str
    outcome: Outcome
    reason: str = ""
    size_bytes: int | None = None
    sha256: str | None = None
    """In hex, of the whole file however large it is."""
    data: bytes | None = None
    """Its content; None also where it is longer than is kept."""


def read_document(path: str, *, keep_bytes: int = FILE_LIMIT_BYTES) -> FileRead:
    """Read a file whole; what is longer than `keep_bytes` is hashed and not kept. A pipe, device or socket is not read."""
    try:
        # Non-blocking: a pipe that is named like a file must not hold us.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return _refused(path, error)
    except ValueError as error:  # a NUL in the path
        return FileRead(path, Outcome.UNREADABLE, f"{path!r}: {error}")
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return FileRead(path, Outcome.UNREADABLE, f"{path}: it is no regular file")
        digest, kept, size = sha256(), bytearray(), 0
        while chunk := os.read(descriptor, CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            if size <= keep_bytes:
                kept += chunk
        return FileRead(
            path, Outcome.OK, "", size, digest.hexdigest(), bytes(kept) if size <= keep_bytes else None
        )  # fmt: skip
    except OSError as error:
        return _refused(path, error)
    finally:
        os.close(descriptor)


def files_under(path: str) -> Iterator[FileRead | str]:
    """The path itself if it is a file; of a folder every file in it, at any depth, in order of name.

    Names that begin with a dot are left out, and links to folders are not followed, so that a loop ends nothing. What could
    not be looked into comes as the FileRead that says why.
    """
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except OSError as error:
        yield _refused(path, error)
        return
    except ValueError as error:
        yield FileRead(path, Outcome.UNREADABLE, f"{path!r}: {error}")
        return
    if not is_folder:
        yield path
        return
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        yield _refused(path, error)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from files_under(entry.path)
        elif not (entry.is_symlink() and os.path.isdir(entry.path)):
            yield entry.path


def _refused(path: str, error: OSError) -> FileRead:
    if error.errno == errno.ELOOP:
        return FileRead(path, Outcome.UNREADABLE, f"{path}: {error.strerror}")
    answer = refusal(path, error)
    return FileRead(path, answer.outcome, answer.reason)
