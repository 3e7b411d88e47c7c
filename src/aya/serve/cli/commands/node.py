"""`aya node`: decisions about a node that only people take."""

from typing import Annotated

import typer

from aya.serve.cli.app import AsJson, app, tell, working

node = typer.Typer(help="Decisions about a node that only people take.", no_args_is_help=True)
app.add_typer(node, name="node")


@node.command("approve")
def node_approve(
    name: Annotated[str, typer.Argument(metavar="NODE", help="The node whose machine was replaced.")],
    identity: Annotated[str, typer.Argument(help="The new machine, uuid:… or machine:…, as the refusal says it.")],
    as_json: AsJson = False,
) -> None:
    """Let a node be another machine from now on."""
    from aya.operations.delivery import approve_node
    from aya.operations.operation import of

    with working(as_json) as context:
        said = of(approve_node)(context, node=name, identity=identity)
    tell(as_json, {"node": name, "identity": identity}, said)
