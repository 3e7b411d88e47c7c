"""From nothing to the truth about this machine: server, schema, facts, checks, snapshot. Doing it again changes only
what changed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from aya.db.database import Login
from aya.db.migrate import Migrated, migrate
from aya.errors import AuditError
from aya.operations.audit import Sealed, seal
from aya.operations.collection import Collection, collect
from aya.operations.context import Context
from aya.operations.operation import operation
from aya.operations.snapshots import create_snapshot
from aya.operations.verification import Verified, verify
from aya.snapshot import snapshots
from aya.snapshot.canonical import canonical, digest
from aya.snapshot.document import read_document
from aya.snapshot.snapshots import Snapshot

BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Up:
    """What was done."""

    server_started: bool
    migrated: Migrated
    collection: Collection
    verified: Verified
    snapshot: Snapshot
    """The snapshot that holds this state: taken now, or earlier when nothing changed since."""
    snapshot_taken: bool
    sealed: Sealed | None
    """What was sealed; None when the log could not be, which `seal_problem` explains."""
    seal_problem: str


@operation(command="up", writes=True)
def up(context: Context) -> Up:
    """Start, migrate, collect, verify, snapshot the state unless the newest snapshot already holds it, and seal the log."""
    context.progress("starting PostgreSQL")
    started = context.database.start()
    context.progress("migrating the database")
    migrated = migrate(context.database)
    collection = collect(context)
    verified = verify(context)
    context.progress("taking a snapshot")
    snapshot, taken = _snapshot(context, verified)
    context.progress("sealing the log")
    try:
        sealed, problem = seal(context), ""
    except AuditError as error:  # a lost key must be said, but is no reason to stop looking
        sealed, problem = None, str(error)
    return Up(started, migrated, collection, verified, snapshot, taken, sealed, problem)


def _snapshot(context: Context, verified: Verified) -> tuple[Snapshot, bool]:
    with context.database.connect(Login.READER) as connection:
        existing = snapshots.listing(connection)
        state_hash = digest(canonical(read_document(connection)))
    if existing and existing[0].state_hash == state_hash:
        return existing[0], False
    first = not any(BASELINE in (snapshot.snapshot_type, snapshot.snapshot_name) for snapshot in existing)
    name = BASELINE if first else f"up-{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    described = "The first complete state." if first else "The state changed since the snapshot before."
    snapshot = create_snapshot(
        context, name, snapshot_type=BASELINE if first else "production", description=described, verified=verified
    )
    return snapshot, True
