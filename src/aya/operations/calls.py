"""Who called what."""

from typing import Annotated

from annotated_types import Ge, Le

from aya.access import calls
from aya.access.calls import Call
from aya.access.scope import Scope
from aya.db.database import Login
from aya.operations.changes import time_of
from aya.operations.context import Context
from aya.operations.operation import operation


@operation("GET /calls", command="calls", scope=Scope.ADMIN)
def list_calls(
    context: Context,
    *,
    caller: Annotated[str | None, "Only calls of this caller: token:NAME, or a user."] = None,
    operation: Annotated[str | None, "Only calls of this operation."] = None,
    request_id: Annotated[str | None, "Only calls of this request, by its X-Request-ID."] = None,
    since: Annotated[str | None, "Only calls from this time on: `2026-11-20 14:00`, `2 hours ago`."] = None,
    before: Annotated[
        int | None, "Only calls of a lower number than this: the next page.", Ge(1), Le(2**63 - 1)
    ] = None,
    limit: Annotated[int, "So many at most.", Ge(1), Le(1000)] = 100,
) -> list[Call]:
    """The newest calls that wrote or ran SQL, newest first, with who called, with what, and how it ended.

    A call without an outcome was cut off, or still goes on. Calls are logged before they are done, and sealed with the log.
    """
    with context.database.connect(Login.READER) as connection:
        return calls.calls(
            connection,
            caller=caller,
            operation=operation,
            request_id=request_id,
            since=time_of(since),
            before=before,
            limit=limit,
        )
