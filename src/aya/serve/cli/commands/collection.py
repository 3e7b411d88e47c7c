"""`aya collection`: states that were looked at elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from aya.serve.cli.app import AsJson, app, tell, working

collection = typer.Typer(help="States that were looked at elsewhere.", no_args_is_help=True)
app.add_typer(collection, name="collection")


@collection.command("record")
def collection_record(
    file: Annotated[
        Path, typer.Argument(help="The state's document, as it waits in the spool of a node; - for stdin.")
    ],
    as_json: AsJson = False,
) -> None:
    """Record a state that was carried here as a file."""
    import sys

    from aya.errors import PayloadRefused, UsageError
    from aya.operations.delivery import record_collection
    from aya.operations.operation import of
    from aya.strict_json import read_json

    with working(as_json) as context:
        try:
            data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error}.", remedy="Name the file of a state.") from error
        document = read_json(data, what=str(file))
        if not isinstance(document, dict) or set(document) != {"kind", "schema_version", "state"}:
            raise PayloadRefused(f"{file} is not the document of a state.", remedy="docs/delivery.md describes it.")
        done = of(record_collection)(context, **document)
    told = f"Recorded {done.node_name}: {done.inserted} new, {done.updated} changed, {done.vanished} gone."
    tell(as_json, done, told)
