"""Values as PostgreSQL writes them, made into JSON that loses nothing."""

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
import psycopg
from psycopg.adapt import Loader, Transformer
from psycopg.pq import Format
from psycopg.pq.abc import PGresult

EXACT = 2**53
LONGEST_NUMBER = 40
MOMENT = re.compile(r"(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d)?(:\d\d)?")
NUMBERS = ("int2", "int4", "int8", "oid", "numeric")
DOUBLES = ("float4", "float8")


def number(text: str) -> int | float | str:
    """A number if JSON's double holds exactly what is written, else the text."""
    if len(text) > LONGEST_NUMBER:
        return text
    try:
        exact = Decimal(text)
        value = float(exact)
    except (ArithmeticError, ValueError):
        return text
    if not math.isfinite(value):
        return text
    if exact == exact.to_integral_value() and "." not in text and "e" not in text:
        return int(exact) if abs(exact) <= EXACT else text
    return value if Decimal(repr(value)) == exact else text


def double(text: str) -> float | str:
    """A number that is a double; text where it is none (NaN, infinity)."""
    value = float(text)
    return value if math.isfinite(value) else text


def moment(text: str) -> str:
    """A timestamp as ISO 8601; what has none (infinity, years before Christ) as it is."""
    parts = MOMENT.fullmatch(text)
    if parts is None:
        return text
    zone = f"{parts[3]}{parts[4] or ':00'}" if parts[3] else ""
    return f"{parts[1]}T{parts[2]}{zone}"


def document(text: str) -> Any:
    """JSON as it is; text where it is nested so deeply, or holds such characters, that readers would break."""
    try:
        found = json.loads(text, parse_int=number, parse_float=number)
        # It will stand in a row, and perhaps in an array there.
        orjson.dumps([[[[[[[[found]]]]]]]])
    except (ValueError, TypeError, RecursionError):
        return text
    return found


def _loader(load: Callable[[str], Any]) -> type[Loader]:
    class Loading(Loader):
        def load(self, data: bytes | bytearray | memoryview) -> Any:
            return load(bytes(data).decode("utf-8", errors="replace"))

    return Loading


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Let this connection load everything as JSON."""
    text = _loader(str)
    for known in connection.adapters.types:
        connection.adapters.register_loader(known.oid, text)
    for name in NUMBERS:
        connection.adapters.register_loader(name, _loader(number))
    for name in DOUBLES:
        connection.adapters.register_loader(name, _loader(double))
    for name in ("timestamp", "timestamptz"):
        connection.adapters.register_loader(name, _loader(moment))
    for name in ("json", "jsonb"):
        connection.adapters.register_loader(name, _loader(document))
    connection.adapters.register_loader("bool", _loader("t".__eq__))


class Values:
    """The values of a result as JSON; those longer than the limit are cut and counted."""

    def __init__(self, connection: psycopg.Connection[Any], result: PGresult, limit_bytes: int) -> None:
        transformer = Transformer(connection)
        self._load = [transformer.get_loader(result.ftype(n), Format.TEXT).load for n in range(result.nfields)]
        self._limit_bytes = limit_bytes
        self.cut = 0

    def row(self, result: PGresult, number: int) -> list[Any]:
        """A row of the result."""
        return [self._value(result.get_value(number, n), load) for n, load in enumerate(self._load)]

    def _value(self, raw: bytes | None, load: Callable[[bytes], Any]) -> Any:
        if raw is None:
            return None
        if len(raw) > self._limit_bytes:
            self.cut += 1
            return raw[: self._limit_bytes].decode("utf-8", errors="ignore") + "…"
        return load(raw)
