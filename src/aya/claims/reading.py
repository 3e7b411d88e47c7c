"""A file as a text that can be read: limited, without secrets, every line where it was."""

from dataclasses import dataclass, replace

from aya.documentation.secrets import without_secrets
from aya.documentation.text import text_of
from aya.errors import HostError, UsageError
from aya.host.document import FileRead, read_document
from aya.redaction import Redactor

LIMIT_BYTES = 2 * 1024 * 1024
"""A longer document is refused; assessments are some dozens of KB."""


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it was written, but for its secrets."""

    file: FileRead
    text: str
    secret_lines: tuple[int, ...]
    """Where secrets stand in the file, from 1."""


def read(path: str, redactor: Redactor) -> Written:
    """Read a document. Raises HostError when the file cannot be read, UsageError when it is too long, no text or empty."""
    file = read_document(path, keep_bytes=LIMIT_BYTES)
    if file.size_bytes is None:
        raise HostError(f"{file.reason}.", remedy="Nothing was recorded. Name a file of Markdown.")
    if file.data is None:
        raise UsageError(
            f"{path} is {file.size_bytes:,} bytes long; a document of more than {LIMIT_BYTES:,} is not read.",
            remedy="Nothing was recorded. An assessment is some dozens of KB: import it in parts if it really is that long.",
        )
    text = text_of(file.data)
    if text is None:
        raise UsageError(f"{path} is no text.", remedy="Nothing was recorded. A document is Markdown in UTF-8.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise UsageError(f"{path} is empty.", remedy="Nothing was recorded.")
    return Written(file, replace(redactor, keeps_lines=True).text(text), without_secrets(text, redactor)[1])
