"""JSON as strangers send it: read strictly, so that what was checked is what was meant.

Refused, beside what is no JSON: bytes that are not UTF-8, a name twice in one object, NaN and Infinity, NUL and lone surrogates
in texts, whole numbers beyond 64 bits, and nesting deeper than anything AYA says.
"""

import json
from collections import Counter
from typing import Any, NoReturn

from aya.errors import Malformed

DEPTH_LIMIT = 64
INTEGER_LIMIT = 2**63


def read_json(data: bytes, what: str = "The body") -> Any:
    """The value that the text says. Raises Malformed, which says what is wrong with it, and where."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except UnicodeDecodeError as error:
        raise _refused(what, f"is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise _refused(what, f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _refused(what, f"is nested deeper than {DEPTH_LIMIT}") from None
    except _Unusable as error:
        raise _refused(what, str(error)) from None
    _check(value, what)
    return value


class _Unusable(Exception):
    """What JSON can say and AYA does not take."""


def _refused(what: str, problem: str) -> Malformed:
    return Malformed(f"{what} {problem}.", remedy="Nothing was done. Send one JSON document, in UTF-8.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise _Unusable(f"has the name {twice!r:.100} twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise _Unusable(f"holds {name}, which is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -INTEGER_LIMIT <= (number := int(digits)) < INTEGER_LIMIT:
        raise _Unusable(f"holds the number {digits:.40}, which does not fit 64 bits")
    return number


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _Unusable(f"holds the number {text:.40}, which is too large")
    return number


def _check(value: Any, what: str) -> None:
    """Refuse deep nesting, and texts that PostgreSQL cannot hold; layer by layer, so that depth costs no stack."""
    layer, depth = [value], 0
    while layer:
        depth += 1
        if depth > DEPTH_LIMIT:
            raise _refused(what, f"is nested deeper than {DEPTH_LIMIT}")
        inner: list[Any] = []
        for item in layer:
            if isinstance(item, str):
                _check_text(item, what)
            elif isinstance(item, dict):
                inner += item
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        layer = inner


def _check_text(text: str, what: str) -> None:
    if "\0" in text:
        raise _refused(what, f"holds a NUL in {text!r:.100}, which PostgreSQL cannot keep")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _refused(what, f"holds half a character (a lone surrogate) in {text!r:.100}") from None
