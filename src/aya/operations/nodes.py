"""Which nodes there are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Le

from aya.db.connection import rows, translated
from aya.db.database import Login
from aya.db.queries import query
from aya.history.moment import as_of as past
from aya.history.moment import moment
from aya.operations.context import Context
from aya.operations.operation import AsOf, operation


@dataclass(frozen=True, slots=True)
class NodeLine:
    """One node, in few words; what is not known is None."""

    node_name: str
    node_role: str | None
    status: str | None
    os_name: str | None
    os_version: str | None
    last_collected: datetime | None
    """When it was last looked at."""
    last_verified: datetime | None
    """When checks last passed on it."""


@operation("GET /system/nodes", command="nodes", tool=True)
def list_nodes(
    context: Context,
    *,
    match: Annotated[str | None, "Only nodes whose name holds this text."] = None,
    limit: Annotated[int, "So many at most.", Ge(1), Le(10_000)] = 1000,
    as_of: AsOf = None,
) -> list[NodeLine]:
    """The nodes by name, each with its role, its system, and when it was last looked at and verified."""
    at = moment(as_of) if as_of is not None else None
    with (
        context.database.connect(Login.READER) as connection,
        translated(doing="listing nodes"),
        past(connection, at),
    ):
        return [NodeLine(**row) for row in rows(connection, query("list_nodes"), {"match": match, "limit": limit})]
