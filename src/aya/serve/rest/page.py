"""The page that shows what there is: the OpenAPI document as HTML, without a script and without asking any other host."""

from html import escape
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.responses import Response

from aya.operations.context import Context
from aya.serve.rest.describe import describe

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1rem; }
nav ul { columns: 16rem; list-style: none; padding: 0; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { background: var(--soft); overflow: auto; padding: .6rem; }
table { border-collapse: collapse; display: block; overflow: auto; }
th, td { border-bottom: 1px solid var(--line); padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
.method { display: inline-block; font-weight: bold; min-width: 4rem; }
"""


def documentation(app: FastAPI, context: Context) -> Response:
    """The page. Raises DatabaseError as long as the database was never there."""
    document = orjson.loads(describe(app, context).pieces[0])
    tags: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            tags.setdefault(said["tags"][0], []).append(_operation(path, method.upper(), said, document))
    menu = "".join(f'<li><a href="#{escape(tag)}">{escape(tag)}</a></li>' for tag in sorted(tags))
    body = "".join(f'<h2 id="{escape(tag)}">{escape(tag)}</h2>{"".join(tags[tag])}' for tag in sorted(tags))
    title = f"{escape(document['info']['title'])} {escape(document['info']['version'])}"
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{title}</title><link rel="stylesheet" href="/docs.css"></head><body><h1>{title}</h1>'
        f"<p>{escape(document['info']['summary'])}</p><p>{_marked(document['info']['description'])}</p>"
        f'<p>As a document: <a href="/openapi.json">/openapi.json</a></p><nav><ul>{menu}</ul></nav><main>{body}</main>'
        "</body></html>"
    )
    return Response(html, media_type="text/html", headers=HEADERS)


def style() -> Response:
    """Its style sheet."""
    return Response(STYLE, media_type="text/css", headers=HEADERS)


def _operation(path: str, method: str, said: dict[str, Any], document: dict[str, Any]) -> str:
    parameters = [
        (one["name"], one["in"], one.get("description", ""), one["schema"]) for one in said.get("parameters", ())
    ]
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        fields = document["components"]["schemas"][_referred(body)]["properties"]
        parameters += [(name, "body", one.get("description", ""), one) for name, one in fields.items()]
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{where}</td><td>{escape(_type(schema))}</td><td>{_marked(about)}</td></tr>"
        for name, where, about, schema in parameters
    )
    table = f"<table><tr><th>name</th><th>in</th><th>type</th><th>meaning</th></tr>{rows}</table>" if rows else ""
    prose, _, fields = said["description"].partition("\n\n| field")
    sent = " -H 'Content-Type: application/json' -d '{}'" if method != "GET" else ""
    verb = "" if method == "GET" else f"-X {method} "
    return (
        f'<details id="{escape(said["operationId"])}"><summary><span class="method">{method}</span> <code>{escape(path)}</code> '
        f"{escape(said['summary'])}</summary><p>{_marked(prose)}</p>{table}"
        f"{_table(fields) if fields else ''}<pre>curl {verb}'http://127.0.0.1:8080{escape(path)}'{escape(sent)}</pre></details>"
    )


def _table(lines: str) -> str:
    """The fields of a list, out of the table in its description."""
    rows = [line.strip("|").split("|") for line in lines.splitlines()[2:]]
    cells = "".join(f"<tr>{''.join(f'<td>{_marked(cell.strip())}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr><th>field</th><th>type</th><th>filters</th><th>meaning</th></tr>{cells}</table>"


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    kind = schema.get("type", _referred(schema) if "$ref" in schema else "any")
    return f"{kind} of {_type(schema['items'])}" if "items" in schema else str(kind)


def _referred(schema: dict[str, Any]) -> str:
    """The name of the schema that is referred to, also where it may be left out."""
    for one in (schema, *schema.get("anyOf", ())):
        if "$ref" in one:
            return str(one["$ref"].rsplit("/", 1)[1])
    return ""


def _marked(text: str) -> str:
    """Text with its `code` and paragraphs."""
    parts = escape(text).split("`")
    marked = "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
    return marked.replace("\n\n", "</p><p>")
