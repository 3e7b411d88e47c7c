"""Bodies of requests: JSON that every reader reads alike, or nothing."""

import json
from typing import Any

from starlette.requests import Request

from aya.errors import Malformed, UnsupportedMedia

SURROGATE = "\\ud"
BIGGEST = 2**63
JSON_TYPES = ("application/json", "+json")


class StrictRequest(Request):
    """A request whose body is UTF-8, names nothing twice, nests within reason, and holds only numbers that JSON knows."""

    async def json(self) -> Any:
        """The body. Raises Malformed."""
        if not hasattr(self, "_strict"):
            self._strict = strict_json(await self.body())
        return self._strict

    async def refuse_other_media(self) -> None:
        """Raise UnsupportedMedia when there is a body that does not say it is JSON."""
        kind = self.headers.get("content-type", "").split(";")[0].strip().lower()
        if not kind.endswith(JSON_TYPES) and (kind or await self.body()):
            raise UnsupportedMedia(
                f"The body is {kind or 'of no stated type'}; only JSON is taken.",
                remedy="Send it with `Content-Type: application/json`.",
            )


def strict_json(data: bytes) -> Any:
    """JSON out of bytes. Raises Malformed for what is no UTF-8 or no JSON, for a name that stands twice in one object,
    for NaN and Infinity, for whole numbers beyond 64 bits, for halves of characters, and for what nests beyond reason.
    """
    try:
        text = data.decode("utf-8")
        found = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_whole, parse_float=_float
        )
        if SURROGATE in text.lower():
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error
    except UnicodeEncodeError as error:
        raise Malformed("The body holds half of a character: a surrogate that stands alone.") from error
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        raise Malformed("The body nests beyond reason.", remedy="Send it flatter.") from error
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed(f"The body names {twice!r} twice in one object.", remedy="Name it once.")
    return found


def _constant(said: str) -> Any:
    raise Malformed(f"The body holds {said}, which is not JSON.", remedy="Leave out what is not known, or send null.")


def _whole(said: str) -> int:
    if len(said) > 20 or not -BIGGEST <= (number := int(said)) < BIGGEST:
        raise Malformed(f"The body holds a whole number beyond 64 bits: {said[:30]}.")
    return number


def _float(said: str) -> float:
    number = float(said)
    if number in (float("inf"), float("-inf")):
        raise Malformed(f"The body holds a number beyond what a double can say: {said[:30]}.")
    return number
