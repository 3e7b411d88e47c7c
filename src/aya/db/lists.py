"""The lists of AYA: one file each in `sql/lists/`, a SELECT with a head that says what it is.

    -- What it lists, in one sentence.
    -- path: /settings                                   where it is found by REST; may be repeated
    -- order: node_name, -requires_restart, id           of its rows, `-` for descending; the last ones tell any two apart
    -- column outcomes: How each collector ended.        of a column that stands in no table, and has no comment there
    -- command: snapshot list                            the command that shows it, where it is not `show NAME`
    -- moves with the clock                              its rows change though nothing is written
    -- part of the state                                 it is a section of the state document
    -- for agents                                        it is a tool as well

Names stand unqualified, so that the same list is read of the past. `%(nodes)s` are the nodes that are wanted, or NULL.
The columns, their types and their meaning are read from the database.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from psycopg.rows import tuple_row

from aya.db.connection import Connection, rows, translated

HEAD = re.compile(
    r"-- (?:(path|order|command|column (\w+)): (.*)|(moves with the clock)|(part of the state)|(for agents)|(.*))\n"
)
TYPES = """
SELECT w.number, format_type(w.type, -1) AS type, col_description(w.relation, w.attribute) AS comment
FROM unnest(%(types)s::oid[], %(relations)s::oid[], %(attributes)s::integer[])
    WITH ORDINALITY AS w (type, relation, attribute, number)
ORDER BY w.number
"""


@dataclass(frozen=True, slots=True)
class RowList:
    """One list."""

    name: str
    summary: str
    paths: tuple[str, ...]
    order: tuple[str, ...]
    """Columns, with `-` before those that descend; together they tell any two rows apart."""
    command: str
    moves: bool
    """Whether its rows change though nothing is written."""
    is_state: bool
    """Whether it is a section of the state document."""
    is_tool: bool
    """Whether agents are offered it."""
    about: dict[str, str]
    """What columns mean that stand in no table."""
    sql: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list."""

    name: str
    type: str
    """As PostgreSQL names it: `bigint`, `text`, `timestamp with time zone`, `jsonb`, …"""
    comment: str


@cache
def row_lists() -> dict[str, RowList]:
    """Every list by its name."""
    folder = files("aya") / "sql" / "lists"
    entries = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return {name: _read(name, entry.read_text()) for entry in entries if (name := entry.name.removesuffix(".sql"))}


_columns: dict[str, tuple[Column, ...]] = {}
"""What the database said, which a migration changes only together with the program."""


def columns(connection: Connection, wanted: RowList) -> tuple[Column, ...]:
    """The columns of a list, as the database describes them."""
    if wanted.name not in _columns:
        with translated(doing=f"describing {wanted.name}"), connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(f"SELECT * FROM ({wanted.sql}) AS l LIMIT 0", {"nodes": None})
            described, result = cursor.description or [], cursor.pgresult
            assert result is not None
            said = rows(
                connection,
                TYPES,
                {
                    "types": [one.type_code for one in described],
                    "relations": [result.ftable(number) for number in range(len(described))],
                    "attributes": [result.ftablecol(number) for number in range(len(described))],
                },
            )
        _columns[wanted.name] = tuple(
            Column(one.name, row["type"], wanted.about.get(one.name) or row["comment"] or "")
            for one, row in zip(described, said, strict=True)
        )
    return _columns[wanted.name]


def _read(name: str, text: str) -> RowList:
    summary: list[str] = []
    said: dict[str, list[str]] = {"path": [], "order": [], "command": []}
    about: dict[str, str] = {}
    moves = is_state = is_tool = False
    while text.startswith("--"):
        found = HEAD.match(text)
        assert found is not None, text[:80]
        what, column, value, clock, state, agents, prose = found.groups()
        if column:
            about[column] = value
        elif what:
            said[what].append(value)
        elif clock:
            moves = True
        elif state:
            is_state = True
        elif agents:
            is_tool = True
        else:
            summary.append(prose)
        text = text[found.end() :]
    return RowList(
        name=name,
        summary=" ".join(summary),
        paths=tuple(said["path"]),
        order=tuple(part.strip() for part in said["order"][0].split(",")),
        command=said["command"][0] if said["command"] else f"show {name}",
        moves=moves,
        is_state=is_state,
        is_tool=is_tool,
        about=about,
        sql=text.strip(),
    )
