"""What all commands of `aya` share. A command is a function in `commands/`: it calls one operation and shows what it
returns; the modules there are discovered.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aya.serve.cli import commands

if TYPE_CHECKING:
    from typer.core import TyperGroup

    from aya.operations.context import Context

app = typer.Typer(
    name="aya",
    help="AYA keeps one verified truth about machines in PostgreSQL.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
NodeOption = Annotated[
    str | None, typer.Option("--node", help="Name of this node [default: AYA_NODE, else the host name].")
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="As it was then: `2026-11-20 14:00`, `2 hours ago`, or #812 for right after change 812."
    ),
]


@contextmanager
def working(as_json: bool, **flags: Any) -> Iterator["Context"]:
    """The options, with progress shown to those who wait."""
    import logging

    from aya.operations.context import Context
    from aya.serve.cli.output import progress
    from aya.settings import load

    settings = load(**flags)
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s: %(name)s: %(message)s")
    with progress(quiet=as_json) as say:
        yield Context(settings, say)


@app.callback(invoke_without_command=True)
def options(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    """Options that stand before a command."""
    if version:
        from aya import __version__

        typer.echo(f"aya {__version__}")
        raise typer.Exit


def tell(as_json: bool, document: Any, line: str) -> None:
    """One line for people, or with --json one document."""
    if as_json:
        from aya.serve.cli.output import print_json

        print_json(document)
    else:
        typer.echo(line)


def complete() -> "TyperGroup":
    """The command line with all its commands: those that are presented, and one for each operation that is not."""
    from aya.serve.cli.generated import add_generated

    for module in sorted(entry.name for entry in iter_modules(commands.__path__)):
        import_module(f"{commands.__name__}.{module}")
    whole = typer.main.get_command(app)
    assert isinstance(whole, typer.core.TyperGroup)
    add_generated(whole)
    return whole
