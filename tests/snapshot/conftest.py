"""A verified snapshot, and one in a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aya.db.connection import Connection
from aya.db.database import Database
from aya.operations import audit
from aya.operations.context import Context
from aya.operations.snapshot_exports import FileVerification, export_snapshot
from aya.record.recorder import record
from aya.snapshot import snapshots
from tests.record.states import whole
from tests.snapshot.test_snapshots import PASS, checked


@pytest.fixture
def aya(context: Context, database: Database) -> Iterator[Context]:
    """An AYA with an empty database, no keys and no checkpoints."""
    yield context
    for folder, pattern in ((context.secrets_folder, "audit-*"), (audit.checkpoint_folder(context), "*")):
        for path in folder.glob(pattern):
            path.unlink()


@pytest.fixture
def exported(aya: Context, writer: Connection, tmp_path: Path) -> FileVerification:
    """A verified snapshot of ALPHA, named `one`, in a file."""
    record(writer, [whole()])
    checked(writer, PASS, PASS)
    snapshots.create(writer, "one", created_by="tester")
    return export_snapshot(aya, "one", tmp_path / "one.snapshot")
