"""What was measured, summed up over stretches of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from annotated_types import Ge, Le

from aya.db.connection import rows, translated
from aya.db.database import Login
from aya.db.queries import query
from aya.errors import UsageError
from aya.operations.changes import time_of
from aya.operations.context import Context
from aya.operations.operation import operation
from aya.operations.show import refuse_unknown

MOST = 10_000
DEFAULT_RANGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One metric of one node over one stretch of time."""

    node_name: str
    metric_category: str | None
    metric_name: str | None
    metric_unit: str | None
    bucket: datetime
    """When the stretch begins."""
    avg_value: float | None
    min_value: float | None
    max_value: float | None
    sample_count: int


@operation("GET /performance/metrics/buckets", "GET /nodes/{node}/metrics/buckets", command="metrics", tool=True)
def summarise_metrics(
    context: Context,
    *,
    node: Annotated[Sequence[str], "Only of this node; may be repeated."] = (),
    category: Annotated[str | None, "Only metrics of this category."] = None,
    name: Annotated[str | None, "Only this metric."] = None,
    since: Annotated[
        str | None, "Measured since: `2026-11-20 14:00`, `2 hours ago`; left out: a day before the end."
    ] = None,
    until: Annotated[str | None, "Measured before; left out: now."] = None,
    width_s: Annotated[int, "Seconds in each stretch.", Ge(1), Le(31_536_000)] = 3600,
) -> list[Bucket]:
    """Average, least, greatest and count of each metric over stretches of time of one length.

    Stretches begin at whole multiples of their length since 2000. One in which nothing was measured is left out. Raises
    NotFound for an unknown node, and UsageError when it would be more than 10,000 stretches.
    """
    end = time_of(until) or datetime.now(UTC)
    given = {
        "nodes": list(node) or None,
        "category": category,
        "name": name,
        "since": time_of(since) or end - DEFAULT_RANGE,
        "until": end,
        "width_s": width_s,
        "limit": MOST + 1,
    }
    with context.database.connect(Login.READER) as connection, translated(doing="summing up measurements"):
        refuse_unknown(connection, node)
        found = rows(connection, query("metric_buckets"), given)
    if len(found) > MOST:
        raise UsageError(
            f"That is more than {MOST:,} stretches of time.", remedy="Ask for longer ones, fewer nodes or one metric."
        )
    return [Bucket(**row) for row in found]
