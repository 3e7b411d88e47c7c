"""`aya token`: who may come in from elsewhere."""

from typing import Annotated

import typer

from aya.serve.cli.app import AsJson, app, tell, working

token = typer.Typer(help="Tokens: who may come in from elsewhere, and for what.", no_args_is_help=True)
app.add_typer(token, name="token")


@token.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="What to call it: letters, digits, and . _ @ - after the first.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="read, sql, collect, verify or admin; may be repeated [default: read]."),
    ] = None,
    node: Annotated[
        str | None, typer.Option("--node", help="With scope collect: the one node that it may record.")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", help="After how long it is refused: 90d, 12h, 4w, or a day [default: never]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and show it, this once."""
    from aya.operations.operation import of
    from aya.operations.tokens import create_token
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        made = of(create_token)(context, name=name, scope=scope or ["read"], node=node, expires=expires)
    if as_json:
        print_json(made)
        return
    typer.echo(made.token)
    until = f"until {made.expires_at:%Y-%m-%d %H:%M} UTC" if made.expires_at else "until it is revoked"
    of_node = f" of {made.node_name}" if made.node_name else ""
    typer.echo(f"This is shown once. {made.name} may {', '.join(made.scopes)}{of_node}, {until}.", err=True)


@token.command("list")
def token_list(as_json: AsJson = False) -> None:
    """List all tokens; the tokens themselves are kept nowhere."""
    from aya.operations.tokens import list_tokens
    from aya.serve.cli.output import print_json, print_table

    with working(as_json) as context:
        found = list_tokens(context)
    if as_json:
        print_json(found)
        return
    shown = ("id", "name", "prefix", "scopes", "node", "status", "created", "expires", "last_used", "last_used_from")
    print_table(
        [
            {
                "id": one.id,
                "name": one.name,
                "prefix": one.prefix,
                "scopes": ", ".join(one.scopes),
                "node": one.node_name,
                "status": one.status,
                "created": one.created_at,
                "expires": one.expires_at,
                "last_used": one.last_used_at,
                "last_used_from": one.last_used_from,
            }
            for one in found
        ],
        shown,
    )


@token.command("revoke")
def token_revoke(
    name: Annotated[str | None, typer.Argument(help="Name or number of the token.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Revoke all of them, at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a token back; it is refused everywhere within a second."""
    from aya.operations.operation import of
    from aya.operations.tokens import revoke_token

    with working(as_json) as context:
        revoked = of(revoke_token)(context, name=name, every=every)
    tell(as_json, {"revoked": revoked}, f"Revoked: {', '.join(revoked)}." if revoked else "There was none to revoke.")
