"""`aya doctor` and `aya settings`: AYA itself."""

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, app, working


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look for what is wrong with AYA itself, and say what to do; exit 3 when something is."""
    from aya.operations.doctor import doctor as operation
    from aya.serve.cli.output import print_json
    from aya.serve.cli.overview import print_diagnosis

    with working(as_json) as context:
        findings = operation(context)
    if as_json:
        print_json(findings)
    else:
        print_diagnosis(findings)
    if any(not finding.well for finding in findings):
        raise typer.Exit(ExitCode.ATTENTION)


@app.command()
def settings(as_json: AsJson = False) -> None:
    """Show every option, its value and where it was set."""
    from aya.serve.cli.output import print_json, print_table
    from aya.settings import describe

    rows = describe()
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("option", "value", "set_by", "help"))
