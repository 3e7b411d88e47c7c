"""`aya snapshot`: the whole state at one moment."""

from typing import Annotated

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, app, working

snapshot = typer.Typer(help="Snapshots of the whole state.", no_args_is_help=True)
app.add_typer(snapshot, name="snapshot")


@snapshot.command("create")
def snapshot_create(
    name: Annotated[str, typer.Argument(help="Its name, not yet taken.")],
    snapshot_type: Annotated[str, typer.Option("--type", help="baseline, production, manual, …")] = "manual",
    description: Annotated[str | None, typer.Option("--description", help="Why it is taken.")] = None,
    creator: Annotated[str | None, typer.Option("--by", help="Who takes it [default: the system user].")] = None,
    check: Annotated[
        bool, typer.Option("--verify", help="Run the checks first and let it carry their results.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take a snapshot of the recorded state."""
    from aya.operations.snapshots import create_snapshot
    from aya.operations.verification import verify as run_checks
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_snapshots

    with working(as_json) as context:
        verified = run_checks(context) if check else None
        taken = create_snapshot(
            context, name, snapshot_type=snapshot_type, description=description, created_by=creator, verified=verified
        )
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
def snapshot_verify(name: Annotated[str, typer.Argument(help="Which snapshot.")], as_json: AsJson = False) -> None:
    """Recompute a snapshot's hash; exit 3 when it is not what it was."""
    from aya.operations.snapshots import verify_snapshot
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_verification

    with working(as_json) as context:
        found = verify_snapshot(context, name)
    if as_json:
        print_json(
            {"snapshot": name, "intact": found.intact, "state_hash": found.state_hash, "problems": found.problems}
        )
    else:
        print_verification(found)
    if not found.intact:
        raise typer.Exit(ExitCode.ATTENTION)


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
