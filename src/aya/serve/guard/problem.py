"""An error as the answer to a request: RFC 9457 problem details."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.types import Send

from aya.collect.runner import storable
from aya.errors import AyaError, NotAuthenticated, TooManyRequests

MEDIA_TYPE = "application/problem+json"


def problem(error: AyaError, path: str, request_id: str) -> dict[str, Any]:
    """The document: `type` and `title` are the kind of error, `detail` what happened, `remedy` what to do next."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
    said = {
        "type": f"urn:aya:problem:{kind}",
        "title": re.split(r"[.:;]", type(error).__doc__ or kind)[0].strip(),
        "status": error.http_status,
        "detail": error.message,
        **({"remedy": error.remedy} if error.remedy else {}),
        "instance": path,
        "request_id": request_id,
    }
    # What was sent may hold what is no text; it is shown as it can be.
    return {name: storable(value) if isinstance(value, str) else value for name, value in said.items()}


def problem_headers(error: AyaError) -> dict[str, str]:
    """What the answer to such an error carries beside the document."""
    if isinstance(error, NotAuthenticated):
        return {"WWW-Authenticate": 'Bearer realm="AYA"'}
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after_s)}
    return {}


async def send_problem(
    send: Send, error: AyaError, path: str, request_id: str, *, discard: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Answer with it. `discard`: there is a body that was not read; let go by what it takes in, and close the connection."""
    body = orjson.dumps(problem(error, path, request_id))
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        **problem_headers(error),
        **({"Connection": "close"} if discard else {}),
    }
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.http_status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": discard is not None})
    if discard is not None:
        await discard()
        await send({"type": "http.response.body", "body": b""})
