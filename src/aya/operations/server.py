"""The server that holds AYA's database: start, stop, look, enter, migrate."""

import shutil
from collections.abc import Sequence
from typing import Annotated, Any

from aya.db.connection import parted_from_password, rows, translated
from aya.db.database import Login
from aya.db.migrate import Migrated, is_current, migrate, set_passwords
from aya.db.programs import packaged_programs
from aya.errors import AyaError, UsageError
from aya.host.process import become
from aya.operations.context import Context
from aya.operations.operation import Kind, operation

PEOPLE = {"reader": Login.SQL, "writer": Login.WRITER, "admin": Login.ADMIN}
"""As whom people enter the database with clients of their own."""


@operation(command="db start", writes=True)
def start_server(context: Context) -> bool:
    """Start the embedded server if it does not run; True if this call started it."""
    database = context.database
    started = database.start()
    if database.is_embedded and database.server.status().tcp_port and server_status(context)["reachable"]:
        set_passwords(database)
    return started


@operation(command="db stop", writes=True)
def stop_server(context: Context) -> bool:
    """Stop the embedded server; True if this call stopped it. Raises UsageError when the server is not AYA's own."""
    if not context.database.is_embedded:
        raise UsageError("The server is not AYA's own.", remedy="Unset AYA_DATABASE_URL, or stop it where it runs.")
    return context.database.server.stop()


@operation(command="db status")
def server_status(context: Context) -> dict[str, Any]:
    """Whether the database can be reached, where it is, and what it is."""
    database = context.database
    status: dict[str, Any] = {"kind": "embedded" if database.is_embedded else "existing", "where": str(database)}
    if database.is_embedded:
        server = database.server.status()
        status |= {
            "running": server.running,
            "process_id": server.process_id,
            "data_folder": str(server.data_folder),
            "socket_folder": str(server.socket_folder),
            "tcp_port": server.tcp_port,
            "log_folder": str(server.log_folder),
        }
    try:
        with database.connect(Login.ADMIN) as connection, translated(doing="asking the server"):
            said = rows(
                connection,
                "SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size_bytes",
            )[0]
            status |= {"reachable": True, "version": said["version"], "database_size_bytes": said["size_bytes"]}
            status["current"] = is_current(connection)
    except AyaError as error:
        status |= {"reachable": False, "reason": error.message}
    return status


@operation(command="db url", kind=Kind.TEXT)
def connection_url(
    context: Context,
    role: Annotated[str, "Log in as reader (the role of read-only SQL), writer or admin."] = Login.WRITER,
    *,
    tcp: Annotated[bool, "By loopback TCP with a password; holds a secret."] = False,
) -> str:
    """A URL for psql and other clients: through the Unix socket, or by loopback TCP with the role's password."""
    login = _login(role)
    return context.database.tcp_url(login) if tcp else context.database.url(login)


@operation(command="db psql", writes=True)
def open_psql(
    context: Context,
    role: Annotated[str, "Log in as reader (the role of read-only SQL), writer or admin."] = Login.WRITER,
    arguments: Annotated[Sequence[str], "Further arguments of psql."] = (),
) -> None:
    """Replace this program by psql: the system's own where there is one, else that of the wheel. Does not return."""
    program = shutil.which("psql") or str(packaged_programs() / "psql")
    login = _login(role)
    context.database.connect(Login.ADMIN).close()
    # Everybody can read the arguments of a process.
    url, password = parted_from_password(context.database.url(login))
    become([program, url, *arguments], {"PGPASSWORD": password} if password else {})


@operation(command="db migrate", writes=True)
def migrate_database(context: Context) -> Migrated:
    """Bring the database to what this version of AYA needs, starting the embedded server first."""
    context.database.start()
    return migrate(context.database)


def _login(role: str) -> Login:
    if role not in PEOPLE:
        raise UsageError(f"There is no login {role}.", remedy=f"There are: {', '.join(PEOPLE)}.")
    return PEOPLE[role]
