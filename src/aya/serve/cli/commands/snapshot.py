"""`aya snapshot`: the whole state at one moment."""

from pathlib import Path
from typing import Annotated

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, app, working

snapshot = typer.Typer(help="Snapshots of the whole state.", no_args_is_help=True)
app.add_typer(snapshot, name="snapshot")

Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="Of a file: a verifier key to trust (`aya audit keys` there); may be repeated."),
]
OnlyNodes = Annotated[list[str] | None, typer.Option("--node", help="Only this node; may be repeated.")]


@snapshot.command("create")
def snapshot_create(
    name: Annotated[str, typer.Argument(help="Its name, not yet taken.")],
    snapshot_type: Annotated[str, typer.Option("--type", help="baseline, production, manual, …")] = "manual",
    description: Annotated[str | None, typer.Option("--description", help="Why it is taken.")] = None,
    creator: Annotated[str | None, typer.Option("--by", help="Who takes it [default: the system user].")] = None,
    check: Annotated[
        bool, typer.Option("--verify", help="Run the checks first, so that their results vouch for it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take a snapshot of the recorded state."""
    from aya.operations.snapshots import create_snapshot
    from aya.operations.verification import verify as run_checks
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_snapshots

    with working(as_json) as context:
        if check:
            run_checks(context)
        taken = create_snapshot(context, name, snapshot_type=snapshot_type, description=description, created_by=creator)
    if as_json:
        print_json(taken)
    else:
        print_snapshots([taken])


@snapshot.command("list")
def snapshot_list(as_json: AsJson = False) -> None:
    """List all snapshots, newest first."""
    from aya.operations.snapshots import list_snapshots
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_snapshots

    with working(as_json) as context:
        found = list_snapshots(context)
    if as_json:
        print_json(found)
    else:
        print_snapshots(found)


@snapshot.command("show")
def snapshot_show(name: Annotated[str, typer.Argument(help="Which snapshot.")], as_json: AsJson = False) -> None:
    """Show a snapshot; with --json its whole document."""
    from aya.operations.snapshots import get_snapshot
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_snapshot

    with working(as_json) as context:
        found = get_snapshot(context, name)
    if as_json:
        print_json(found)
    else:
        print_snapshot(found.snapshot, found.state)


@snapshot.command("verify")
def snapshot_verify(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A snapshot, or the file of an export.")],
    keys: Keys = None,
    as_json: AsJson = False,
) -> None:
    """Recompute a snapshot's hashes, status and proof; a file without any database. Exit 3 when it does not hold."""
    from aya.operations.snapshot_exports import is_file, verify_snapshot_file
    from aya.operations.snapshots import verify_snapshot
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_file_verification, print_verification

    if is_file(name):
        with working(as_json) as context:
            file = verify_snapshot_file(context, Path(name), keys=keys or ())
        if as_json:
            print_json({"intact": file.intact, "export": file})
        else:
            print_file_verification(file)
        intact = file.intact
    else:
        with working(as_json) as context:
            found = verify_snapshot(context, name)
        if as_json:
            print_json(
                {"snapshot": name, "intact": found.intact, "state_hash": found.state_hash, "problems": found.problems}
            )
        else:
            print_verification(found)
        intact = found.intact
    if not intact:
        raise typer.Exit(ExitCode.ATTENTION)


@snapshot.command("export")
def snapshot_export(
    name: Annotated[str, typer.Argument(help="Which snapshot.")],
    file: Annotated[Path, typer.Argument(help="File to write.")],
    as_json: AsJson = False,
) -> None:
    """Write a snapshot with its checks and proofs into one file, which any machine verifies offline."""
    from aya.operations.snapshot_exports import export_snapshot
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_exported

    with working(as_json) as context:
        done = export_snapshot(context, name, file)
    if as_json:
        print_json({"file": str(file), "export": done})
    else:
        print_exported(done)


@snapshot.command("import")
def snapshot_import(
    file: Annotated[Path, typer.Argument(help="The file of an export.")],
    nodes: OnlyNodes = None,
    keys: Keys = None,
    label: Annotated[
        str | None,
        typer.Option("--origin", help="Label that their names begin with [default: out of the name of the log]."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="In the place of nodes that were imported under these names before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Record the nodes of an exported snapshot as foreign ones, named ORIGIN/NODE: shown and compared, never changed here."""
    from aya.operations.snapshot_exports import import_snapshot
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_restored

    with working(as_json) as context:
        done = import_snapshot(context, file, nodes=nodes or (), keys=keys or (), label=label, replace=replace)
    if as_json:
        print_json(done)
    else:
        print_restored(done, signer_known=bool(keys))


@snapshot.command("restore")
def snapshot_restore(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A snapshot, or the file of an export.")],
    nodes: OnlyNodes = None,
    keys: Keys = None,
    as_json: AsJson = False,
) -> None:
    """Record the nodes of a snapshot again as they were, bit by bit by hash; a node that is recorded is left alone."""
    from aya.operations.snapshot_exports import is_file, restore_snapshot
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_restored

    with working(as_json) as context:
        done = restore_snapshot(context, name, nodes=nodes or (), keys=keys or ())
    if as_json:
        print_json(done)
    else:
        print_restored(done, signer_known=bool(keys) or not is_file(name))


@app.command("diff")
@snapshot.command("diff")
def diff(
    before: Annotated[
        str, typer.Argument(help="A snapshot, a moment, a node, or a node at one of those: ALPHA@baseline.")
    ],
    after: Annotated[str, typer.Argument(help="Likewise, or `now`.")] = "now",
    all_of_them: Annotated[bool, typer.Option("--all", help="Show every difference, however many are alike.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two states: snapshots, moments, nodes; exit 3 when something does. With --json: RFC 6902."""
    from aya.operations.snapshots import diff_states
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_differences

    with working(as_json) as context:
        found = diff_states(context, before, after)
    if as_json:
        print_json(found.patch)
    else:
        print_differences(before, after, found.differences, all_of_them=all_of_them)
    if found.differences:
        raise typer.Exit(ExitCode.ATTENTION)
