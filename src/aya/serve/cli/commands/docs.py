"""`aya docs`: the documents of the fleet that are kept."""

from typing import TYPE_CHECKING, Annotated

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, NodeOption, app, working

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aya.documentation.record import DocumentRecorded

docs = typer.Typer(help="The documents of the fleet: recorded, looked at again, compared.", no_args_is_help=True)
app.add_typer(docs, name="docs")

Number = Annotated[int, typer.Argument(min=1, help="Its number, as `aya docs list` has it.")]


@docs.command("add")
def docs_add(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, and folders with all files in them.")],
    category: Annotated[str | None, typer.Option("--category", help="master_plan, verification, …")] = None,
    description: Annotated[str | None, typer.Option("--description", help="What it is about.")] = None,
    copies: Annotated[
        list[str] | None, typer.Option("--copy", help="Where a copy of it is kept; may be repeated.")
    ] = None,
    as_json: AsJson = False,
    node: NodeOption = None,
) -> None:
    """Record files of this machine as documents, without their secrets; exit 3 when one could not be read."""
    from aya.operations.documentation import add_documents

    with working(as_json, node=node) as context:
        done = add_documents(context, paths, category=category, description=description, copies=copies)
    _show_recorded(done, as_json, "There is no file in it.")


@docs.command("scan")
def docs_scan(as_json: AsJson = False, node: NodeOption = None) -> None:
    """Look again at every recorded document of this machine and its copies; exit 3 when one is missing or a copy differs."""
    from aya.operations.documentation import scan_documents

    with working(as_json, node=node) as context:
        done = scan_documents(context)
    _show_recorded(done, as_json, "No document of this machine is recorded: `aya docs add PATH`.")


def _show_recorded(done: "Sequence[DocumentRecorded]", as_json: bool, empty: str) -> None:
    from aya.serve.cli.output import print_json, print_table

    if as_json:
        print_json(done)
    else:
        columns = ("id", "file_path", "change", "file_size_bytes", "secrets_on_lines", "copies", "reason")
        print_table([_line(one) for one in done], columns, empty=empty)
    if any(one.needs_attention for one in done):
        raise typer.Exit(ExitCode.ATTENTION)


def _line(one: "DocumentRecorded") -> dict[str, object]:
    return {
        "id": one.id,
        "file_path": one.file_path,
        "change": one.change.value,
        "file_size_bytes": one.file_size_bytes,
        "secrets_on_lines": _numbers(one.secret_lines),
        "copies": _copies(one.sync_status),
        "reason": one.reason,
    }


@docs.command("list")
def docs_list(
    category: Annotated[str | None, typer.Option("--category", help="Only those of this category.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the latest version of each document."""
    from dataclasses import asdict

    from aya.operations.documentation import list_documentation
    from aya.serve.cli.output import print_json, print_table

    with working(as_json) as context:
        found = list_documentation(context, category=category)
    if as_json:
        print_json(found)
        return
    print_table(
        [
            {**asdict(one), "secrets_on_lines": _numbers(one.secret_lines), "copies": _copies(one.sync_status)}
            for one in found
        ],
        (
            "id", "file_path", "node_name", "category", "description", "file_size_bytes", "versions", "secrets_on_lines",
            "copies", "missing_since", "text_problem", "updated_at",
        ),
        empty="No document is recorded: `aya docs add PATH`.",
    )  # fmt: skip


@docs.command("show")
def docs_show(number: Number, as_json: AsJson = False) -> None:
    """Print the text of a document; with --json all that is recorded of it."""
    from aya.operations.documentation import get_documentation_file
    from aya.serve.cli.output import console, print_json

    with working(as_json) as context:
        found = get_documentation_file(context, number)
    if as_json:
        print_json(found)
    else:
        said = found.content if found.content is not None else f"Its text is not kept: {found.text_problem}."
        _print_lines(said.splitlines())
        if found.secret_lines:
            console().print(f"\nSecrets were taken out on lines {_numbers(found.secret_lines)}.")


@docs.command("diff")
def docs_diff(
    number: Number,
    against: Annotated[
        int | None, typer.Option("--against", min=1, help="The version to compare with [default: the one before].")
    ] = None,
    disk: Annotated[bool, typer.Option("--disk", help="Compare with the file as it is on this machine now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show which lines differ between two versions of a document; exit 3 when some do."""
    from aya.operations.documentation import diff_documentation_file
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        found = diff_documentation_file(context, number, against=against, disk=disk)
    if as_json:
        print_json(found)
    else:
        _print_lines(found.lines or [f"{found.old} and {found.new} are the same."])
    if found.lines:
        raise typer.Exit(ExitCode.ATTENTION)


def _print_lines(lines: "Sequence[str]") -> None:
    """A document's lines: neither the terminal nor the markup obeys anything in them."""
    from aya.serve.cli.output import console, shown

    screen = console()
    for line in lines:
        screen.print(shown(line.replace("\t", "    ")))


def _numbers(lines: "Sequence[int]") -> str:
    return ", ".join(map(str, lines))


def _copies(status: "dict[str, str] | None") -> str:
    return "; ".join(f"{path}: {said}" for path, said in (status or {}).items())
