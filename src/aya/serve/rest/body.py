"""Bodies of requests: JSON that every reader reads alike, or nothing."""

from typing import Any

from starlette.requests import Request

from aya.errors import UnsupportedMedia
from aya.strict_json import read_json

JSON_TYPES = ("application/json", "+json")


class StrictRequest(Request):
    """A request whose body is strict JSON."""

    async def json(self) -> Any:
        """The body. Raises Malformed."""
        if not hasattr(self, "_strict"):
            self._strict = read_json(await self.body())
        return self._strict

    async def refuse_other_media(self) -> None:
        """Raise UnsupportedMedia when there is a body that does not say it is JSON."""
        kind = self.headers.get("content-type", "").split(";")[0].strip().lower()
        if not kind.endswith(JSON_TYPES) and (kind or await self.body()):
            raise UnsupportedMedia(
                f"The body is {kind or 'of no stated type'}; only JSON is taken.",
                remedy="Send it with `Content-Type: application/json`.",
            )
