"""Whatever fails while the framework handles a request, as an error of AYA, and the answer to it."""

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from aya.errors import AyaError, Defect, Malformed, UsageError
from aya.operations.operation import Operation
from aya.serve.problem import problem_response


async def on_error(request: Request, error: Exception) -> Response:
    """The answer to whatever was raised while a request was handled."""
    return problem_response(as_own(request, error), request.scope["path"], request.state.request_id)


def as_own(request: Request, error: Exception) -> AyaError:
    """Whatever was raised, as an error of AYA."""
    match error:
        case AyaError():
            return error
        case HTTPException():
            # The framework could not read the body: what reads bodies says why in its own words.
            cause = error.__cause__
            return cause if isinstance(cause, AyaError) else Malformed(str(error.detail))
        case RequestValidationError():
            return _misfit(error, request.scope["aya.operation"])
    return Defect(
        f"{type(error).__name__}: this is a defect of AYA.",
        remedy="Please report it with the request id; the log has more.",
    )


def _misfit(error: RequestValidationError, operation: Operation) -> UsageError:
    """What does not fit, one clause each."""
    said = []
    for one in error.errors():
        where, *path = (str(part) for part in one["loc"])
        name = ".".join(path) or where
        if one["type"] == "extra_forbidden":
            said.append(f"there is no parameter {name}")
        elif one["type"] == "missing":
            said.append(f"{name} is missing")
        else:
            said.append(f"{name}: {one['msg'][0].lower()}{one['msg'][1:]}")
    takes = ", ".join(one.name for one in operation.parameters) or "nothing"
    return UsageError(
        f"The request does not fit: {'; '.join(said)}.", remedy=f"It takes: {takes}. /openapi.json says what fits."
    )
