"""The named queries of AYA: one file each in `sql/queries/`, explained at its top."""

from functools import cache
from importlib.resources import files


@cache
def query(name: str) -> str:
    """The text of `sql/queries/NAME.sql`."""
    return (files("aya") / "sql" / "queries" / f"{name}.sql").read_text()


def query_names() -> list[str]:
    """The names of all queries."""
    folder = files("aya") / "sql" / "queries"
    return sorted(entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name.endswith(".sql"))
