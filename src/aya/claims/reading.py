"""A file as a text that can be read: limited, UTF-8, without secrets, every line where it was."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from aya.errors import HostError, UsageError
from aya.redaction import Redactor

LIMIT_BYTES = 4 * 1024 * 1024
"""A longer document is refused; the longest assessments are a hundredth of that."""


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it was written, but for its secrets."""

    text: str
    size_bytes: int
    sha256: str
    """Of the file as it is, in hex."""
    secret_lines: tuple[int, ...]
    """Where a secret stood, from 1."""


def read_file(path: Path) -> bytes:
    """The bytes of a document. Raises HostError, and UsageError for one that is too long."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror or error}.", remedy="Name a file of Markdown.") from error
    if len(data) > LIMIT_BYTES:
        raise UsageError(
            f"{path} is longer than {LIMIT_BYTES // 1024**2} MiB.",
            remedy="Nothing was recorded. An assessment is some dozens of KB: import it in parts if it really is that long.",
        )
    return data


def written(data: bytes, redactor: Redactor) -> Written:
    """What the bytes say. Raises UsageError when they are no text, or none that says anything."""
    if b"\0" in data:
        raise UsageError(
            f"That is no text: it has a NUL at byte {data.index(0)}.",
            remedy="Nothing was recorded. A document is Markdown in UTF-8.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"That is not UTF-8: byte {error.start}, on line {line}.",
            remedy="Nothing was recorded. Convert it, for example with `iconv -f LATIN1 -t UTF-8`.",
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise UsageError("The document is empty.", remedy="Nothing was recorded.")
    clean = replace(redactor, keeps_lines=True).text(text)
    lines = zip(text.split("\n"), clean.split("\n"), strict=True)
    secret = tuple(number for number, (before, after) in enumerate(lines, 1) if before != after and "[redacted:" in after)
    return Written(clean, len(data), sha256(data).hexdigest(), secret)
