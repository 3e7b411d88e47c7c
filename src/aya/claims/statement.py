"""What a document states: one value of one subject, of one node or of none in particular, with the line that says it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from aya.claims.outline import Item, Outline
from aya.claims.quantity import Quantity
from aya.model import Json


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the state a value belongs: a column of the row with that key, in a section of `aya.model`."""

    section: str
    key: tuple[tuple[str, str], ...] = ()
    """The columns that tell the row from others; none for the node itself."""
    column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One value as a document states it."""

    item: Item
    node: str | None
    """None: of no node in particular, or of every node that it fits."""
    subject: str
    """What it is the value of; equal for statements that must agree."""
    value: Json
    """As it goes into the state: text, a whole number, true or false."""
    said: Quantity | None = None
    """The number as it was written, where it is one."""
    place: Place | None = None
    """None: it has no column of its own."""


@dataclass(frozen=True, slots=True)
class Described:
    """A node that a document describes."""

    name: str
    role: str
    status: str
    line: int


@dataclass(frozen=True, slots=True)
class ServerSetting:
    """What a real PostgreSQL server says of one of its settings: a row of `pg_settings`."""

    name: str
    unit: str | None
    context: str
    kind: str
    """`bool`, `enum`, `integer`, `real` or `string`."""
    least: str | None
    most: str | None
    choices: tuple[str, ...] | None
    default: str | None
    short_desc: str
    extra_desc: str
    category: str


@dataclass(frozen=True)
class Page:
    """A document that was read: its statements, whom it describes, and what is known to read it with."""

    name: str
    """By which the document is known."""
    text: str
    """Secrets redacted."""
    size_bytes: int
    """Of the file."""
    outline: Outline
    nodes: Mapping[str, Described]
    node_of: Mapping[int, str]
    """The node that a statement is about, by the statement's number."""
    ports: Mapping[str, int]
    """The port of each node's PostgreSQL, where it is stated."""
    servers: Mapping[int, int]
    """Where a node has several servers: the port of the one that a statement is about, by the statement's number."""
    dated: datetime | None
    """The moment that it says it is of."""
    settings: Mapping[str, ServerSetting]
    """The settings of a real server, by name."""

    def items(self, node: str | None) -> Sequence[Item]:
        """The statements about a node; None: about no node in particular."""
        return self._by_node.get(node, ())

    @cached_property
    def _by_node(self) -> Mapping[str | None, Sequence[Item]]:
        found: dict[str | None, list[Item]] = {}
        for item in self.outline.items:
            found.setdefault(self.node_of.get(item.number), []).append(item)
        return found


@dataclass(frozen=True, slots=True)
class Reader:
    """Something that understands one topic of a document."""

    read: Callable[[Page], Iterator[Stated]]
