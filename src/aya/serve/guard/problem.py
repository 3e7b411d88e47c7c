"""An error as the answer to a request: RFC 9457 problem details."""

import re
from typing import Any

import orjson
from starlette.types import Send

from aya.errors import AyaError, NotAuthenticated, TooManyRequests

MEDIA_TYPE = "application/problem+json"


def problem(error: AyaError, request_id: str) -> dict[str, Any]:
    """The document: `type` and `title` are the kind of error, `detail` what happened, `remedy` what to do next."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
    return {
        "type": f"urn:aya:problem:{kind}",
        "title": kind.replace("-", " ").capitalize(),
        "status": error.http_status,
        "detail": error.message,
        "remedy": error.remedy,
        "request_id": request_id,
    }


def problem_headers(error: AyaError) -> dict[str, str]:
    """What the answer to such an error carries beside the document."""
    if isinstance(error, NotAuthenticated):
        return {"WWW-Authenticate": 'Bearer realm="AYA"'}
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after_s)}
    return {}


async def send_problem(send: Send, error: AyaError, request_id: str, *, close: bool = False) -> None:
    """Answer with it; `close`: and hear no more of that connection."""
    body = orjson.dumps(problem(error, request_id))
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        **problem_headers(error),
        **({"Connection": "close"} if close else {}),
    }
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.http_status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
