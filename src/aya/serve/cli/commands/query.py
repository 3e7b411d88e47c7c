"""`aya query`: read-only SQL."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from aya.errors import UsageError
from aya.serve.cli.app import AsJson, AsOf, app, working


@app.command()
def query(
    sql: Annotated[
        str, typer.Argument(help="One statement that reads; `-` takes it from the input, `@FILE` from a file.")
    ],
    as_of: AsOf = None,
    limit: Annotated[
        int | None, typer.Option("--limit", help="So many rows at most [default and most: AYA_SQL_ROWS].")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask in SQL, read-only; exit 3 when the answer is not all of it."""
    from aya.errors import ExitCode
    from aya.operations.operation import of
    from aya.operations.query import query as operation
    from aya.serve.cli.answer import print_answer, print_answer_csv
    from aya.serve.cli.output import print_json

    if as_csv and as_json:
        raise UsageError("An answer is printed as CSV or as JSON, not both.", remedy="Leave one of them out.")
    with working(as_json) as context:
        answer = of(operation)(context, sql=_text(sql), as_of=as_of, limit=limit)
    if as_json:
        print_json(answer)
    elif as_csv:
        print_answer_csv(answer)
    else:
        print_answer(answer)
    if answer.truncated:
        raise typer.Exit(ExitCode.ATTENTION)


def _text(sql: str) -> str:
    """The statement: as given, from the input, or from a file."""
    try:
        if sql == "-":
            return sys.stdin.read()
        return Path(sql[1:]).read_text("utf-8") if sql.startswith("@") else sql
    except OSError as error:
        raise UsageError(
            f"{sql[1:]} cannot be read: {error.strerror}.", remedy="Name a file that you may read."
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"What was given is not UTF-8: {error.reason}.", remedy="Write it as UTF-8.") from None
