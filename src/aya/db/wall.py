"""The wall around read-only SQL: whether the role that runs it may do more than read, and taking that away.

What counts is said once, in the view `aya.sql_gaps`.
"""

from dataclasses import dataclass

from aya.db.connection import Connection, rows

GAPS = "SELECT gap, mend FROM aya.sql_gaps ORDER BY gap"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the role of read-only SQL may do beyond reading."""

    gap: str
    mend: str | None
    """The SQL by which a superuser takes it away; None where somebody has to decide."""


def gaps(connection: Connection) -> list[Gap]:
    """What the role may do beyond reading; empty when the wall stands. Raises UndefinedTable before migration."""
    return [Gap(row["gap"], row["mend"]) for row in rows(connection, GAPS)]


def is_superuser(connection: Connection) -> bool:
    """Whether this connection may mend the wall: functions of PostgreSQL itself belong to superusers."""
    return bool(rows(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0]["rolsuper"])


def mend(connection: Connection) -> tuple[str, ...]:
    """Take away what the role may do beyond reading; what was taken. Needs a superuser."""
    found = [gap for gap in gaps(connection) if gap.mend is not None]
    for gap in found:
        connection.execute(gap.mend or "")
    return tuple(gap.gap for gap in found)
