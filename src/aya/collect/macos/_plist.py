"""Property lists, met without trust: what cannot be read is None, and what JSON has no word for becomes text."""

import plistlib
import struct
from datetime import datetime
from xml.parsers.expat import ExpatError

from aya.model import Json

BINARY = b"bplist00"
MOST_VALUES = 100_000
"""No file of a Mac says more; a list that holds itself never ends."""
DEPTH = 32
"""Nothing that describes a machine is deeper; what is, is not followed."""


def parsed(data: bytes) -> Json:
    """The list as JSON; None where it is none. Data stays bytes. An entity in it is refused."""
    if data.startswith(BINARY):
        return _parsed_binary(data)
    try:
        return plistlib.loads(data.lstrip(b"\xef\xbb\xbf \t\r\n"), fmt=plistlib.FMT_XML)
    except (ExpatError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        # plistlib meets a damaged list with whatever its steps raise: a key outside of a dict, an end without a start.
        return None


def _parsed_binary(data: bytes) -> Json:
    """The form in which most files of the system are. Its parts may stand in several places, and in themselves."""
    try:
        whole = plistlib.loads(data, fmt=plistlib.FMT_BINARY)
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, MemoryError, struct.error):
        return None
    waiting, seen = [whole], 0
    while waiting:
        seen += 1
        value = waiting.pop()
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if seen + len(waiting) > MOST_VALUES:
            return None
    return whole


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
