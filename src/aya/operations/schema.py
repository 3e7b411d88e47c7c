"""What the tables and views of AYA hold, as their comments in the database say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from aya.db.connection import rows, translated
from aya.db.database import Login
from aya.db.queries import query
from aya.errors import NotFound
from aya.operations.context import Context
from aya.operations.operation import operation


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    type: str
    nullable: bool
    comment: str | None


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view."""

    name: str
    """With its schema before it where that is not `public`."""
    kind: str
    """table or view."""
    comment: str | None
    columns: list[Column]


@operation("GET /schema", command="schema", tool=True)
def describe_schema(
    context: Context,
    *,
    tables: Annotated[
        Sequence[str], "Only these tables and views, with all their columns; else all, without columns."
    ] = (),
) -> list[Relation]:
    """The tables and views that can be asked by SQL and what they hold; of those named, every column with its type and meaning.

    Raises NotFound, naming what exists, for an unknown table.
    """
    with context.database.connect(Login.READER) as connection, translated(doing="describing the tables"):
        described = rows(connection, query("describe_relations"))
    found = {
        row["name"]: Relation(
            row["name"],
            row["kind"],
            row["comment"],
            [Column(**column) for column in row["columns"]] if tables else [],
        )
        for row in described
    }
    for name in tables:
        if name not in found:
            raise NotFound(f"There is no table or view {name}.", remedy=f"There are: {', '.join(found)}.")
    return [found[name] for name in tables] if tables else list(found.values())
