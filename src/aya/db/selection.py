"""Which rows of a list, of them which fields, in which order, from where on: compiled to SQL that holds names from the
catalog and parameters, nothing else.

A page ends where the next begins: the values of its last row's order are the cursor, tied to the query that they belong to.
Pages are found by those values, never by counting rows, so that a page far behind costs what the first does, and rows that come
or go meanwhile shift nothing.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
import psycopg
from psycopg.rows import tuple_row

from aya.db.connection import Connection, translated
from aya.db.lists import Column, RowList, columns
from aya.errors import UsageError

UNSURE_BEYOND = 2**53 - 1
"""JSON readers that know only doubles lose what is larger: it is written as text."""
COMPARISONS = {"": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
OPERATORS = {
    "": "equal",
    "ne": "not equal",
    "gt": "greater than",
    "gte": "at least",
    "lt": "less than",
    "lte": "at most",
    "ic": "holds this text, whatever its case",
    "in": "one of these, separated by commas",
    "null": "not known (true) or known (false)",
}
"""What may stand behind a field and two underscores, and what it means."""
UNORDERED = frozenset({"json", "jsonb", "boolean"})
FLOATING = frozenset({"numeric", "double precision", "real"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is wanted of a list."""

    nodes: tuple[str, ...] | None = None
    filters: tuple[tuple[str, str], ...] = ()
    """Pairs of `field` or `field__operator`, and a value as text."""
    fields: tuple[str, ...] | None = None
    order_by: tuple[str, ...] | None = None
    limit: int | None = 100
    """None: all of them."""
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list."""

    rows: tuple[bytes, ...]
    """Each a JSON object."""
    fields: tuple[str, ...]
    next: str | None
    """The cursor of the page after this one; None on the last."""


def operators(column: Column) -> tuple[str, ...]:
    """The operators that a column can be filtered with."""
    if column.type in ("json", "jsonb"):
        return ("ic", "null")
    return ("", "ne", "in", "null") if column.type == "boolean" else tuple(OPERATORS)


def select(connection: Connection, wanted: RowList, selection: Selection) -> Page:
    """A page of a list. Raises UsageError, naming what exists, for an unknown field, operator or order, for a value that does
    not fit its field, and for a cursor of another query.
    """
    there = {column.name: column for column in columns(connection, wanted)}
    fields = _known(there, selection.fields or tuple(there), "field")
    order = _order(there, wanted, selection.order_by)
    parameters: dict[str, Any] = {"nodes": list(selection.nodes) if selection.nodes is not None else None}
    conditions = [_condition(there, name, value, parameters) for name, value in selection.filters]
    query = _digest(wanted, selection)
    if selection.cursor is not None:
        conditions.append(_after(there, order, _values(selection.cursor, query, len(order)), parameters))
    said = ", ".join(f"{json_of(there[field])} AS {quoted(field)}" for field in fields)
    last = ", ".join(f"l.{quoted(name)}::text" for name, _ in order)
    by = ", ".join(f"l.{quoted(name)} {'DESC' if falls else 'ASC'}" for name, falls in order)
    text = (
        f"SELECT (SELECT row_to_json(r) FROM (SELECT {said}) AS r)::text, ARRAY[{last}] FROM ({wanted.sql}) AS l "
        f"WHERE {' AND '.join(conditions) or 'true'} ORDER BY {by}"
    )
    if selection.limit is not None:
        text += " LIMIT %(limit)s"
        parameters["limit"] = selection.limit + 1
    found = _fetch(connection, wanted, text, parameters)
    more = selection.limit is not None and len(found) > selection.limit
    if more:
        found.pop()
    return Page(
        rows=tuple(row.encode() for row, _ in found),
        fields=fields,
        next=_cursor(found[-1][1], query) if more else None,
    )


def _fetch(
    connection: Connection, wanted: RowList, text: str, parameters: dict[str, Any]
) -> list[tuple[str, list[str | None]]]:
    with translated(doing=f"reading {wanted.name}"), connection.cursor(row_factory=tuple_row) as cursor:
        try:
            return cursor.execute(text, parameters).fetchall()
        except psycopg.DataError as error:
            said = error.diag.message_primary or str(error)
            raise UsageError(
                f"A filter does not fit its field: {said}.", remedy="Give it a value of the field's type."
            ) from error
        except psycopg.errors.UndefinedFunction as error:
            raise UsageError(
                f"A field cannot be compared so: {error.diag.message_primary}.", remedy="Try __ic or __null on it."
            ) from error


def _known(there: Iterable[str], names: Iterable[str], what: str) -> tuple[str, ...]:
    there, names = list(there), tuple(dict.fromkeys(names))
    for name in names:
        if name not in there:
            raise UsageError(f"There is no {what} {name}.", remedy=f"There are: {', '.join(there)}.")
    return names


def _condition(there: dict[str, Column], name: str, value: str, parameters: dict[str, Any]) -> str:
    field, _, operator = name.partition("__")
    column = there[_known(there, (field,), "field or parameter")[0]]
    if operator not in operators(column):
        raise UsageError(
            f"{field} cannot be filtered by {'__' + operator if operator else 'equality'}.",
            remedy=f"It can by: {', '.join('__' + one if one else '=' for one in operators(column))}.",
        )
    parameter = f"f{len(parameters)}"
    given, left = f"%({parameter})s", f"l.{quoted(field)}"
    parameters[parameter] = value
    match operator:
        case "null":
            if value not in ("true", "false"):
                raise UsageError(f"{name} is true or false, not {value}.")
            return f"{left} IS {'' if value == 'true' else 'NOT '}NULL"
        case "ic":
            return f"strpos(lower({left}::text), lower({given})) > 0"
        case "in":
            parameters[parameter] = value.split(",")
            return f"{left} = ANY ({given}::text[]::{column.type}[])"
        case "ne":
            return f"{left} IS DISTINCT FROM {given}::{column.type}"
        case _:
            return f"{left} {COMPARISONS[operator]} {given}::{column.type}"


def _order(there: dict[str, Column], wanted: RowList, order_by: tuple[str, ...] | None) -> list[tuple[str, bool]]:
    """Pairs of a column and whether it falls. What is asked for comes first; the list's own order tells apart what is alike."""
    asked = [(part.removeprefix("-"), part.startswith("-")) for part in order_by or ()]
    for name in _known(there, (name for name, _ in asked), "field"):
        if there[name].type in ("json", "jsonb"):
            raise UsageError(f"{name} has no order.", remedy="Order by another field.")
    own = [(part.removeprefix("-"), part.startswith("-")) for part in wanted.order]
    merged: dict[str, bool] = {}
    for name, falls in (*asked, *own):
        merged.setdefault(name, falls)
    return list(merged.items())


