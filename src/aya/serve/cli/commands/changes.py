"""`aya changes` and `aya why`: what changed, when, by whom and why."""

from typing import Annotated, Any, Literal

import typer

from aya.serve.cli.app import AsJson, app, working

changes = typer.Typer(help="What changed, when, by whom and why.", invoke_without_command=True)
app.add_typer(changes, name="changes")


@changes.callback()
def list_changes(
    context: typer.Context,
    node: Annotated[str | None, typer.Option("--node", help="Only of this node.")] = None,
    table: Annotated[str | None, typer.Option("--table", help="Only of this table.")] = None,
    section: Annotated[
        str | None, typer.Option("--section", help="Only of this section: settings, software, …")
    ] = None,
    setting: Annotated[str | None, typer.Option("--setting", help="Only of this PostgreSQL setting.")] = None,
    match: Annotated[str | None, typer.Option("--match", help="Only those that hold this text.")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Only by this actor.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Logged since: `2026-11-20 14:00`, `2 hours ago`.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Logged until.")] = None,
    run: Annotated[int | None, typer.Option("--run", help="Only what this collection found.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="So many of the newest.")] = 50,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document; with -f one a line.")] = False,
) -> None:
    """List what changed, oldest first."""
    if context.invoked_subcommand is not None:
        return
    from aya.operations import changes as operations
    from aya.serve.cli.history import print_change_line, print_changes
    from aya.serve.cli.output import print_json, print_json_line

    wanted: dict[str, Any] = {
        "node": node, "table": table, "section": section, "setting": setting, "match": match, "actor": actor,
        "since": since, "run": run, "limit": limit,
    }  # fmt: skip
    if follow:
        with working(True) as aya:
            for one in operations.follow_changes(aya, **wanted):
                (print_json_line if as_json else print_change_line)(one)
    with working(as_json) as aya:
        found = operations.list_changes(aya, **wanted, until=until)
    if as_json:
        print_json(found)
    else:
        print_changes(found)


@changes.command("verify")
def verify_change(
    number: Annotated[int, typer.Argument(help="Number of the change.")],
    status: Annotated[
        Literal["verified", "refuted", "pending"], typer.Option("--status", help="What was found of it.")
    ] = "verified",
    note: Annotated[str, typer.Option("--note", help="How it was verified.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say of a change that it was verified or refuted, and how; that is itself logged."""
    from aya.operations.changes import note_verification
    from aya.serve.cli.history import print_changes
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        noted = note_verification(context, number, status=status, note=note)
    if as_json:
        print_json(noted)
    else:
        print_changes([noted])


@app.command()
def why(
    node: Annotated[str, typer.Argument(help="The node.")],
    thing: Annotated[str, typer.Argument(help="A setting, package, service, schema object, or column of the node.")],
    limit: Annotated[int, typer.Option("--limit", help="So many of its newest changes.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Tell the changes of a thing, when each must have happened, and what else changed around it."""
    from aya.operations.changes import why as operation
    from aya.serve.cli.history import print_why
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        told = operation(context, node, thing, limit=limit)
    if as_json:
        print_json(told)
    else:
        print_why(told)
