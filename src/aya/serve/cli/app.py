"""The commands of `aya` and their options; each calls one operation and shows what it returns."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aya.errors import AyaError, ExitCode

if TYPE_CHECKING:
    from aya.operations.context import Context

app = typer.Typer(
    name="aya",
    help="AYA keeps one verified truth about machines in PostgreSQL.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="The database: start, stop, look, enter.", no_args_is_help=True)
snapshot = typer.Typer(help="Snapshots of the whole state.", no_args_is_help=True)
changes = typer.Typer(help="What changed, when, by whom and why.", invoke_without_command=True)
app.add_typer(db, name="db")
app.add_typer(changes, name="changes")
app.add_typer(snapshot, name="snapshot")

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


@app.command()
def up(
    once: Annotated[bool, typer.Option("--once", help="Do it once, instead of again and again until Ctrl-C.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document and nothing else; implies --once.")
    ] = False,
    node: NodeOption = None,
) -> None:
    """Make and keep the truth about this machine: server, schema, facts, checks, snapshot."""
    from aya.operations.up import up as operation
    from aya.serve.cli.documents import up_json
    from aya.serve.cli.overview import print_up, print_up_again

    with working(as_json, node=node) as context:
        done = operation(context)
    if as_json:
        from aya.serve.cli.output import print_json

        print_json(up_json(done, context))
    else:
        print_up(done)
    if once or as_json:
        raise typer.Exit(
            ExitCode.ATTENTION if any(r.outcome == "fail" for r in done.verified.results) else ExitCode.DONE
        )
    import time

    from aya.serve.cli.output import report_error

    while True:
        time.sleep(context.settings.interval_s)
        try:
            with working(False, node=node) as context:
                done = operation(context)
            print_up_again(done)
        except AyaError as error:
            report_error(error, as_json=False)  # the next round may well succeed


@app.command()
def collect(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only look and show; record nothing, need no database.")
    ] = False,
    as_json: AsJson = False,
    node: NodeOption = None,
) -> None:
    """Look at this machine and record what changed."""
    from aya.operations.collection import collect as operation
    from aya.serve.cli.documents import collection_json
    from aya.serve.cli.output import print_json
    from aya.serve.cli.overview import print_collection

    with working(as_json, node=node) as context:
        if not dry_run:
            context.database.start()
        done = operation(context, dry_run=dry_run)
    if as_json:
        print_json(collection_json(done))
    else:
        print_collection(done)


@app.command()
def show(
    section: Annotated[
        str, typer.Argument(help="What to show: system, node, settings, software, services, …")
    ] = "system",
    node: Annotated[
        list[str] | None, typer.Option("--node", help="Only this node; may be repeated [default: all].")
    ] = None,
    match: Annotated[str | None, typer.Option("--match", help="Only rows that hold this text somewhere.")] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Show what is recorded, now or as of a past moment."""
    from aya.operations.show import show as operation
    from aya.serve.cli.output import print_json
    from aya.serve.cli.sections import print_section

    with working(as_json) as context:
        found = operation(context, section, nodes=node, match=match, as_of=as_of)
    if as_json:
        print_json(found)
    else:
        print_section(section, found, match, as_of)


