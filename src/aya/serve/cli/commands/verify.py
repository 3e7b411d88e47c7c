"""`aya verify`: is it so?"""

from typing import Annotated

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, NodeOption, app, working


@app.command()
def verify(
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this check; may be repeated.")] = None,
    node: NodeOption = None,
    as_json: AsJson = False,
) -> None:
    """Test whether what is recorded of this machine is so; exit 3 when something failed."""
    from aya.operations.verification import verify as operation
    from aya.serve.cli.output import print_json
    from aya.serve.cli.overview import print_checks

    with working(as_json, node=node) as context:
        done = operation(context, only=only or ())
    if as_json:
        print_json(done.results)
    else:
        print_checks(done)
    if any(result.outcome == "fail" for result in done.results):
        raise typer.Exit(ExitCode.ATTENTION)
