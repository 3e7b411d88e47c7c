"""An error as the answer to a request: RFC 9457 problem details, the one shape of errors over HTTP."""

import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Send

from aya.collect.runner import storable
from aya.errors import AyaError, DatabaseError, MethodNotAllowed, ModelNotReady, NotAuthenticated, TooManyRequests

MEDIA_TYPE = "application/problem+json"
RETRY_S = 5
"""When the database, or a model, may be there."""
SCHEMA: dict[str, Any] = {
    "title": "ProblemDetails",
    "description": "What went wrong (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "description": "The kind of problem, to be told apart by programs.",
            "format": "uri",
        },
        "title": {"type": "string", "description": "The kind of problem, for people."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What happened, and to what."},
        "remedy": {"type": "string", "description": "What to do next."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "request_id": {"type": "string", "description": "Which request it was, as the log names it."},
    },
}


def problem_response(
    error: AyaError, path: str, request_id: str, more: Mapping[str, Any] = MappingProxyType({})
) -> Response:
    """The answer: `type` and `title` are the kind of error, `detail` what happened, `remedy` what to do next.

    `more`: what clients of another service look for beside.
    """
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
    said = {
        "type": f"urn:aya:problem:{kind}",
        "title": re.split(r"[.:;]", type(error).__doc__ or kind)[0].strip(),
        "status": error.http_status,
        "detail": error.message,
        **({"remedy": error.remedy} if error.remedy else {}),
        "instance": path,
        "request_id": request_id,
        **more,
    }
    # What was sent may hold what is no text; it is shown as it can be.
    document = {name: storable(value) if isinstance(value, str) else value for name, value in said.items()}
    headers = {"cache-control": "no-store", **_headers(error)}
    return Response(orjson.dumps(document), error.http_status, headers, MEDIA_TYPE)


async def send_problem(
    send: Send, error: AyaError, path: str, request_id: str, *, discard: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Answer with it. `discard`: there is a body that was not read; let go by what it takes in, and close the connection."""
    response = problem_response(error, path, request_id)
    if discard:
        response.headers["connection"] = "close"
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": discard is not None})
    if discard is not None:
        await discard()
        await send({"type": "http.response.body", "body": b""})


def _headers(error: AyaError) -> dict[str, str]:
    """What HTTP wants said beside the document."""
    match error:
        case NotAuthenticated():
            return {"www-authenticate": 'Bearer realm="AYA"'}
        case TooManyRequests():
            return {"retry-after": str(error.retry_after_s)}
        case DatabaseError() | ModelNotReady():
            return {"retry-after": str(RETRY_S)}
        case MethodNotAllowed():
            return {"allow": error.allowed}
    return {}
