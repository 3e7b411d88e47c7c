"""`aya show`: what is recorded, now or then."""

from typing import Annotated

import typer

from aya.serve.cli.app import AsJson, AsOf, app, working


@app.command()
def show(
    section: Annotated[
        str, typer.Argument(help="What to show: system, settings, software, services, …, or the name of a node.")
    ] = "system",
    node: Annotated[
        list[str] | None, typer.Option("--node", help="Only this node; may be repeated [default: all].")
    ] = None,
    match: Annotated[str | None, typer.Option("--match", help="Only rows that hold this text somewhere.")] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Show what is recorded, now or as of a past moment."""
    from aya.errors import NotFound
    from aya.operations.show import sections
    from aya.operations.show import show as operation
    from aya.serve.cli.output import print_json
    from aya.serve.cli.sections import print_section

    with working(as_json) as context:
        found = None
        if section not in sections() and not node:
            try:
                found = operation(context, "node", nodes=[section], match=match, as_of=as_of)
                section = "node"
            except NotFound:  # nor is it a node: what there is to show is said below
                pass
        if found is None:
            found = operation(context, section, nodes=node, match=match, as_of=as_of)
    if as_json:
        print_json(found)
    else:
        print_section(section, found, match, as_of)
