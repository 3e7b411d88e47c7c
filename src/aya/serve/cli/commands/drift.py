"""`aya drift`: how nodes differ."""

from typing import Annotated

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, AsOf, app, working


@app.command()
def drift(
    nodes: Annotated[
        list[str] | None, typer.Argument(help="Only these nodes; one alone is compared with all others [default: all].")
    ] = None,
    section: Annotated[
        list[str] | None,
        typer.Option(
            "--section",
            help="Only this: failover, instances, node, schemas, services, settings or software; may be repeated.",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            help="Compare with a node, or each node with itself in a snapshot or at a moment, or with a node in one: "
            "ALPHA@baseline [default: with what most nodes have].",
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also what differs between machines by nature: folders, addresses, names, ports."),
    ] = False,
    stale_after: Annotated[
        str | None,
        typer.Option(
            "--stale-after", help="What was not looked at for so long is not known [default: three intervals]."
        ),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Show how nodes differ, who is alone with what, and what would break a failover; exit 3 when something does."""
    from aya.operations.drift import find_drift
    from aya.serve.cli.drift import print_drift
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        found = find_drift(
            context,
            nodes=nodes or (),
            sections=section or (),
            baseline=baseline,
            everything=everything,
            stale_after=stale_after,
            as_of=as_of,
        )
    if as_json:
        print_json(found)
    else:
        print_drift(found)
    if found.attention:
        raise typer.Exit(ExitCode.ATTENTION)
