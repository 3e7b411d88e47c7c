"""From nothing to the truth about this machine: server, schema, facts, checks, snapshot. Doing it again changes only
what changed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from aya.db.database import Login
from aya.db.migrate import Migrated, migrate
from aya.errors import AuditError, HostError
from aya.operations.audit import Sealed, seal
from aya.operations.collection import Collection, collect
from aya.operations.context import Context
from aya.operations.operation import operation
from aya.operations.retention import Retention, retention_as_set
from aya.operations.snapshots import create_snapshot
from aya.operations.verification import Verified, verify
from aya.snapshot import snapshots
from aya.snapshot.canonical import canonical, digest
from aya.snapshot.snapshots import Snapshot
from aya.verify.confinement import get_ready

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
    retention: Retention | None = None
    """What was let go; None when that was not due, or nobody set for how long things are kept."""


@operation(command="up", writes=True)
def up(context: Context, *, let_go: bool = False) -> Up:
    """Start, migrate, collect, verify, snapshot the state unless the newest snapshot already holds it, and seal the log.

    `let_go`: also let go what is older than the options say, if they do.
    """
    get_ready()
    context.progress("starting PostgreSQL")
    started = context.database.start()
    context.progress("migrating the database")
    migrated = migrate(context.database)
    collection = collect(context)
    verified = verify(context)
    context.progress("taking a snapshot")
    snapshot, taken = _snapshot(context)
    context.progress("sealing the log")
    try:
        sealed, problem = seal(context), ""
    except (
        AuditError,
        HostError,
    ) as error:  # a lost key or a closed folder must be said, but is no reason to stop looking
        sealed, problem = None, str(error)
    retained = retention_as_set(context) if let_go and sealed is not None else None
    return Up(started, migrated, collection, verified, snapshot, taken, sealed, problem, retained)


def _snapshot(context: Context) -> tuple[Snapshot, bool]:
    with context.database.connect(Login.READER) as connection:
        existing = snapshots.listing(connection)
        state_hash = digest(canonical(snapshots.read_state(connection).document))
    if existing and existing[0].state_hash == state_hash:
        return existing[0], False
    first = not any(BASELINE in (snapshot.snapshot_type, snapshot.snapshot_name) for snapshot in existing)
    name = BASELINE if first else f"up-{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    described = "The first complete state." if first else "The state changed since the snapshot before."
    snapshot = create_snapshot(context, name, snapshot_type=BASELINE if first else "production", description=described)
    return snapshot, True
