"""Markdown: as it is, without what a browser would run or hide."""

import re

from aya.documentation.text import text_of
from aya.errors import HostError
from aya.knowledge.document import Form
from aya.knowledge.format import Extracted, Format
from aya.knowledge.headings import headings

HIDDEN = re.compile(r"<(script|style)\b[^>]*>.*?</\1\s*>|<!--.*?-->", re.S | re.I)


def _read(data: bytes) -> Extracted:
    text = text_of(data)
    if text is None:
        raise HostError("It is no text.", remedy="Name Markdown files only so if they are.")
    text = HIDDEN.sub("", text).replace("\r\n", "\n")
    return Extracted(text, Form.MARKDOWN, next((heading.text for heading in headings(text)), None))


format = Format(frozenset({".md", ".markdown", ".mdown"}), _read)
