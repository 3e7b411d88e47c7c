"""`aya retention`: let go what is older than is to be kept."""

from typing import TYPE_CHECKING, Annotated

import typer

from aya.serve.cli.app import AsJson, app, working

if TYPE_CHECKING:
    from aya.operations.retention import Retention


@app.command()
def retention(
    keep: Annotated[
        str | None, typer.Option("--keep", help="Keep for so long, as `90 days` [default: what the options say].")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Only these: changes, measurements, runs, checks; may be repeated."),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this it is only shown.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is older than is to be kept, and with --apply let it go; nothing loses its creation or last change."""
    from aya.operations.retention import apply_retention, show_retention
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        done = (apply_retention if apply else show_retention)(context, keep=keep, only=only or ())
    if as_json:
        print_json(done)
    else:
        _print_retention(done)


def _print_retention(done: "Retention") -> None:
    from rich.filesize import decimal

    from aya.serve.cli.output import console, print_table

    print_table(
        [
            {
                "table": share.table_name,
                "older than": share.before or "kept for ever",
                "rows": share.rows,
                "size": decimal(share.bytes),
                "oldest": share.oldest,
                "newest": share.newest,
            }
            for share in done.shares
        ],
        ("table", "older than", "rows", "size", "oldest", "newest"),
    )
    if done.applied:
        said = f"{done.rows:,} rows were let go." if done.rows else "Nothing was old enough to go."
    else:
        said = f"{done.rows:,} rows would go: `aya retention --apply`." if done.rows else "Nothing is old enough to go."
    console().print(f"\n{said}")
