"""A statement of somebody, the limits it runs within, and its answer."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """A statement and its limits."""

    sql: str
    as_of: str | None
    """For the setting `aya.as_of`; None is now."""
    timeout_s: float
    rows: int
    """So many rows are given at most."""
    bytes: int
    """So long are all rows at most, as JSON."""
    value_bytes: int
    """So much is given of one value at most."""


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of an answer; names may repeat."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a statement, and what they cost.

    Values are JSON: a number wherever a double holds it exactly, else its text (large integers, long decimals, NaN); json as
    it is; arrays as lists; timestamps as ISO 8601; everything else, as bytea in hex, as PostgreSQL
    writes it.
    """

    columns: list[ResultColumn]
    rows: list[list[Any]]
    row_count: int
    bytes: int
    """Length of the rows as JSON."""
    duration_ms: float
    truncated: bool
    """Whether something is missing: rows, or ends of values."""
    truncation: str
    """What is missing and why; empty when nothing is."""
