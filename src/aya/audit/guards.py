"""Whether what writes and guards the log in a database is what AYA made it.

`sql/guards.txt` is the list of it, taken from a fresh database: a line for each function, view, table, column, trigger and
rule, with the SHA-256 of its text. PostgreSQL prints such texts a little differently from one major version to the next, so
on another one than that of the list only what is missing or too much is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from aya.db.connection import Connection, rows
from aya.db.queries import query

VERSION = "version"
CHANGED = {
    "function": "was replaced: what it wrote since is not to be believed",
    "view": "was replaced",
    "table": "was changed: its kind, its owner, or who sees its rows",
    "column": "was changed: its type, its default, or whether it may be NULL",
    "trigger": "is not as AYA made it",
    "rule": "is not as AYA made it",
}
NOT_READABLE_WITHOUT = ("table", "column", "view")
HARMLESS_MORE = ("function", "view")
"""Further ones are called by nothing of AYA's: whatever calls them is itself not as it was."""


@dataclass(frozen=True, slots=True)
class Broken:
    """One guard that is not as AYA made it."""

    said: str
    unreadable: bool = False
    """Without it the log cannot be read."""


def broken(connection: Connection) -> list[Broken]:
    """What is wrong with what writes and guards the log."""
    wanted = dict(line.rsplit(" ", 1) for line in (files("aya") / "sql" / "guards.txt").read_text().splitlines())
    found = guards(connection)
    if "view aya.state_tables" not in found:
        return _compared(wanted, found)
    missing = [
        Broken(f"{row['what']} {row['said']}: what was changed meanwhile was neither logged nor refused")
        for row in rows(connection, query("triggers_missing"))
    ]
    return [*missing, *_compared(wanted, found)]


def guards(connection: Connection) -> dict[str, str]:
    """Everything that writes and guards the log, by kind and name, with the hash of its text; and the server's major version."""
    found = rows(connection, query("guards"))
    return {VERSION: str(connection.info.server_version // 10_000)} | {
        f"{row['kind']} {row['name']}": sha256(row["text"].encode()).hexdigest() for row in found
    }


def _compared(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[Broken]:
    problems = []
    comparable = wanted[VERSION] == found[VERSION]
    for name in sorted(wanted.keys() | found.keys()):
        kind = name.partition(" ")[0]
        if kind == "column" and f"table {name.split(' ')[1].rpartition('.')[0]}" not in found:
            continue  # told of the table
        if name not in found:
            problems.append(Broken(f"{name} is not there", unreadable=kind in NOT_READABLE_WITHOUT))
        elif name not in wanted and kind not in HARMLESS_MORE:
            problems.append(Broken(f"{name} is not AYA's"))
        elif name in wanted and comparable and wanted[name] != found[name]:
            problems.append(Broken(f"{name} {CHANGED[kind]}"))
    return problems
