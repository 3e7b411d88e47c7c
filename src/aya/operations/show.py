"""Show what is recorded: a list per question, each a file in `sql/lists/`."""

from collections.abc import Sequence
from typing import Annotated, Any

from annotated_types import Ge, Le

from aya.db.connection import Connection, rows, translated
from aya.db.database import Login
from aya.db.lists import RowList, row_lists
from aya.db.selection import Page, Selection, select
from aya.errors import NotFound
from aya.history.moment import Moment, moment
from aya.history.moment import as_of as past
from aya.operations.context import Context
from aya.operations.operation import AsOf, Kind, operation

LIMIT = 100
MOST = 1000
"""No page is longer, whatever is asked for."""


def sections() -> list[str]:
    """The lists that can be shown."""
    return list(row_lists())


def show(
    context: Context,
    section: str,
    *,
    nodes: Sequence[str] | None = None,
    match: str | None = None,
    as_of: str | None = None,
) -> list[dict[str, Any]]:
    """All rows of a list, of all nodes or of those named, and with `match` only rows that hold that text somewhere.

    `as_of`: as it was then, see `aya.history.moment.moment`; what is observation is unknown in the past.

    Raises NotFound, naming what exists, for an unknown section or node.
    """
    if section not in sections():
        raise NotFound(f"There is nothing named {section} to show.", remedy=f"There are: {', '.join(sections())}.")
    at = moment(as_of) if as_of is not None else None
    wanted = row_lists()[section]
    order = ", ".join(f"{part.removeprefix('-')}{' DESC' if part.startswith('-') else ''}" for part in wanted.order)
    with (
        context.database.connect(Login.READER) as connection,
        translated(doing=f"reading {section}"),
        past(connection, at),
    ):
        refuse_unknown(connection, nodes or (), at)
        given = {"nodes": list(nodes) if nodes else None}
        found = rows(connection, f"SELECT * FROM ({wanted.sql}) AS l ORDER BY {order}", given)
    if match is not None:
        found = [row for row in found if any(match.lower() in str(value).lower() for value in row.values())]
    return found


def refuse_unknown(connection: Connection, nodes: Sequence[str], at: Moment | None = None) -> None:
    """Raise NotFound, naming those there are, when a node is not recorded, or was not at that moment."""
    if not nodes:
        return
    known = [row["node_name"] for row in rows(connection, "SELECT node_name FROM system_nodes ORDER BY 1")]
    for node in nodes:
        if node not in known:
            raise NotFound(
                f"No node named {node} is recorded.",
                remedy=f"There are: {', '.join(known[:20])}."
                if known
                else "None was then."
                if at
                else "None is: `aya up` records this machine.",
            )


def _operation_of(wanted: RowList) -> Any:
    """The operation that lists those rows page by page."""

    def listing(
        context: Context,
        *,
        node: Annotated[Sequence[str], "Only of this node; may be repeated."] = (),
        where: Annotated[
            dict[str, str],
            "Conditions: `field` or `field__gte`, `__lte`, `__gt`, `__lt`, `__ne`, `__ic`, `__in`, `__null`, and a value.",
        ] = {},  # noqa: B006 - never changed
        fields: Annotated[str | None, "Only these fields, separated by commas."] = None,
        order_by: Annotated[
            str | None, "Fields to order by, separated by commas; `-` before one for descending."
        ] = None,
        limit: Annotated[int, "So many rows a page.", Ge(1), Le(MOST)] = LIMIT,
        cursor: Annotated[str | None, "From where on, as `next` of the page before said it."] = None,
        as_of: AsOf = None,
    ) -> Page:
        at = moment(as_of) if as_of is not None else None
        selection = Selection(
            nodes=tuple(node) or None,
            filters=tuple(where.items()),
            fields=_split(fields),
            order_by=_split(order_by),
            limit=limit,
            cursor=cursor,
        )
        with (
            context.database.connect(Login.READER) as connection,
            translated(doing=f"reading {wanted.name}"),
            past(connection, at),
        ):
            refuse_unknown(connection, node, at)
            return select(connection, wanted, selection)

    listing.__name__ = f"show_{wanted.name}"
    listing.__doc__ = f"{wanted.summary}\n\nRaises UsageError for an unknown field, and NotFound for an unknown node."
    routes = (f"GET {path}" for path in wanted.paths)
    return operation(*routes, command=wanted.command, kind=Kind.ROWS, keeps=not wanted.moves, tool=wanted.is_tool)(
        listing
    )


def _split(said: str | None) -> tuple[str, ...] | None:
    return tuple(part.strip() for part in said.split(",")) if said is not None else None


LISTINGS = tuple(_operation_of(wanted) for wanted in row_lists().values() if wanted.paths)
"""One operation for each list."""
