"""How the frozen types of the model lie in tables: column names and SQL types, read off the type annotations."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

from aya.model import BigInt, Inet, MacAddress

SQL_TYPES: dict[Any, str] = {
    str: "text",
    int: "integer",
    BigInt: "bigint",
    bool: "boolean",
    Decimal: "numeric",
    datetime: "timestamptz",
    UUID: "uuid",
    dict: "jsonb",
    Inet: "inet",
    MacAddress: "macaddr",
}
RANGES = {"integer": (-(2**31), 2**31 - 1), "bigint": (-(2**63), 2**63 - 1)}


def _columns(row_type: type) -> Mapping[str, str]:
    hints = get_type_hints(row_type, include_extras=True)
    return {field.name: sql_type(hints[field.name]) for field in fields(row_type)}


def _nullable(row_type: type) -> frozenset[str]:
    hints = get_type_hints(row_type, include_extras=True)
    return frozenset(field.name for field in fields(row_type) if NoneType in get_args(hints[field.name]))


columns: Callable[[type], Mapping[str, str]] = cache(_columns)
"""The columns of a type in order, each with its SQL type."""

nullable: Callable[[type], frozenset[str]] = cache(_nullable)
"""The columns of a type that may be unknown."""


def sql_type(annotation: Any) -> str:
    """The SQL type of an annotation, `X | None` being that of X."""
    if isinstance(annotation, UnionType) or str(get_origin(annotation)) == "typing.Union":
        annotation = next(part for part in get_args(annotation) if part is not NoneType)
    return SQL_TYPES.get(annotation) or SQL_TYPES[get_origin(annotation)]
