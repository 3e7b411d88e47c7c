"""Plain text, and whatever else is text: source code, configuration."""

from aya.documentation.text import text_of
from aya.errors import HostError
from aya.knowledge.document import Form
from aya.knowledge.format import Extracted, Format


def _read(data: bytes) -> Extracted:
    text = text_of(data)
    if text is None:
        raise HostError("It is no text.", remedy="Name text files only so if they are.")
    return Extracted(text.replace("\r\n", "\n"), Form.TEXT)


format = Format(frozenset({".txt", ".text", ".rst", ".adoc", ".log"}), _read)
