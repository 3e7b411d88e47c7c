"""From an operation to what answers its requests: parameters out of path, query and body; the call in a thread; the
answer in the form that was asked for.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal, cast, get_args, get_origin
from urllib.parse import urlencode

from fastapi import Body, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, create_model
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from aya.db.selection import Page
from aya.errors import UsageError
from aya.history.moment import moment
from aya.operations.context import Context
from aya.operations.operation import EMPTY, JsonText, Kind, Operation, Parameter, Route
from aya.serve.rest.answer import Answer
from aya.serve.rest.events import ChangeStream
from aya.serve.rest.form import JSON, choose, page_answer

CONDITIONS = "where"
"""The parameter of lists that takes what no other does."""
FORMAT = Parameter(
    "format", Literal["json", "csv", "ndjson"] | None, None, "In which form; left out: as `Accept` says."
)


class AnswerResponse(Response):
    """An answer as the framework wants it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await self._answer.send(scope, send)


def placed(route: Route) -> list[str]:
    """Names of the parameters that stand in a path."""
    return [part.split(":")[0] for part in route.path.replace("{", "}").split("}")[1::2]]


def taken(operation: Operation, route: Route) -> list[Parameter]:
    """The parameters that stand in the query or the body."""
    named = [one for one in operation.parameters if one.name not in (*placed(route), CONDITIONS)]
    return [*named, FORMAT] if operation.kind is Kind.ROWS else named


def endpoint(operation: Operation, route: Route, stream: ChangeStream) -> Callable[..., Awaitable[Response]]:
    """What the framework calls for a request; its signature says what it takes."""
    serializer = TypeAdapter(operation.shape) if operation.kind is Kind.DOCUMENT else None

    async def answer(request: Request, **given: Any) -> Response:
        said = given.pop("said", None)
        asked = {name: getattr(said, name) for name in type(said).model_fields} if said is not None else {}
        form = choose(operation.kind, request.headers.get("accept", ""), asked.pop(FORMAT.name, None))
        arguments = {**given, **asked}
        if operation.kind is Kind.ROWS:
            arguments[CONDITIONS] = _conditions(request, asked)
        for one in operation.parameters:
            if one.name in given and _takes_several(one):
                arguments[one.name] = (given[one.name],)
        caller: Context = request.scope["aya.context"]
        if operation.kind is Kind.STREAM:
            events = await stream.listen(arguments, request.headers.get("last-event-id"))
            return StreamingResponse(events, media_type=form.media_type, headers={"cache-control": "no-store"})
        result = await run_in_threadpool(operation, caller, **arguments)
        if isinstance(result, Page):
            ready = page_answer(result, form, _next_link(request, result, arguments.get("as_of")))
            if keep := request.scope.get("aya.keep"):
                keep(ready)
        elif isinstance(result, JsonText):
            ready = Answer((result.data,), JSON.media_type)
        elif serializer is None:
            ready = Answer((result.encode(),), form.media_type)
        else:
            said = result.document() if hasattr(result, "document") else result
            ready = Answer((await run_in_threadpool(serializer.dump_json, said),), JSON.media_type)
        if route.method == "GET":
            return AnswerResponse(ready)
        return Response(b"".join(ready.pieces), media_type=ready.media_type, headers={"cache-control": "no-store"})

    cast(Any, answer).__signature__ = inspect.Signature(_signature(operation, route))
    answer.__name__ = operation.name
    answer.__doc__ = operation.description
    return answer


def _signature(operation: Operation, route: Route) -> list[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    found = [inspect.Parameter("request", keyword, annotation=Request)]
    for one in operation.parameters:
        if one.name in placed(route):
            kind = str if _takes_several(one) else one.annotation
            found.append(inspect.Parameter(one.name, keyword, annotation=Annotated[kind, Path(description=one.help)]))
    if others := taken(operation, route):
        where: Any = Query() if route.method == "GET" else Body()
        found.append(inspect.Parameter("said", keyword, annotation=Annotated[_model(operation, route, others), where]))
    return found


def _model(operation: Operation, route: Route, parameters: list[Parameter]) -> type[BaseModel]:
    """What the query or the body is: nothing is taken that is not known. Only lists look at the rest themselves."""
    fields: dict[str, Any] = {}
    for one in parameters:
        default = ... if one.default is EMPTY else one.default
        fields[one.name] = (one.annotation, Field(default, description=one.help))
    extra: Any = "ignore" if operation.kind is Kind.ROWS else "forbid"
    if route.method == "GET":
        # A form sends what nobody filled in as nothing.
        fields = {
            name: (
                Annotated[annotation, BeforeValidator(_unless_empty)] if _is_text(annotation) else annotation,
                field,
            )
            for name, (annotation, field) in fields.items()
        }
    name = f"{operation.name}_{'query' if route.method == 'GET' else 'body'}"
    return create_model(name, __config__=ConfigDict(extra=extra), **fields)


def _is_text(annotation: Any) -> bool:
    """Whether it is a text that may be left out."""
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    return bool(bare == str | None)


def _unless_empty(said: Any) -> Any:
    return None if said == "" else said


def _takes_several(one: Parameter) -> bool:
    """Whether it takes several values, of which a path names one."""
    bare = get_args(one.annotation)[0] if get_origin(one.annotation) is Annotated else one.annotation
    return get_origin(bare) in (Sequence, list, tuple)


def _conditions(request: Request, asked: dict[str, Any]) -> dict[str, str]:
    """Everything in the query that is no parameter is a condition. Raises UsageError when one is given twice."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in asked or name == FORMAT.name:
            continue
        if name in found:
            raise UsageError(
                f"{name} is given twice.", remedy=f"Ask for several values with {name.split('__')[0]}__in=."
            )
        found[name] = value
    return found


def _next_link(request: Request, page: Page, as_of: str | None) -> str | None:
    """The next page of the same query. `2 hours ago` would be another moment by then, so the moment itself is named."""
    if page.next is None:
        return None
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in ("cursor", "as_of")]
    if as_of is not None:
        pairs.append(("as_of", moment(as_of).setting))
    return f"{request.url.path}?{urlencode([*pairs, ('cursor', page.next)])}"
