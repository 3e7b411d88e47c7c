"""The forms in which an answer is given, and which of them a caller wants."""

import csv
from dataclasses import dataclass
from io import StringIO
from typing import Any

import orjson

from aya.db.selection import Page
from aya.errors import NotAcceptable, UsageError
from aya.operations.operation import Kind
from aya.serve.rest.answer import Answer


@dataclass(frozen=True, slots=True)
class Form:
    """One form of an answer."""

    name: str
    media_type: str

    @property
    def bare(self) -> str:
        """The media type without its parameters."""
        return self.media_type.split(";")[0]


JSON = Form("json", "application/json")
NDJSON = Form("ndjson", "application/x-ndjson")
CSV = Form("csv", "text/csv; charset=utf-8; header=present")
TEXT = Form("text", "text/plain; charset=utf-8")
EVENTS = Form("events", "text/event-stream")
FORMS = {Kind.DOCUMENT: (JSON,), Kind.ROWS: (JSON, CSV, NDJSON), Kind.TEXT: (TEXT,), Kind.STREAM: (EVENTS,)}
"""What results of each kind are given as; the first unless another is asked for."""


def choose(kind: Kind, accept: str, asked: str | None = None) -> Form:
    """The form that was asked for by name, else the one that `Accept` likes best.

    Raises UsageError for an unknown name, NotAcceptable when `Accept` takes none of them.
    """
    forms = FORMS[kind]
    if asked is not None:
        for form in forms:
            if form.name == asked:
                return form
        raise UsageError(f"There is no format {asked}.", remedy=f"There are: {', '.join(form.name for form in forms)}.")
    if not accept.strip():
        return forms[0]
    liked = _liked(accept)
    best = max(forms, key=lambda form: _quality(form, liked))
    if _quality(best, liked) <= 0:
        raise NotAcceptable(
            f"It is not given as {accept}.", remedy=f"It is given as {', '.join(form.bare for form in forms)}."
        )
    return best


def page_answer(page: Page, form: Form, link: str | None) -> Answer:
    """A page of rows in that form; where there is a next page, with the link to it."""
    headers = [("link", f'<{link}>; rel="next"')] if link is not None else []
    if form is JSON:
        data = b'{"rows":[' + b",".join(page.rows) + b'],"next":' + orjson.dumps(page.next) + b"}"
    elif form is NDJSON:
        data = b"".join(row + b"\n" for row in page.rows)
    else:
        data = _csv(page)
    return Answer((data,), form.media_type, headers=headers)


def _csv(page: Page) -> bytes:
    """RFC 4180: the names first, what is not known empty, what is no single value as JSON."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(page.fields)
    writer.writerows([_cell(row.get(field)) for field in page.fields] for row in map(orjson.loads, page.rows))
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _liked(accept: str) -> dict[str, float]:
    """Media types with how much they are liked, from 0 to 1."""
    liked = {}
    for part in accept.lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        liked[media_type] = quality
    return liked


def _quality(form: Form, liked: dict[str, float]) -> float:
    """Of the most exact type that is named."""
    for media_type in (form.bare, f"{form.bare.split('/')[0]}/*", "*/*"):
        if media_type in liked:
            return liked[media_type]
    return 0.0
