"""What a state must be like to be recorded; one that is not is refused whole, before anything is written."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from types import NoneType

from aya.collect.fitting import MAC_ADDRESS, is_address
from aya.errors import PayloadRefused
from aya.model import Fact, NodeState
from aya.record.columns import RANGES, columns, nullable

PYTHON_TYPES = {
    "text": str,
    "integer": int,
    "bigint": int,
    "boolean": bool,
    "jsonb": dict,
    "timestamptz": datetime,
    "inet": str,
    "macaddr": str,
}
SETTLED_BY_TYPE = frozenset({"text", "boolean", "jsonb", "timestamptz"})
"""SQL types that can hold every value of the Python type."""


def check(state: NodeState, fact_type: type[Fact]) -> None:
    """Raise PayloadRefused, naming node, section, row and column, for the first thing in a section that does not fit."""
    rows = [fact for _, fact in state.rows(fact_type.SECTION)]
    for name, sql_type in columns(fact_type).items():
        _check_column(state.node_name, rows, name, sql_type, may_be_unknown=name in nullable(fact_type))
    # Where no part of the key may be unknown, the quick way tells as much.
    if nullable(fact_type).isdisjoint(fact_type.KEY) and len({*map(attrgetter(*fact_type.KEY), rows)}) == len(rows):
        return
    double, times = Counter(row.key for row in rows).most_common(1)[0] if rows else ((), 0)
    if times > 1:
        raise PayloadRefused(
            f"{state.node_name}: {fact_type.SECTION} has the same fact twice: {' '.join(filter(None, double))!r:.300}.",
            remedy="Nothing was recorded. Two collectors speak for the same thing: report this.",
        )


def _check_column(node: str, rows: Sequence[Fact], name: str, sql_type: str, *, may_be_unknown: bool) -> None:
    values = [*map(attrgetter(name), rows)]
    # Nearly every column is settled by the types that occur in it.
    if sql_type in SETTLED_BY_TYPE and set(map(type, values)) <= {PYTHON_TYPES[sql_type], *[NoneType] * may_be_unknown}:
        return
    for row, value in zip(rows, values, strict=True):
        problem = "is not known" if value is None and not may_be_unknown else None
        if value is not None:
            problem = _problem(sql_type, value)
        if problem:
            raise PayloadRefused(
                f"{node}: {row.SECTION} {' '.join(filter(None, row.key))!r:.200}: {name} {problem}.",
                remedy="Nothing was recorded.",
            )


def _problem(sql_type: str, value: object) -> str | None:
    wanted = PYTHON_TYPES.get(sql_type)
    if wanted is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)):
        return f"is {type(value).__name__} {value!r:.100}, not {sql_type}"
    if sql_type in RANGES:
        least, most = RANGES[sql_type]
        if not isinstance(value, int) or not least <= value <= most:
            return f"is {value!r:.100}, which does not fit {sql_type}"
    if sql_type == "inet":
        return None if is_address(str(value)) else f"is {value!r:.100}, which is not an address"
    if sql_type == "macaddr" and not MAC_ADDRESS.fullmatch(str(value)):
        return f"is {value!r:.100}, which is not a hardware address"
    return None
