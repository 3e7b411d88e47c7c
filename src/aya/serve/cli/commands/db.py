"""`aya db`: the database that holds everything."""

from typing import Annotated

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, app, tell, working

db = typer.Typer(help="The database: start, stop, look, enter.", no_args_is_help=True)
app.add_typer(db, name="db")

As = Annotated[
    str,
    typer.Option(
        "--as",
        help="Log in as reader (runs read-only SQL), writer or admin; an existing server as AYA_DATABASE_URL says, "
        "but for the reader.",
    ),
]


@db.command("start")
def db_start(as_json: AsJson = False) -> None:
    """Start the embedded server, if it does not run."""
    from aya.operations.server import start_server

    with working(as_json) as context:
        started = start_server(context)
        server = str(context.database)
    tell(as_json, {"started": started, "server": server}, f"{'Started' if started else 'Already running'}: {server}.")


@db.command("stop")
def db_stop(as_json: AsJson = False) -> None:
    """Stop the embedded server."""
    from aya.operations.server import stop_server

    with working(as_json) as context:
        stopped = stop_server(context)
    tell(as_json, {"stopped": stopped}, "Stopped." if stopped else "It was not running.")


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
    role: As = "writer",
    tcp: Annotated[bool, typer.Option("--tcp", help="By loopback TCP with a password; holds a secret.")] = False,
    reader: Annotated[
        bool,
        typer.Option("--reader", help="Short for `--as reader --tcp`: what Grafana and people elsewhere read with."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a connection URL, for psql and other clients."""
    from aya.operations.server import connection_url

    with working(as_json) as context:
        url = connection_url(context, "reader" if reader else role, tcp=tcp or reader)
    tell(as_json, {"url": url}, url)


@db.command("psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def db_psql(
    arguments: typer.Context,
    role: As = "writer",
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
        f"Applied {', '.join((*done.applied, *done.objects))}."
        f"{f' Took away {len(done.mended)} rights that read-only SQL needs not.' if done.mended else ''}"
        if done.changed
        else "Nothing to do: the database is current."
    )
    tell(as_json, {"migrations": done.applied, "objects": done.objects, "mended": done.mended}, told)
