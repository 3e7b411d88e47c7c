"""Show what is recorded: a section per question, each a named query `show_SECTION.sql`."""

from collections.abc import Sequence
from typing import Any

from aya.db.connection import rows, translated
from aya.db.database import Login
from aya.db.queries import query, query_names
from aya.errors import NotFound
from aya.history.moment import as_of as past
from aya.history.moment import moment
from aya.operations.context import Context

PREFIX = "show_"


def sections() -> list[str]:
    """The sections that can be shown."""
    return [name.removeprefix(PREFIX) for name in query_names() if name.startswith(PREFIX)]


def show(
    context: Context,
    section: str,
    *,
    nodes: Sequence[str] | None = None,
    match: str | None = None,
    as_of: str | None = None,
) -> list[dict[str, Any]]:
    """The rows of a section, of all nodes or of those named, and with `match` only rows that hold that text somewhere.

    `as_of`: as it was then, see `aya.history.moment.moment`; what is observation is unknown in the past.

    Raises NotFound, naming what exists, for an unknown section or node.
    """
    if section not in sections():
        raise NotFound(f"There is nothing named {section} to show.", remedy=f"There are: {', '.join(sections())}.")
    at = moment(as_of) if as_of is not None else None
    with (
        context.database.connect(Login.READER) as connection,
        translated(doing=f"reading {section}"),
        past(connection, at),
    ):
        known = [row["node_name"] for row in rows(connection, "SELECT node_name FROM system_nodes ORDER BY 1")]
        for node in nodes or ():
            if node not in known:
                raise NotFound(
                    f"No node named {node} is recorded.",
                    remedy=f"There are: {', '.join(known[:20])}."
                    if known
                    else "None was then."
                    if at
                    else "None is: `aya up` records this machine.",
                )
        found = rows(connection, query(PREFIX + section), {"nodes": list(nodes) if nodes else None})
    if match is not None:
        found = [row for row in found if any(match.lower() in str(value).lower() for value in row.values())]
    return found