def _after(
    there: dict[str, Column], order: list[tuple[str, bool]], values: list[str | None], parameters: dict[str, Any]
) -> str:
    """The rows behind those values, where NULL is the greatest of all, as PostgreSQL orders it."""
    for number, value in enumerate(values):
        parameters[f"k{number}"] = value
    places = [f"%(k{number})s::{there[name].type}" for number, (name, _) in enumerate(order)]
    alike, ways = "true", []
    for (name, falls), value, place in zip(order, values, places, strict=True):
        column = f"l.{quoted(name)}"
        if falls:
            behind = f"{column} IS NOT NULL" if value is None else f"{column} < {place}"
        else:
            behind = "false" if value is None else f"({column} > {place} OR {column} IS NULL)"
        ways.append(f"({alike} AND {behind})")
        alike += f" AND {column} IS NULL" if value is None else f" AND {column} = {place}"
    first, falls = order[0]
    # Says again what the rest says, in a form that an index is found by.
    bound = "true"
    if values[0] is not None:
        column = f"l.{quoted(first)}"
        bound = f"{column} <= {places[0]}" if falls else f"({column} >= {places[0]} OR {column} IS NULL)"
    return f"{bound} AND ({' OR '.join(ways)})"


def json_of(column: Column) -> str:
    """A column of `l` as JSON can say it: no NaN, no number that a double would round, no bytes."""
    name = f"l.{quoted(column.name)}"
    if column.type == "bigint":
        sure = f"{name} BETWEEN -{UNSURE_BEYOND} AND {UNSURE_BEYOND}"
        return f"CASE WHEN {sure} THEN to_json({name}) ELSE to_json({name}::text) END"
    if column.type in FLOATING:
        value = f"trim_scale({name})" if column.type == "numeric" else name
        return f"CASE WHEN {name} NOT IN ('NaN', 'Infinity', '-Infinity') THEN {value} END"
    return f"encode({name}, 'hex')" if column.type == "bytea" else name


def quoted(name: str) -> str:
    """A name of the catalog as an identifier, in a text that also holds parameters."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def _digest(wanted: RowList, selection: Selection) -> bytes:
    """What a cursor belongs to. Fields and limit may change from page to page."""
    said = [wanted.name, selection.nodes, sorted(selection.filters), selection.order_by]
    return blake2b(orjson.dumps(said), digest_size=12).digest()


def _cursor(values: list[str | None], query: bytes) -> str:
    body = orjson.dumps(values)
    return base64.urlsafe_b64encode(blake2b(body, key=query, digest_size=12).digest() + body).decode().rstrip("=")


def _values(cursor: str, query: bytes, count: int) -> list[str | None]:
    """Unsealed with the query only: whoever makes one up can begin a page elsewhere, and nothing else."""
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        seal, body = raw[:12], raw[12:]
        if blake2b(body, key=query, digest_size=12).digest() != seal:
            raise ValueError
        values: list[str | None] = orjson.loads(body)
    except (ValueError, binascii.Error):
        raise UsageError(
            "This cursor belongs to another query, or was changed on the way.",
            remedy="Begin again without a cursor, and follow the `next` link as it is.",
        ) from None
    assert len(values) == count
    return values
