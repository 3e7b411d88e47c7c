"""Property lists in XML, met without trust: what cannot be read is None, and what JSON has no word for becomes text."""

import plistlib
from datetime import datetime
from xml.parsers.expat import ExpatError

from aya.model import Json

DEPTH = 32
"""Nothing that describes a machine is deeper; what is, is not followed."""


def parsed(data: bytes) -> Json:
    """The list as JSON; None where it is none. Data stays bytes. An entity in it is refused."""
    try:
        return plistlib.loads(data.lstrip(b"\xef\xbb\xbf \t\r\n"), fmt=plistlib.FMT_XML)
    except (ExpatError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        # plistlib meets a damaged list with whatever its steps raise: a key outside of a dict, an end without a start.
        return None


def plain(value: Json, depth: int = DEPTH) -> Json:
    """Only what JSON can say: bytes as hexadecimal, dates and fractions as text; cut where it is too deep."""
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {str(key): plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth - 1) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return value if value is None or isinstance(value, str | int | bool) else str(value)
