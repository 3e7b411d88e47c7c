"""What the bytes of a file say as text."""

import codecs

from aya.collect.runner import storable

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""How a text says in which encoding it is; of two that begin alike the longer stands first."""
LOOKED_AT_BYTES = 1 << 16
MOST_STRANGE = 0.1
"""A file of whose first bytes more than that share is neither UTF-8 nor printable is no text."""


def text_of(data: bytes) -> str | None:
    """The text, fit to be stored; None for what is none, as an image. Bytes that are not UTF-8 become visible as `\\xNN`."""
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data:
        return None
    text = data.decode(encoding, errors="surrogateescape" if encoding.startswith("utf-8") else "replace")
    beginning = text[:LOOKED_AT_BYTES]
    strange = sum("\udc80" <= char <= "\udcff" or (char < " " and char not in "\t\n\r\f\x1b") for char in beginning)
    return None if strange > MOST_STRANGE * len(beginning) else storable(text)
