"""A node's state as one JSON document: written by the agent that looked, read by whoever records it.

    {"kind": "aya.collection", "schema_version": 1,
     "state": {"node_name": "ALPHA", "collected_at": "2026-11-20T14:00:00+00:00", "collected": [
         {"collector": "services", "outcome": "ok", "sections": ["services"], "facts": {"services": [{…}]}}, …]}}

The names inside `state` are the fields of `NodeState` and of the types in it; a field left out has its default. What has
another name, another type or does not fit is refused with its place, and nothing is guessed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson

from aya.collect.fitting import DIGITS_LIMIT
from aya.errors import PayloadRefused
from aya.model import FACT_TYPES, BigInt, Json, Node, NodeState

KIND = "aya.collection"
SCHEMA_VERSION = 1
TEXT_LIMIT_CHARACTERS = 1_000_000
NAME_LIMIT_CHARACTERS = 200
RANGES = {int: (-(2**31), 2**31 - 1), BigInt: (-(2**63), 2**63 - 1)}
SECTIONS = frozenset(fact_type.SECTION for fact_type in FACT_TYPES)
OWNED = frozenset(field.name for field in fields(Node))
COLLECTOR = re.compile(r"[a-z][a-z0-9_.]{0,99}", re.ASCII)
METADATA_KEY = re.compile(r"metadata\.(?!observed$)[A-Za-z0-9_-]{1,100}", re.ASCII)

Reader = Callable[[Any, str], Any]


def write_state(state: NodeState) -> bytes:
    """The document of a state; what is at its default is left out. Raises PayloadRefused for what JSON cannot say."""
    document = {"kind": KIND, "schema_version": SCHEMA_VERSION, "state": _plain(state)}
    try:
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise PayloadRefused(f"The state cannot be said in JSON: {error}.", remedy="Report this.") from error


def read_state(document: Any) -> NodeState:
    """The state that a document says. Raises PayloadRefused, naming the place, for the first thing that does not fit."""
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise _refused("", f"is not a document of the kind {KIND}")
    if set(document) != {"kind", "schema_version", "state"}:
        raise _refused("", "has other fields than kind, schema_version and state")
    version = document["schema_version"]
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise PayloadRefused(
            f"The document is of schema version {version!r:.40}; this AYA reads {SCHEMA_VERSION}.",
            remedy="Nothing was recorded. Bring both machines to the same version of AYA.",
        )
    state: NodeState = _reader(NodeState)(document["state"], "state")
    _check_claims(state)
    return state


def _check_claims(state: NodeState) -> None:
    """What types alone do not say: names, and what a collector may speak for."""
    name = state.node_name
    if not name or len(name) > NAME_LIMIT_CHARACTERS or not name.isprintable() or name != name.strip() or "/" in name:
        raise _refused("state.node_name", "is not the name of a node: printable, without slash and space around it")
    if state.node_role not in (None, "primary", "replica", "client", "standalone"):
        raise _refused("state.node_role", f"is {state.node_role!r:.40}, which is no role")
    if not state.collected:
        raise _refused("state.collected", "is empty: nothing was looked at")
    seen: set[tuple[str, str]] = set()
    for number, collected in enumerate(state.collected):
        where = f"state.collected[{number}]"
        if COLLECTOR.fullmatch(collected.collector) is None:
            raise _refused(f"{where}.collector", f"is {collected.collector!r:.100}, which is no name of a collector")
        if len(collected.target) > NAME_LIMIT_CHARACTERS:
            raise _refused(f"{where}.target", f"is longer than {NAME_LIMIT_CHARACTERS} characters")
        if collected.duration_ms < 0:
            raise _refused(f"{where}.duration_ms", "is negative")
        if (collected.collector, collected.target) in seen:
            raise _refused(where, f"tells of {collected.collector} {collected.target!r:.100} a second time")
        seen.add((collected.collector, collected.target))
        if unknown := set(collected.sections) - SECTIONS:
            raise _refused(f"{where}.sections", f"names {min(unknown)!r:.100}; there are {', '.join(sorted(SECTIONS))}")
        for owned in collected.owns:
            if owned not in OWNED and METADATA_KEY.fullmatch(owned) is None:
                raise _refused(
                    f"{where}.owns", f"names {owned!r:.100}, which is no column of a node and no metadata.KEY"
                )


def _refused(where: str, problem: str) -> PayloadRefused:
    return PayloadRefused(
        f"The document{f': {where}' if where else ''} {problem}.",
        remedy="Nothing was recorded. It is written by `aya collect --to`; docs/delivery.md describes it.",
    )


# -- writing ----------------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        said = {}
        for name, default in _defaults(type(value)):
            inner = getattr(value, name)
            if default is MISSING or inner != default:
                said[name] = _plain(inner)
        return said
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


@cache
def _defaults(row_type: type) -> tuple[tuple[str, Any], ...]:
    return tuple((f.name, f.default if f.default_factory is MISSING else f.default_factory()) for f in fields(row_type))


# -- reading ----------------------------------------------------------------------------------------------------------


@cache
def _reader(annotation: Any) -> Reader:
    """What reads a value of that type, or refuses it with its place."""
    if isinstance(annotation, type) and is_dataclass(annotation):
        return _row_reader(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is UnionType or str(origin) == "typing.Union":
        inner = _reader(next(part for part in arguments if part is not NoneType))
        return lambda value, where: None if value is None else inner(value, where)
    if origin is tuple:
        return _list_reader(_reader(arguments[0]))
    if origin is dict or annotation is dict:
        return _json_object
    if annotation in RANGES:
        return _integer_reader(*RANGES[annotation])
    if origin is Annotated:
        return _reader(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _enumeration_reader(annotation)
    return {str: _text, bool: _boolean, Decimal: _decimal, datetime: _moment, UUID: _uuid}[annotation]


def _row_reader(row_type: type) -> Reader:
    hints = get_type_hints(row_type, include_extras=True)
    readers: Mapping[str, Reader] = {f.name: _reader(hints[f.name]) for f in fields(row_type)}
    needed = {f.name for f in fields(row_type) if f.default is MISSING and f.default_factory is MISSING}

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _refused(where, f"is {value!r:.100}, not an object")
        for name in value:
            if name not in readers:
                raise _refused(where, f"has the unknown field {name!r:.100}; there are {', '.join(readers)}")
        if missing := needed - set(value):
            raise _refused(where, f"lacks {', '.join(sorted(missing))}")
        return row_type(**{name: readers[name](inner, f"{where}.{name}") for name, inner in value.items()})

    return read


def _list_reader(item: Reader) -> Reader:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise _refused(where, f"is {value!r:.100}, not a list")
        return tuple(item(inner, f"{where}[{number}]") for number, inner in enumerate(value))

    return read


def _integer_reader(least: int, most: int) -> Reader:
    def read(value: Any, where: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _refused(where, f"is {value!r:.100}, not a whole number from {least} to {most}")
        return value

    return read


def _enumeration_reader(enumeration: type[StrEnum]) -> Reader:
    def read(value: Any, where: str) -> StrEnum:
        if not isinstance(value, str) or value not in list(enumeration):
            raise _refused(where, f"is {value!r:.100}; there are {', '.join(enumeration)}")
        return enumeration(value)

    return read


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _refused(where, f"is {value!r:.100}, not a text")
    if len(value) > TEXT_LIMIT_CHARACTERS:
        raise _refused(where, f"is a text of {len(value)} characters; the most is {TEXT_LIMIT_CHARACTERS}")
    return value


def _boolean(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _refused(where, f"is {value!r:.100}, not true or false")
    return value


def _decimal(value: Any, where: str) -> Decimal:
    try:
        number = Decimal(value) if isinstance(value, str) and len(value) <= DIGITS_LIMIT else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number.adjusted()) > DIGITS_LIMIT:
        raise _refused(where, f'is {value!r:.100}, not a decimal number as a text, like "0.5"')
    return number


def _moment(value: Any, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None and 1970 <= moment.year < 10000:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _refused(where, f"is {value!r:.100}, not a moment with its time zone, like 2026-11-20T14:00:00+00:00")


def _uuid(value: Any, where: str) -> UUID:
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError:
        raise _refused(where, f"is {value!r:.100}, not a UUID") from None


def _json_object(value: Any, where: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise _refused(where, f"is {value!r:.100}, not an object")
    _refuse_fractions(value, where)
    return value


def _refuse_fractions(value: Any, where: str) -> None:
    """State holds whole numbers and texts: a fraction would not come back as it was."""
    if isinstance(value, float):
        raise _refused(where, f"holds the fraction {value!r}; write it as a text")
    if isinstance(value, str):
        _text(value, where)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _text(name, where)
            _refuse_fractions(inner, f"{where}.{name:.100}")
    elif isinstance(value, list):
        for inner in value:
            _refuse_fractions(inner, where)
