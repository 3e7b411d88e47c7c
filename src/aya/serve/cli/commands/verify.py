"""`aya verify`: is it so?"""

from pathlib import Path
from typing import Annotated

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, app, working


@app.command()
def verify(
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this check; may be repeated.")] = None,
    node: Annotated[
        str | None, typer.Option("--node", help="A recorded node [default: AYA_NODE, else the host name].")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Also write the results to this file, as JUnit XML.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the checks there are, yours too, and run none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Test whether what is recorded of a node is so; exit 3 when something failed.

    Of another node than this machine what the network shows is tested; the rest is skipped.
    """
    from aya.operations.verification import list_checks
    from aya.operations.verification import verify as operation
    from aya.serve.cli.junit import write_junit
    from aya.serve.cli.output import print_json
    from aya.serve.cli.overview import print_check_list, print_checks

    with working(as_json) as context:
        if listed:
            entries = list_checks(context)
        else:
            done = operation(context, only=only or (), node=node)
    if listed:
        print_json(entries) if as_json else print_check_list(entries)
        return
    if as_json:
        print_json(done.results)
    else:
        print_checks(done)
    if junit is not None:
        write_junit(junit, node or context.settings.node, done.results)
    if any(result.outcome == "fail" for result in done.results):
        raise typer.Exit(ExitCode.ATTENTION)
