"""`aya mcp`: AYA for agents, on standard input and output."""

from typing import Annotated

import typer

from aya.serve.cli.app import NodeOption, app, working


@app.command()
def mcp(
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", help="Beside reading and read-only SQL, allow this scope: verify; may be repeated."),
    ] = None,
    node: NodeOption = None,
) -> None:
    """Serve an agent's client (MCP) on standard input and output, until input ends."""
    from aya.errors import UsageError
    from aya.operations.operation import Scope
    from aya.serve.mcp.transports import WITHOUT_ASKING, serve_stdio

    for name in allow or ():
        if name not in list(Scope):
            raise UsageError(f"There is no scope {name}.", remedy=f"There are: {', '.join(Scope)}.")
    with working(True, node=node) as context:
        serve_stdio(context, WITHOUT_ASKING | {Scope(name) for name in allow or ()})