@changes.callback()
def list_changes(
    context: typer.Context,
    node: Annotated[str | None, typer.Option("--node", help="Only of this node.")] = None,
    table: Annotated[str | None, typer.Option("--table", help="Only of this table.")] = None,
    section: Annotated[
        str | None, typer.Option("--section", help="Only of this section: settings, software, …")
    ] = None,
    setting: Annotated[str | None, typer.Option("--setting", help="Only of this PostgreSQL setting.")] = None,
    match: Annotated[str | None, typer.Option("--match", help="Only those that hold this text.")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Only by this actor.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Logged since: `2026-11-20 14:00`, `2 hours ago`.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Logged until.")] = None,
    run: Annotated[int | None, typer.Option("--run", help="Only what this collection found.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="So many of the newest.")] = 50,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document; with -f one a line.")] = False,
) -> None:
    """List what changed, oldest first."""
    if context.invoked_subcommand is not None:
        return
    from aya.history.changes import Filter
    from aya.operations import changes as operations
    from aya.serve.cli.history import print_change_line, print_changes
    from aya.serve.cli.output import print_json, print_json_line

    wanted = Filter(
        node=node, table=table, section=section, setting=setting, match=match, actor=actor, run=run,
        since=operations.time_of(since), until=operations.time_of(until),
    )  # fmt: skip
    if follow:
        with working(True) as aya:
            for one in operations.follow_changes(aya, wanted, limit=limit):
                (print_json_line if as_json else print_change_line)(one)
    with working(as_json) as aya:
        found = operations.list_changes(aya, wanted, limit=limit)
    if as_json:
        print_json(found)
    else:
        print_changes(found)


@changes.command("verify")
def verify_change(
    number: Annotated[int, typer.Argument(help="Number of the change.")],
    status: Annotated[str, typer.Option("--status", help="verified, refuted or pending.")] = "verified",
    note: Annotated[str, typer.Option("--note", help="How it was verified.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say of a change that it was verified or refuted, and how; that is itself logged."""
    from aya.operations.changes import note_verification
    from aya.serve.cli.history import print_changes
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        noted = note_verification(context, number, status=status, note=note)
    if as_json:
        print_json(noted)
    else:
        print_changes([noted])


@app.command()
def why(
    node: Annotated[str, typer.Argument(help="The node.")],
    thing: Annotated[str, typer.Argument(help="A setting, package, service, schema object, or column of the node.")],
    limit: Annotated[int, typer.Option("--limit", help="So many of its newest changes.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Tell the changes of a thing, when each must have happened, and what else changed around it."""
    from aya.operations.changes import why as operation
    from aya.serve.cli.history import print_why
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        told = operation(context, node, thing, limit=limit)
    if as_json:
        print_json(told)
    else:
        print_why(told)


@app.command()
def verify(
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this check; may be repeated.")] = None,
    node: NodeOption = None,
    as_json: AsJson = False,
) -> None:
    """Test whether what is recorded of this machine is so; exit 3 when something failed."""
    from aya.operations.verification import verify as operation
    from aya.serve.cli.output import print_json
    from aya.serve.cli.overview import print_checks

    with working(as_json, node=node) as context:
        done = operation(context, only=only or ())
    if as_json:
        print_json(done.results)
    else:
        print_checks(done)
    if any(result.outcome == "fail" for result in done.results):
        raise typer.Exit(ExitCode.ATTENTION)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look for what is wrong with AYA itself, and say what to do; exit 3 when something is."""
    from aya.operations.doctor import doctor as operation
    from aya.serve.cli.output import print_json
    from aya.serve.cli.overview import print_diagnosis

    with working(as_json) as context:
        findings = operation(context)
    if as_json:
        print_json(findings)
    else:
        print_diagnosis(findings)
    if any(not finding.well for finding in findings):
        raise typer.Exit(ExitCode.ATTENTION)


@app.command()
def settings(as_json: AsJson = False) -> None:
    """Show every option, its value and where it was set."""
    from aya.serve.cli.output import print_json, print_table
    from aya.settings import describe

    rows = describe()
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("option", "value", "set_by", "help"))


@db.command("start")
def db_start(as_json: AsJson = False) -> None:
    """Start the embedded server, if it does not run."""
    from aya.operations.server import start_server

    with working(as_json) as context:
        started = start_server(context)
        server = str(context.database)
    _tell(as_json, {"started": started, "server": server}, f"{'Started' if started else 'Already running'}: {server}.")


@db.command("stop")
def db_stop(as_json: AsJson = False) -> None:
    """Stop the embedded server."""
    from aya.operations.server import stop_server

    with working(as_json) as context:
        stopped = stop_server(context)
    _tell(as_json, {"stopped": stopped}, "Stopped." if stopped else "It was not running.")


@db.command("status")
def db_status(as_json: AsJson = False) -> None:
    """Say whether the database can be reached, and where it is; exit 3 when it cannot."""
    from aya.operations.server import server_status
    from aya.serve.cli.output import print_json, print_table

    with working(as_json) as context:
        status = server_status(context)
    if as_json:
        print_json(status)
    else:
        print_table([{"what": name.replace("_", " "), "is": value} for name, value in status.items()], ("what", "is"))
    if not status["reachable"]:
        raise typer.Exit(ExitCode.ATTENTION)


@db.command("url")
def db_url(
    role: Annotated[
        str,
        typer.Option("--as", help="Log in as reader, writer or admin; an existing server as AYA_DATABASE_URL says."),
    ] = "writer",
    tcp: Annotated[bool, typer.Option("--tcp", help="By loopback TCP with a password; holds a secret.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a connection URL, for psql and other clients."""
    from aya.operations.server import connection_url

    with working(as_json) as context:
        url = connection_url(context, role, tcp=tcp)
    _tell(as_json, {"url": url}, url)


@db.command("psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def db_psql(
    arguments: typer.Context,
    role: Annotated[
        str,
        typer.Option("--as", help="Log in as reader, writer or admin; an existing server as AYA_DATABASE_URL says."),
    ] = "writer",
) -> None:
    """Open psql on the database; further arguments go to psql."""
    from aya.operations.server import open_psql

    with working(True) as context:
        open_psql(context, role, arguments.args)


@db.command("migrate")
def db_migrate(as_json: AsJson = False) -> None:
    """Bring the database to what this version of AYA needs."""
    from aya.operations.server import migrate_database

    with working(as_json) as context:
        done = migrate_database(context)
    told = (
        f"Applied {', '.join(done.applied + done.objects)}."
        if done.changed
        else "Nothing to do: the database is current."
    )
    _tell(as_json, {"migrations": done.applied, "objects": done.objects}, told)


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
        found, document = get_snapshot(context, name)
    if as_json:
        print_json({"snapshot": found, "state": document})
    else:
        print_snapshot(found, document)


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


@snapshot.command("diff")
def snapshot_diff(
    before: Annotated[str, typer.Argument(help="A snapshot.")],
    after: Annotated[str, typer.Argument(help="Another snapshot, or `now`.")] = "now",
    all_of_them: Annotated[bool, typer.Option("--all", help="Show every difference, however many are alike.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two snapshots, or one and now; exit 3 when something does. With --json: RFC 6902."""
    from aya.operations.snapshots import diff_snapshots
    from aya.serve.cli.output import print_json
    from aya.serve.cli.snapshots import print_differences

    with working(as_json) as context:
        differences, patch = diff_snapshots(context, before, after)
    if as_json:
        print_json(patch)
    else:
        print_differences(before, after, differences, all_of_them=all_of_them)
    if differences:
        raise typer.Exit(ExitCode.ATTENTION)


def _tell(as_json: bool, document: Any, line: str) -> None:
    if as_json:
        from aya.serve.cli.output import print_json

        print_json(document)
    else:
        typer.echo(line)
