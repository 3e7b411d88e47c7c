"""What a state must be like to be recorded; one that is not is refused whole, before anything is written."""

from collections import Counter
from dataclasses import fields
from datetime import datetime
from ipaddress import ip_address, ip_interface
from re import fullmatch

from aya.errors import PayloadRefused
from aya.model import FACT_TYPES, Fact, NodeState
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


def check(state: NodeState) -> None:
    """Raise PayloadRefused, naming node, section, row and column, for the first thing that does not fit."""
    for fact_type in FACT_TYPES:
        rows = [fact for _, fact in state.rows(fact_type.SECTION)]
        for row in rows:
            _check_row(state.node_name, fact_type, row)
        doubles = [key for key, times in Counter(row.key for row in rows).items() if times > 1]
        if doubles:
            raise PayloadRefused(
                f"{state.node_name}: {fact_type.SECTION} has the same fact twice: {' '.join(filter(None, doubles[0]))!r:.300}.",
                remedy="Nothing was recorded. Two collectors speak for the same thing: report this.",
            )


def _check_row(node: str, fact_type: type[Fact], row: Fact) -> None:
    for field in fields(row):  # type: ignore[arg-type]
        name, value = field.name, getattr(row, field.name)
        sql_type = columns(fact_type)[name]
        problem = "is not known" if value is None and name not in nullable(fact_type) else None
        if value is not None:
            problem = _problem(sql_type, value)
        if problem:
            raise PayloadRefused(
                f"{node}: {fact_type.SECTION} {' '.join(filter(None, row.key))!r:.200}: {name} {problem}.",
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
        return None if _is_address(str(value)) else f"is {value!r:.100}, which is not an address"
    if sql_type == "macaddr" and not fullmatch(r"(?i)[0-9a-f]{2}([:-][0-9a-f]{2}){5}", str(value)):
        return f"is {value!r:.100}, which is not a hardware address"
    return None


def _is_address(text: str) -> bool:
    for read in (ip_address, ip_interface):
        try:
            read(text)
        except ValueError:
            continue
        return "%" not in text
    return False
