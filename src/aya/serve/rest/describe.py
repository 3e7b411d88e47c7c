"""The OpenAPI document. What a column means is said once, by its comment in the database; so the document is made when
the database can first be asked.
"""

from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from aya.db.database import Login
from aya.db.lists import Column, RowList, columns, row_lists
from aya.db.selection import operators
from aya.db.state import node_columns, sections, shown
from aya.history.moment import PATTERN
from aya.operations.context import Context
from aya.operations.operation import JsonText, Kind, Operation, Scope, operations
from aya.serve.problem import MEDIA_TYPE, SCHEMA
from aya.serve.rest.answer import Answer
from aya.serve.rest.form import FORMS

TYPES: dict[str, dict[str, Any]] = {
    "boolean": {"type": "boolean"},
    "smallint": {"type": "integer"},
    "integer": {"type": "integer"},
    "bigint": {"type": ["integer", "string"]},
    "numeric": {"type": "number"},
    "real": {"type": "number"},
    "double precision": {"type": "number"},
    "json": {},
    "jsonb": {},
    "uuid": {"type": "string", "format": "uuid"},
    "timestamp with time zone": {"type": "string", "format": "date-time"},
}
"""How a type of PostgreSQL stands in JSON; any other is text. A bigint that a double cannot hold is text."""
DESCRIPTION = """
Everything recorded is under `/api/v1`. Lists come in pages: follow the `Link` header, or hand `next` on as the parameter
`cursor` of the same query. A list can be filtered by each of its fields: `field=`, `field__ne=`, `field__gt=`,
`field__gte=`, `field__lt=`, `field__lte=`, `field__ic=` (holds this text), `field__in=` (one of these), `field__null=`
(true or false). Whole numbers beyond 2^53 are written as text; what is not known is null in lists and left out of
states. Errors are problem details (RFC 9457) with a remedy.
"""
REF = "#/components/schemas/"
DURATION = "^([0-9]{1,4} (seconds|minutes|hours|days))$"
TEXTS = {
    "as_of": PATTERN,
    "since": PATTERN.replace("#[0-9]{1,18}|", ""),
    "until": PATTERN.replace("#[0-9]{1,18}|", ""),
    "keep": DURATION,
    "stale_after": DURATION,
    "expires": "^([1-9][0-9]{0,2}[mhd])$",
}
"""How times are commonly written where a parameter takes one, for those who must be told by a pattern; more is read."""


TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "`aya token create NAME --scope SCOPE` makes one. On this machine reading and read-only SQL need none.",
}


def describe(app: FastAPI, context: Context) -> Answer:
    """The document as it is sent. Raises DatabaseError as long as the database was never there."""
    if not hasattr(app.state, "described"):
        app.state.described = Answer((orjson.dumps(document(app, context)),), "application/json")
    made: Answer = app.state.described
    return made


def document(app: FastAPI, context: Context) -> dict[str, Any]:
    """The document."""
    made = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=DESCRIPTION.strip(), routes=app.routes
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["ProblemDetails"] = SCHEMA
    made["components"]["securitySchemes"] = {"token": TOKEN}
    with context.database.connect(Login.READER) as connection:
        described = {one.name: columns(connection, one) for one in row_lists().values()}
        node = node_columns(connection)
        parts = {one.name: shown(connection, one) for one in sections()}
    schemas["NodeState"] = _state(node, parts)
    for path in made["paths"].values():
        for said in path.values():
            name, place = said.pop("x-aya")
            _complete(said, operations()[name], described, schemas)
            # One operation may stand at several places; each is told apart by where it stands.
            said["operationId"] = name if place == operations()[name].routes[0].path else f"{name}_of_node"
            said["tags"] = [place.split("/")[1]]
    return made


