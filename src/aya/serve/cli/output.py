"""How the command line shows things: tables and colour on a terminal, plain text in a pipe, one JSON document with
--json.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aya.errors import AyaError

STYLES = {
    **dict.fromkeys(("pass", "ok", "running", "verified", "active", "intact", "confirmed"), "green"),
    **dict.fromkeys(("fail", "failed", "unreadable", "contradicted"), "bold red"),
    **dict.fromkeys(("skipped", "denied", "unsupported", "partial", "pending", "unverified"), "yellow"),
    **dict.fromkeys(("absent", "stopped", "inactive"), "dim"),
}
PIPE_WIDTH = 10_000
"""In a pipe nothing is cut: a reader that is a program wants all of it."""


class Screen(Console):
    """A console that leaves it to the caller what to do when nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Raise what rich has caught, instead of ending the program with 1."""
        raise BrokenPipeError


def console() -> Console:
    """Standard output, as wide as the terminal, or in a pipe as wide as need be."""
    on_terminal = sys.stdout.isatty()
    # No emoji: a value may well hold `:key:`.
    return Screen(width=None if on_terminal else PIPE_WIDTH, highlight=False, emoji=False, soft_wrap=not on_terminal)


def report_error(error: AyaError, *, as_json: bool) -> None:
    """Say what went wrong on stderr; with --json also as the one document on stdout."""
    message, remedy = ("\n".join(map(printable, said.splitlines())) for said in (error.message, error.remedy))
    if as_json:
        print_json({"error": {"kind": type(error).__name__, "message": message, "remedy": remedy}})
    screen = Console(stderr=True, highlight=False, emoji=False)
    screen.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
    if remedy:
        screen.print(f"[dim]{escape(remedy)}[/]", soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document and nothing else."""
    data = orjson.dumps(value, default=json_value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    sys.stdout.buffer.write(data + b"\n")  # JSON is UTF-8, whatever the terminal speaks
    sys.stdout.buffer.flush()


def print_json_line(value: Any) -> None:
    """One JSON document on one line, at once, for those who follow."""
    sys.stdout.buffer.write(orjson.dumps(value, default=json_value, option=orjson.OPT_NON_STR_KEYS) + b"\n")
    sys.stdout.buffer.flush()


def json_value(value: Any) -> Any:
    """What orjson cannot say by itself, as JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, int):
        return str(value)
    if hasattr(value, "as_tuple"):  # Decimal: a number if a double holds it exactly, else text
        number = float(value)
        return (
            (int(value) if value == int(value) else number)
            if str(value) == f"{number:g}" or value == int(value)
            else str(value)
        )
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def text(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def print_table(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], *, title: str | None = None, empty: str = ""
) -> None:
    """Rows as a table; columns that are empty in every row, and a column that is the same for all nodes, are left
    out.
    """
    screen = console()
    if not rows:
        screen.print(f"[dim]{shown(empty or 'Nothing is recorded.')}[/]")
        return
    filled = [column for column in columns if any(row.get(column) not in (None, "") for row in rows)]
    if "node_name" in filled and len({row["node_name"] for row in rows}) == 1 and len(filled) > 1:
        filled.remove("node_name")
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in filled:
        numeric = all(
            isinstance(row.get(column), int | float | None) and not isinstance(row.get(column), bool) for row in rows
        )
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(styled(text(row.get(column))) for column in filled))
    print_renderable(table)


def print_renderable(renderable: Table) -> None:
    """Show a table; in a pipe without the blanks that fill its lines to the right."""
    screen = console()
    if screen.is_terminal:
        screen.print(renderable)
        return
    with screen.capture() as capture:
        screen.print(renderable)
    for line in capture.get().splitlines():
        screen.print(line.rstrip(), markup=False)


def styled(value: str) -> str:
    """A word that says how something is, in its colour."""
    return f"[{STYLES[value]}]{value}[/]" if value in STYLES else shown(value)


def shown(value: str) -> str:
    """Text to stand in markup: neither the terminal nor the markup obeys anything in it."""
    return escape(printable(value))


def printable(value: str) -> str:
    """Text that cannot steer the terminal: control characters are shown, not obeyed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Tell those who wait what is being done: a moving line on a terminal, nothing in a pipe."""
    screen = Console(stderr=True, highlight=False, emoji=False)
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    with screen.status("starting") as status:
        yield lambda what: status.update(shown(what))
