"""`aya calls`: who called what."""

from typing import Annotated

import typer

from aya.serve.cli.app import AsJson, app, working


@app.command()
def calls(
    caller: Annotated[
        str | None, typer.Option("--caller", help="Only calls of this caller: token:NAME, or a user.")
    ] = None,
    operation: Annotated[str | None, typer.Option("--operation", help="Only calls of this operation.")] = None,
    request_id: Annotated[str | None, typer.Option("--request", help="Only calls of this request, by its id.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Only from this time on: `2026-11-20 14:00`, `2 hours ago`.")
    ] = None,
    before: Annotated[int | None, typer.Option("--before", help="Only calls of a lower number: the next page.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="So many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the newest calls that wrote or ran SQL: who called, with what, and how it ended."""
    from aya.operations.calls import list_calls
    from aya.serve.cli.output import print_json, print_table

    with working(as_json) as context:
        found = list_calls(
            context, caller=caller, operation=operation, request_id=request_id, since=since, before=before, limit=limit
        )
    if as_json:
        print_json(found)
        return
    shown = (
        "id",
        "called_at",
        "caller",
        "called_from",
        "operation",
        "arguments",
        "outcome",
        "duration_ms",
        "rows",
        "bytes",
    )
    print_table(
        [
            {name: getattr(one, name) for name in shown}
            | {"outcome": one.outcome or "no end", "arguments": one.arguments[:200]}
            for one in found
        ],
        shown,
    )
