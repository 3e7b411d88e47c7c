"""Take, list, show, verify and compare snapshots."""

from aya.db.database import Login
from aya.errors import UsageError
from aya.operations.context import Context
from aya.operations.verification import Verified
from aya.snapshot import snapshots
from aya.snapshot.diff import Difference, diff, json_patch
from aya.snapshot.document import Document, read_document
from aya.snapshot.snapshots import Snapshot, Verification

NOW = "now"
"""Stands for the state as it is recorded now, where a snapshot is named."""


def create_snapshot(
    context: Context,
    name: str,
    *,
    snapshot_type: str = "manual",
    description: str | None = None,
    created_by: str | None = None,
    verified: Verified | None = None,
) -> Snapshot:
    """Take a snapshot of the recorded state of all nodes. Without results of checks it is `unverified`."""
    if name == NOW:
        raise UsageError(f"No snapshot can be named {NOW}.", remedy="It stands for the state as it is recorded now.")
    with context.database.connect() as connection:
        return snapshots.create(
            connection,
            name,
            snapshot_type=snapshot_type,
            description=description,
            created_by=created_by or context.settings.actor,
            results=verified.results if verified else (),
            result_ids=verified.ids if verified else (),
        )


def list_snapshots(context: Context) -> list[Snapshot]:
    """All snapshots, newest first."""
    with context.database.connect(Login.READER) as connection:
        return snapshots.listing(connection)


def get_snapshot(context: Context, name: str) -> tuple[Snapshot, Document]:
    """A snapshot and its state document."""
    with context.database.connect(Login.READER) as connection:
        return snapshots.get(connection, name), snapshots.read(connection, name)


def verify_snapshot(context: Context, name: str) -> Verification:
    """Recompute a snapshot's hash and everything else that can be recomputed."""
    with context.database.connect(Login.READER) as connection:
        return snapshots.verify(connection, name)


def diff_snapshots(context: Context, before: str, after: str = NOW) -> tuple[list[Difference], list[dict[str, object]]]:
    """What differs between two snapshots, or a snapshot and now: for people, and as RFC 6902."""
    with context.database.connect(Login.READER) as connection:
        old, new = (
            read_document(connection) if name == NOW else snapshots.read(connection, name) for name in (before, after)
        )
    return diff(old, new), json_patch(old, new)
