"""The commands of `aya audit`, and what people see of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, app, working

if TYPE_CHECKING:
    from aya.audit.verify import Report

audit = typer.Typer(
    help="Proof that the log of changes is whole: seals, checkpoints, verification.", no_args_is_help=True
)
app.add_typer(audit, name="audit")

Keys = Annotated[list[str] | None, typer.Option("--key", help="A verifier key to trust; may be repeated.")]


@audit.command("seal")
def seal(as_json: AsJson = False) -> None:
    """Seal what was logged, and keep a checkpoint; `aya up` does so by itself."""
    from aya.operations.audit import seal as operation
    from aya.serve.cli.output import console, print_json, shown

    with working(as_json) as context:
        done = operation(context)
    if as_json:
        print_json(done)
        return
    screen = console()
    screen.print(
        f"Sealed {done.changes:,} changes in {done.seals} seals; {done.tree_size:,} in all."
        if done.seals
        else f"Nothing new to seal; {done.tree_size:,} changes are sealed."
    )
    if done.checkpoint is not None:
        screen.print(f"Root {done.root}\nCheckpoint: {shown(str(done.checkpoint))}")


@audit.command("verify")
def verify(
    file: Annotated[Path | None, typer.Argument(help="An export or a proof to verify instead of the database.")] = None,
    keys: Keys = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="A checkpoint that was kept elsewhere.")
    ] = None,
    since: Annotated[Path | None, typer.Option("--since", help="A trusted checkpoint to start from.")] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute the whole log and name what is wrong; exit 3 when something is."""
    from aya.operations.audit import verify_file, verify_log
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        if file is not None:
            report = verify_file(context, file, keys=tuple(keys or ()), checkpoint=checkpoint)
        else:
            report = verify_log(context, keys=tuple(keys or ()), checkpoint=checkpoint, since=since)
    if as_json:
        print_json({"whole": report.whole, "report": report})
    else:
        _print_report(report)
    if not report.whole:
        raise typer.Exit(ExitCode.ATTENTION)


def _print_report(report: "Report") -> None:
    from aya.serve.cli.output import console, shown

    screen = console()
    for problem in report.problems:
        screen.print(f"[bold red]wrong[/]  {shown(problem.said)}")
    if report.problems_in_all > len(report.problems):
        screen.print(f"… and {report.problems_in_all - len(report.problems):,} more")
    for remark in report.remarks:
        screen.print(f"[yellow]note[/]   {shown(remark)}")
    counted = f"{report.changes:,} changes in {report.seals:,} seals recomputed"
    counted += f", {report.pruned:,} pruned" if report.pruned else ""
    counted += f", {report.unsealed:,} not sealed yet" if report.unsealed else ""
    counted += f", {report.checkpoints} kept checkpoints fit" if report.checkpoints else ""
    word = "[green]whole[/]" if report.whole else "[bold red]not whole[/]"
    screen.print(f"{word}  {counted}.")


@audit.command("checkpoint")
def checkpoint(
    to: Annotated[Path | None, typer.Option("--to", help="Write it to this file as well.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the newest signed checkpoint (C2SP); keep it where the database's keeper cannot reach it."""
    from aya.operations.audit import newest_checkpoint
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        note = newest_checkpoint(context, to)
    if as_json:
        print_json({"checkpoint": note})
    else:
        typer.echo(note, nl=False)


@audit.command("prove")
def prove(change: Annotated[int, typer.Argument(help="Number of the change.")]) -> None:
    """Print the proof that a change is in the log, as JSON; `aya audit verify FILE` verifies it anywhere."""
    from aya.operations.audit import prove as operation
    from aya.serve.cli.output import print_json

    with working(True) as context:
        proof = operation(context, change)
    print_json(proof.document())


@audit.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="File to write; compressed when it ends in .gz.")],
    as_json: AsJson = False,
) -> None:
    """Write the log with its seals and keys into one file, to be verified on any machine."""
    from aya.operations.audit import export as operation
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        count = operation(context, file)
    if as_json:
        print_json({"file": str(file), "changes": count})
    else:
        typer.echo(f"Wrote {count:,} changes to {file}.")


@audit.command("keys")
def keys(as_json: AsJson = False) -> None:
    """List the public keys that signed, to be given to those who verify."""
    from aya.operations.audit import list_keys
    from aya.serve.cli.output import print_json, print_table

    with working(as_json) as context:
        found = list_keys(context)
    if as_json:
        print_json(found)
    else:
        print_table(
            found,
            ("verifier_key", "first_seal", "introduced_at", "here"),
            empty="No key has signed yet: `aya audit seal`.",
        )


@audit.command("rotate")
def rotate(
    lost: Annotated[bool, typer.Option("--lost", help="The old key is lost: go on without its word.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a new key sign from the next seal on, vouched for by the old one."""
    from aya.operations.audit import rotate_key
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        key = rotate_key(context, lost=lost)
    if as_json:
        print_json({"verifier_key": key})
    else:
        typer.echo(key)
