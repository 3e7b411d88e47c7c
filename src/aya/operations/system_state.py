"""The recorded state in small helpings: an overview first, then the rows of one section, narrowed as far as one likes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge, Le

from aya.db.connection import Connection, rows, translated
from aya.db.database import Login
from aya.db.lists import row_lists
from aya.errors import NotFound
from aya.history.moment import as_of as past
from aya.history.moment import moment
from aya.operations.context import Context
from aya.operations.operation import AsOf, operation
from aya.operations.show import refuse_unknown, sections

OVERVIEW = "system"
OUTCOMES = "outcomes"
COMPLETE = ("ok", "absent")


@dataclass(frozen=True, slots=True)
class SystemState:
    """What was asked for of the recorded state."""

    section: str
    rows: list[dict[str, Any]]
    """Rows of that section."""
    sections: dict[str, int]
    """In an overview of a node: how many rows each section of its state holds; ask for one by `section`."""
    not_seen: list[dict[str, Any]]
    """In an overview of a node: what its last collection could not look at, and why. Unknown, not absent."""


@operation("GET /system/query", command="query-state", tool=True)
def query_system_state(
    context: Context,
    *,
    node: Annotated[str | None, "Only of this node; all nodes when left out."] = None,
    section: Annotated[
        str, "`system` is the overview; others: node, settings, software, services, interfaces, instances, schemas, …"
    ] = OVERVIEW,
    match: Annotated[str | None, "Only rows that hold this text in one of their values."] = None,
    fields: Annotated[Sequence[str], "Only these fields of each row; all when none is named."] = (),
    limit: Annotated[int, "So many rows at most.", Ge(1), Le(10_000)] = 1000,
    as_of: AsOf = None,
) -> SystemState:
    """What is recorded: of a node first an overview that counts the rows of every section, then the rows of one section.

    Without a node: one row per node. With a node: its row, how many rows each section has, and what could not be looked at.
    With a section: its rows; narrow them by `match` (some text in them) and `fields` (the columns that you need).
    Raises NotFound, naming what exists, for an unknown node, section or field.
    """
    if section not in sections():
        raise NotFound(f"There is no section {section}.", remedy=f"There are: {', '.join(sections())}.")
    at = moment(as_of) if as_of is not None else None
    wanted = {"nodes": None if node is None else [node], "match": match, "limit": limit}
    with (
        context.database.connect(Login.READER) as connection,
        translated(doing=f"reading {section}"),
        past(connection, at),
    ):
        refuse_unknown(connection, [node] if node is not None else [], at)
        found = [row["row"] for row in rows(connection, _rows_of(section), wanted)]
        counts: dict[str, int] = {}
        not_seen: list[dict[str, Any]] = []
        if node is not None and section == OVERVIEW:
            counts = _counts(connection, node)
            looked = [row["row"] for row in rows(connection, _rows_of(OUTCOMES), wanted | {"match": None})]
            not_seen = [row for row in looked if row["outcome"] not in COMPLETE]
    return SystemState(section, [_only(row, fields) for row in found], counts, not_seen)


def _rows_of(section: str) -> str:
    """The rows of a section as JSON, those that hold a text, so many of them."""
    wanted = row_lists()[section]
    order = ", ".join(f"r.{part.removeprefix('-')}{' DESC' if part.startswith('-') else ''}" for part in wanted.order)
    return (
        f"SELECT row_to_json(r) AS row FROM (\n{wanted.sql}\n) AS r "
        "WHERE %(match)s::text IS NULL OR EXISTS ("
        "SELECT FROM jsonb_each_text(to_jsonb(r)) AS e WHERE strpos(lower(e.value), lower(%(match)s::text)) > 0) "
        f"ORDER BY {order} LIMIT %(limit)s"
    )


def _counts(connection: Connection, node: str) -> dict[str, int]:
    of_state = [one for one in row_lists().values() if one.is_state]
    counting = ", ".join(f'(SELECT count(*) FROM (\n{one.sql}\n) AS r) AS "{one.name}"' for one in of_state)
    return dict(rows(connection, f"SELECT {counting}", {"nodes": [node]})[0])


def _only(row: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    for field in fields:
        if field not in row:
            raise NotFound(f"There is no field {field}.", remedy=f"There are: {', '.join(row)}.")
    return {field: row[field] for field in fields} if fields else row
