"""PDF: the text of its pages. Pictures of text hold none."""

import re
from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from aya.collect.runner import storable
from aya.errors import HostError
from aya.knowledge.document import Form
from aya.knowledge.format import Extracted, Format

HYPHENATED = re.compile(r"(?<=[a-z])-\n(?=[a-z])")
"""A word that the end of a line parts."""


def _read(data: bytes) -> Extracted:
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise HostError("It is encrypted.", remedy="Remove its password, and add it again.")
        pages = [page.extract_text() for page in reader.pages]
        title = reader.metadata.title if reader.metadata else None
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        OverflowError,
    ) as error:
        said = " ".join(str(error).split())[:200]
        raise HostError(f"It is no PDF that can be read: {said or type(error).__name__}.", remedy="Mend it.") from error
    text = HYPHENATED.sub("", storable("\n\n".join(page.strip() for page in pages)))
    if not text.strip():
        raise HostError(f"None of its {len(pages)} pages holds text.", remedy="Let a program read its pictures first.")
    return Extracted(
        text, Form.TEXT, storable(title.strip()) if title and title.strip() else None, {"pages": len(pages)}
    )


format = Format(frozenset({".pdf"}), _read, is_confined=True)
