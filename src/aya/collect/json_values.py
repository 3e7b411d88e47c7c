"""JSON that programs print, met without trust: whatever shape it has, asking it for something gives that or None."""

import json
from collections.abc import Sequence

from aya.model import Json


def parsed(text: str | None) -> Json:
    """What the text says; None where it is no JSON. `ip` prints control characters in names as they are."""
    try:
        return json.loads(text, strict=False) if text else None
    except (ValueError, RecursionError):
        return None


def dig(node: Json, *keys: str) -> Json:
    """The value under a path of keys; None where a part of the path is not there."""
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def items(node: Json) -> Sequence[Json]:
    """The items of a list; none where it is no list."""
    return node if isinstance(node, list) else ()


def words(node: Json) -> str | None:
    """A text without surrounding blanks; None where it is no text or an empty one."""
    return (node.strip() or None) if isinstance(node, str) else None


def integer(node: Json) -> int | None:
    """A whole number, also where it was written as text; None where it is none."""
    if isinstance(node, str):
        node = node.strip()
        return int(node) if node.isascii() and node.isdecimal() and len(node) < 30 else None
    return node if isinstance(node, int) and not isinstance(node, bool) else None
