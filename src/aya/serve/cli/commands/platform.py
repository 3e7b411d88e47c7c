"""`aya platform`: what is published of chips, and what is expected of a node by it."""

from typing import Annotated

import typer

from aya.errors import AyaError, ExitCode, NotFound
from aya.serve.cli.app import AsJson, AsOf, app, working


@app.command()
def platform(
    name: Annotated[str | None, typer.Argument(help="A chip or a node [default: all chips].")] = None,
    systems: Annotated[
        bool, typer.Option("--systems", help="Which system came with which kernel; a kernel may be named.")
    ] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Show what is published of a chip, or what is expected of a node beside what is recorded; exit 3 when that differs."""
    from aya.operations.platform import expect_of_node, list_chips, list_operating_systems
    from aya.serve.cli.output import print_json
    from aya.serve.cli.platform import print_chip, print_chips, print_expected, print_systems

    if systems:
        with working(as_json) as context:
            kernels = list_operating_systems(context, kernel=name)
        print_json(kernels) if as_json else print_systems(kernels)
        return
    with working(as_json) as context:
        try:
            found = list_chips(context, name=name)
        except NotFound as unknown:
            found = None
            try:
                expected = expect_of_node(context, name or "", as_of=as_of)
            except AyaError as error:
                raise NotFound(
                    f"{unknown.message} Nor is it a node that could be looked up: {error.message}",
                    remedy=unknown.remedy,
                ) from None
    if found is None:
        print_json(expected) if as_json else print_expected(name or "", expected)
        if any(one.agrees is False for one in expected):
            raise typer.Exit(ExitCode.ATTENTION)
    elif as_json:
        print_json(found.document())
    elif name is None:
        print_chips(found.chips)
    else:
        print_chip(found.chips)
