"""The answer to SQL as people see it: a table with the names of its columns as they are, or CSV."""

import csv
import sys
from typing import Any

import orjson
from rich.table import Table

from aya.db.adhoc.question import Answer
from aya.serve.cli.output import console, print_renderable, shown


def print_answer(answer: Answer) -> None:
    """The rows as a table, then how many they are and what is missing."""
    screen = console()
    if answer.columns:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for number, column in enumerate(answer.columns):
            numeric = any(isinstance(row[number], int | float) for row in answer.rows)
            table.add_column(shown(column.name), justify="right" if numeric else "left", overflow="fold")
        for row in answer.rows:
            table.add_row(*("[dim]NULL[/]" if value is None else shown(_text(value)) for value in row))
        print_renderable(table)
    counted = f"{answer.row_count} row{'' if answer.row_count == 1 else 's'}"
    screen.print(f"[dim]{counted}, {answer.duration_ms:.0f} ms[/]")
    if answer.truncated:
        screen.print(f"[yellow]{shown(answer.truncation)}[/]")


def print_answer_csv(answer: Answer) -> None:
    """The rows as CSV; NULL is empty, what is missing is said on stderr."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(column.name for column in answer.columns)
    writer.writerows(["" if value is None else _text(value) for value in row] for row in answer.rows)
    if answer.truncated:
        print(answer.truncation, file=sys.stderr)


def _text(value: Any) -> str:
    """A value as PostgreSQL would write it, JSON as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
