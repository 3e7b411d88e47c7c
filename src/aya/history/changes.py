"""The log of changes: what changed, between when and when, by whom and why."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import NotFound, UsageError

VERIFICATION_STATUSES = ("verified", "refuted", "pending")


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the log; what was said of it later is in its verification columns."""

    id: int
    created_at: datetime
    node_name: str | None
    section: str | None
    change_type: str | None
    table_affected: str | None
    record_id: int | None
    fact: str | None
    action: str
    change_description: str
    old_value: dict[str, Any] | None
    new_value: dict[str, Any] | None
    changed_by: str | None
    change_reason: str | None
    run_id: int | None
    happened_after: datetime | None
    happened_before: datetime | None
    session_role: str | None
    transaction_id: int
    verification_status: str | None
    verification_notes: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which changes; None lets all through."""

    node: str | None = None
    table: str | None = None
    section: str | None = None
    setting: str | None = None
    """Name of a PostgreSQL setting."""
    match: str | None = None
    """Text somewhere in what changed or its description."""
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    run: int | None = None


def changes(connection: Connection, wanted: Filter, *, limit: int = 100, after: int | None = None) -> list[Change]:
    """The newest `limit` changes that fit, oldest first; with `after` only those of a higher number."""
    if limit < 1:
        raise UsageError(f"{limit} changes cannot be shown.", remedy="Ask for at least one.")
    with translated(doing="reading the log of changes"):
        found = rows(connection, query("list_changes"), asdict(wanted) | {"limit": limit, "after": after, "ids": None})
    return [Change(**row) for row in found]


def change(connection: Connection, number: int) -> Change:
    """One change by its number. Raises NotFound."""
    with translated(doing=f"reading change {number}"):
        found = rows(connection, query("list_changes"), asdict(Filter()) | {"limit": 1, "after": None, "ids": [number]})
    if not found:
        raise NotFound(f"There is no change {number}.", remedy="`aya changes` lists the latest.")
    return Change(**found[0])


def horizon(connection: Connection) -> tuple[int, int]:
    """The transaction before which all are finished, and the one that will come next."""
    found = rows(
        connection,
        "SELECT pg_snapshot_xmin(s)::text AS finished, pg_snapshot_xmax(s)::text AS next FROM pg_current_snapshot() s",
    )[0]
    return int(found["finished"]), int(found["next"])


def newest(connection: Connection) -> int:
    """The number of the newest change; 0 when there is none."""
    return int(rows(connection, "SELECT coalesce(max(id), 0) AS id FROM change_log")[0]["id"])


def complete_since(connection: Connection) -> datetime | None:
    """From when on the log is complete, because older changes were pruned; None when none ever was."""
    since: datetime | None = rows(connection, "SELECT max(complete_since) AS since FROM aya.prunings")[0]["since"]
    return since


def note_verification(connection: Connection, number: int, status: str, notes: str) -> Change:
    """Say of a change that it was verified or refuted, and how. That is itself logged; the change's own row stays.

    Raises NotFound for an unknown change, UsageError for an unknown status or when nothing is said of how.
    """
    if status not in VERIFICATION_STATUSES:
        raise UsageError(f"{status} is no status.", remedy=f"There are: {', '.join(VERIFICATION_STATUSES)}.")
    if not notes.strip():
        raise UsageError("Say how it was verified.", remedy="Give --note.")
    with translated(doing=f"noting the verification of change {number}"):
        noted = rows(
            connection,
            "SELECT aya.note_verification(%(change)s, %(status)s, %(notes)s) AS id",
            {"change": number, "status": status, "notes": notes},
        )[0]["id"]
    if noted is None:
        raise NotFound(f"There is no change {number} that can be verified.", remedy="`aya changes` lists the latest.")
    return change(connection, number)