def _complete(
    said: dict[str, Any], operation: Operation, described: dict[str, tuple[Column, ...]], schemas: dict[str, Any]
) -> None:
    """What only the operation and the database know of it."""
    said["summary"] = operation.summary
    said["description"] = f"{operation.description}\n\nTakes scope `{operation.scope}`."
    # Where AYA serves loopback only, these need no token.
    said["security"] = [{"token": []}, *([{}] if operation.scope in (Scope.READ, Scope.SQL) else [])]
    schema = _result(operation, described, schemas)
    content = {form.media_type: {"schema": {"type": "string"}} for form in FORMS[operation.kind]}
    if schema is not None:
        content["application/json"] = {"schema": schema}
    ok: dict[str, Any] = {"description": "It, as asked for.", "content": content}
    if operation.kind is Kind.ROWS:
        ok["headers"] = {"Link": {"description": "The next page, where there is one.", "schema": {"type": "string"}}}
        wanted = _list_of(operation)
        names = [column.name for column in described[wanted.name]]
        ordered = [column.name for column in described[wanted.name] if column.type not in ("json", "jsonb")]
        said["description"] += "\n\n" + _filters(described[wanted.name])
        said["parameters"] = [one for one in said["parameters"] if one["name"] != "cursor"]
        _limit_text(said, "fields", _listed(names))
        _limit_text(said, "order_by", _listed([f"-?{name}" for name in ordered]))
    for parameter in said.get("parameters", ()):
        # A query cannot say null: what is not known is left out.
        some = [one for one in parameter["schema"].pop("anyOf", ()) if one != {"type": "null"}]
        parameter["schema"] |= some[0] if some else {}
    for name, pattern in TEXTS.items():
        _limit_text(said, name, f"{pattern[:-1]}?$")  # a form sends what nobody filled in as nothing
    if "requestBody" in said:
        body = schemas[said["requestBody"]["content"]["application/json"]["schema"]["$ref"].removeprefix(REF)]
        for name in TEXTS.keys() & body["properties"].keys():
            body["properties"][name]["pattern"] = TEXTS[name]
    said["responses"] = {
        "200": ok,
        **({"304": {"description": "It is as it was: `If-None-Match` named it."}} if not operation.writes else {}),
        "default": {
            "description": "It was not done.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"{REF}ProblemDetails"}}},
        },
    }


def _result(
    operation: Operation, described: dict[str, tuple[Column, ...]], schemas: dict[str, Any]
) -> dict[str, Any] | None:
    """The schema of its JSON; None where it gives none."""
    if operation.kind is Kind.ROWS:
        wanted = _list_of(operation)
        schemas[f"{wanted.name}_row"] = {
            "type": "object",
            "description": wanted.summary,
            "properties": _properties(described[wanted.name]),
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "required": ["rows", "next"],
            "properties": {
                "rows": {"type": "array", "items": {"$ref": f"{REF}{wanted.name}_row"}},
                "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last."},
            },
        }
    if operation.kind is not Kind.DOCUMENT:
        return None
    if operation.result is JsonText:
        one = {"$ref": f"{REF}NodeState"}
        return one if "node" in operation.routes[0].path else _of_nodes(one)
    schema = TypeAdapter(operation.shape).json_schema(mode="serialization", ref_template=REF + "{model}")
    for name, part in schema.pop("$defs", {}).items():
        if schemas.setdefault(name, part) != part:
            raise TypeError(f"two types of results are named {name}: {operation.name} has the second")
    return schema


def _of_nodes(one: dict[str, Any]) -> dict[str, Any]:
    nodes = {"type": "object", "description": "By name.", "additionalProperties": one}
    return {"type": "object", "required": ["nodes"], "properties": {"nodes": nodes}}


def _state(node: tuple[Column, ...], parts: dict[str, tuple[Column, ...]]) -> dict[str, Any]:
    """The state of one node; what is not known is left out."""
    found: dict[str, Any] = {"node": {"type": "object", "properties": _properties(node)}}
    for name, there in parts.items():
        item = {"type": "object", "properties": _properties(there)}
        found[name] = {"type": "array", "description": row_lists()[name].summary, "items": item}
    return {
        "type": "object",
        "description": "What is recorded of one node.",
        "required": list(found),
        "properties": found,
    }


def _properties(there: tuple[Column, ...]) -> dict[str, Any]:
    return {column.name: _column(column) for column in there}


def _column(column: Column) -> dict[str, Any]:
    schema = dict(TYPES.get(column.type, {"type": "string"}))
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        schema["type"] = [*kinds, "null"]
    return {**schema, "description": column.comment}


def _filters(there: tuple[Column, ...]) -> str:
    """The fields and what each can be filtered by."""
    lines = ["| field | type | filters | meaning |", "|---|---|---|---|"]
    for column in there:
        by = ", ".join(f"`{'__' + one if one else '='}`" for one in operators(column))
        lines.append(f"| `{column.name}` | {column.type} | {by} | {column.comment.replace('|', '/')} |")
    return "\n".join(lines)


def _list_of(operation: Operation) -> RowList:
    return row_lists()[operation.name.removeprefix("show_")]


def _listed(names: list[str]) -> str:
    one = f"({'|'.join(names)})"
    return f"^({one}(,{one})*)?$"


def _limit_text(said: dict[str, Any], name: str, pattern: str) -> None:
    """Say what a text must look like, where the parameter is there."""
    for parameter in said.get("parameters", ()):
        if parameter["name"] == name:
            parameter["schema"] = {"type": "string", "pattern": pattern}
            parameter["required"] = False
