"""`aya import` and `aya claims`: what documents say, and what is to be thought of it."""

from pathlib import Path
from typing import Annotated

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, app, working


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An assessment of machines in Markdown.")],
    kind: Annotated[str, typer.Option("--as", help="What it is; there is `document`.")] = "document",
    as_json: AsJson = False,
) -> None:
    """Record what a document says where nobody looked, and judge every statement of it.

    Exits with 3 when a statement is contradicted, or a secret stands in the file.
    """
    from aya.errors import UsageError
    from aya.operations.claims import import_document
    from aya.serve.cli.claims import print_imported
    from aya.serve.cli.output import print_json

    if kind != "document":
        raise UsageError(f"A file cannot be imported as {kind!r:.60}.", remedy="Say --as document.")
    with working(as_json) as context:
        done = import_document(context, str(file))
    if as_json:
        print_json(done)
    else:
        print_imported(done)
    if done.contradicted or done.secret_lines:
        raise typer.Exit(ExitCode.ATTENTION)


@app.command()
def claims(
    node: Annotated[str | None, typer.Argument(help="Only what is said of this node.")] = None,
    contradicted: Annotated[bool, typer.Option("--contradicted", help="Only what is contradicted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what documents say: line, claim, verdict, the evidence and the rule."""
    from aya.operations.show import show
    from aya.serve.cli.claims import print_claims
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        found = show(context, "claims", nodes=[node] if node else None)
    if contradicted:
        found = [one for one in found if one["verdict"] == "contradicted"]
    if as_json:
        print_json(found)
    else:
        print_claims(found)
