"""AYA's part of the embedded server's configuration: where it listens, who gets in, where it logs."""

from collections.abc import Iterable
from pathlib import Path

SUPERUSER = "postgres"
DATABASE = "aya_rag"
SQL_ROLE = "aya_sql"
ROLES_BY_SOCKET = (SUPERUSER, "aya_writer", "aya_reader", SQL_ROLE)


def configuration(
    *, port: int, on_loopback: bool, socket_folder: Path, log_folder: Path, system_users: Iterable[str]
) -> dict[str, list[str]]:
    """The lines of `aya.conf`, `pg_hba.conf` and `pg_ident.conf`.

    `on_loopback`: listen on 127.0.0.1 beside the Unix socket. `system_users`: who may be which role through the socket.
    """
    return {
        "aya.conf": [
            "# Written by AYA at every start; set your own values in postgresql.conf or by ALTER SYSTEM.",
            f"port = {port}",
            f"listen_addresses = '{'127.0.0.1' if on_loopback else ''}'",
            f"unix_socket_directories = '{_quoted(socket_folder)}'",
            "unix_socket_permissions = 0700",
            "password_encryption = 'scram-sha-256'",
            "logging_collector = on",
            f"log_directory = '{_quoted(log_folder)}'",
            "log_filename = 'postgresql-%a.log'",
            "log_truncate_on_rotation = on",
            "log_rotation_age = 1d",
            "log_timezone = 'UTC'",
            "timezone = 'UTC'",
        ],
        "pg_hba.conf": [
            "# Written by AYA at every start. Unix socket: the kernel says who you are. TCP: a password, never trust.",
            "# Who runs read-only SQL sees one database and no other.",
            f"local {DATABASE} {SQL_ROLE} peer map=aya",
            f"host {DATABASE} {SQL_ROLE} 127.0.0.1/32 scram-sha-256",
            f"host {DATABASE} {SQL_ROLE} ::1/128 scram-sha-256",
            f"local all,replication {SQL_ROLE} reject",
            f"host all,replication {SQL_ROLE} all reject",
            "local all all peer map=aya",
            "local replication all peer map=aya",
            "host all all 127.0.0.1/32 scram-sha-256",
            "host all all ::1/128 scram-sha-256",
        ],
        "pg_ident.conf": [
            "# Written by AYA at every start: which system user may be which role.",
            *(f'aya "{user}" {role}' for user in dict.fromkeys(system_users) for role in ROLES_BY_SOCKET),
        ],
    }


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
