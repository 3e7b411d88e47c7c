"""The one shape of errors: RFC 9457 problem details."""

import re
from http import HTTPStatus
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope, Send

from aya.errors import AyaError
from aya.operations.operation import Operation

MEDIA_TYPE = "application/problem+json"
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


def problem(scope: Scope, status: int, kind: str, title: str, detail: str, remedy: str = "") -> dict[str, Any]:
    """The document of a problem."""
    return {
        "type": f"urn:aya:problem:{re.sub(r'(?<=[a-z])(?=[A-Z])', '-', kind).lower()}",
        "title": title,
        "status": status,
        "detail": detail,
        **({"remedy": remedy} if remedy else {}),
        "instance": scope["path"],
        "request_id": scope.get("state", {}).get("request_id", ""),
    }


def of_error(scope: Scope, error: AyaError) -> Response:
    """The answer for an error of AYA."""
    title = (type(error).__doc__ or "").split(".")[0].split(":")[0].split(";")[0].strip()
    return _response(
        problem(scope, error.http_status, type(error).__name__, title, error.message, error.remedy),
        {"retry-after": "5"} if error.http_status == HTTPStatus.SERVICE_UNAVAILABLE else {},
    )


def of_status(scope: Scope, status: int, detail: str, remedy: str = "", **headers: str) -> Response:
    """The answer for what HTTP itself refuses."""
    title = HTTPStatus(status).phrase
    return _response(problem(scope, status, title.replace(" ", "-"), title, detail, remedy), headers)


async def on_error(request: Request, error: Exception) -> Response:
    """Answer whatever was raised while a request was handled."""
    if isinstance(error, HTTPException):
        if isinstance(
            error.__cause__, AyaError
        ):  # the body was refused, and what reads bodies says so in its own words
            return of_error(request.scope, error.__cause__)
        return of_status(request.scope, error.status_code, str(error.detail))
    if isinstance(error, RequestValidationError):
        return _of_validation(request.scope, error)
    if isinstance(error, AyaError):
        return of_error(request.scope, error)
    return of_status(
        request.scope,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"{type(error).__name__}: this is a defect of AYA.",
        "Please report it with the request id; the log has more.",
    )


def _of_validation(scope: Scope, error: RequestValidationError) -> Response:
    """What does not fit, one sentence each."""
    said = []
    operation: Operation = scope["aya.operation"]
    for one in error.errors():
        where, *path = (str(part) for part in one["loc"])
        name = ".".join(path) or where
        if one["type"] == "extra_forbidden":
            said.append(f"there is no parameter {name}")
        elif one["type"] == "missing":
            said.append(f"{name} is missing")
        else:
            said.append(f"{name}: {one['msg'][0].lower()}{one['msg'][1:]}")
    return _response(
        problem(
            scope,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "UsageError",
            "The request itself is wrong",
            f"The request does not fit: {'; '.join(said)}.",
            f"It takes: {', '.join(one.name for one in operation.parameters) or 'nothing'}. /openapi.json says what fits.",
        ),
        {},
    )


def _response(document: dict[str, Any], headers: dict[str, str]) -> Response:
    # What was sent may hold what is no text; it is shown as it can be.
    document = {
        name: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for name, value in document.items()
    }
    return Response(
        orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS),
        status_code=document["status"],
        media_type=MEDIA_TYPE,
        headers={"cache-control": "no-store", **headers},
    )


async def send_problem(response: Response, scope: Scope, send: Send) -> None:
    """Send an answer from where there is no framework around it."""

    async def nothing() -> Any:
        return {"type": "http.disconnect"}

    await response(scope, nothing, send)
