"""What the source document promises, read out of it."""

import re

TABLE = re.compile(r"^CREATE TABLE (\w+) \((.*?)^\);", re.S | re.M)
VIEW = re.compile(r"^CREATE VIEW (\w+) AS\n(.*?;)", re.S | re.M)
INDEX = re.compile(r"^CREATE (?:UNIQUE )?INDEX (\w+)\s+ON (\w+)\s*\(([^)]*)\)", re.M)
COLUMN = re.compile(r"^\s+(\w+) ([A-Z]+)(\(\d+(?:,\d+)?\))?", re.M)


def tables(document: str) -> dict[str, dict[str, str]]:
    """Table -> column -> type, without sizes."""
    return {
        name: {c: t for c, t, _ in COLUMN.findall(re.sub(r"--.*", "", body))} for name, body in TABLE.findall(document)
    }


def views(document: str) -> dict[str, str]:
    """View -> its body as printed."""
    return dict(VIEW.findall(document))


def indexes(document: str) -> dict[str, tuple[str, list[str]]]:
    """Index -> its table and columns."""
    return {
        name: (table, [column.split()[0] for column in columns.split(",")])
        for name, table, columns in INDEX.findall(document)
    }
