"""Ask in SQL: read-only, for people and agents."""

from typing import Annotated

from annotated_types import Ge

from aya.db.adhoc.question import Answer, Question
from aya.db.adhoc.workers import ask
from aya.errors import UsageError
from aya.history.moment import moment
from aya.operations.context import Context
from aya.operations.operation import AsOf, Scope, operation


@operation("POST /sql", command="query", scope=Scope.SQL, writes=False, tool=True)
def query(
    context: Context,
    sql: Annotated[str, "One statement that reads: SELECT, WITH, TABLE, VALUES, SHOW or EXPLAIN of these."],
    *,
    as_of: AsOf = None,
    limit: Annotated[
        int | None, "So many rows at most; AYA_SQL_ROWS sets the default, which is also the most.", Ge(1)
    ] = None,
) -> Answer:
    """Run one statement of SQL that reads, and give its rows as JSON.

    It sees the tables and views of `public`; with `as_of` as they were then, observations being unknown. It runs as a role
    that can only read, within the limits that AYA_SQL_TIMEOUT_S, AYA_SQL_ROWS, AYA_SQL_BYTES and AYA_SQL_VALUE_BYTES set;
    what is missing because of them is said in `truncation`.

    Raises StatementRefused, which says where and why; UsageError for a moment or limit that
    does not do; TooManyRequests; DatabaseUnsuitable where the role may do more than read or was not prepared.
    """
    settings = context.settings
    most = settings.sql_rows if limit is None else limit
    if not 1 <= most <= settings.sql_rows:
        raise UsageError(
            f"A limit of {limit} rows cannot be given.", remedy=f"Choose 1 to {settings.sql_rows} (AYA_SQL_ROWS)."
        )
    context.progress("running SQL")
    answer = ask(
        context.database,
        Question(
            sql=sql,
            as_of=None if as_of is None else moment(as_of).setting,
            timeout_s=settings.sql_timeout_s,
            rows=most,
            bytes=settings.sql_bytes,
            value_bytes=settings.sql_value_bytes,
        ),
    )
    context.tally.rows, context.tally.bytes = answer.row_count, answer.bytes
    return answer
