"""Where benchmarks run: an AYA of its own, with a running, migrated database in a temporary folder."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aya.db.connection import Connection, rows
from aya.db.database import Login
from aya.db.migrate import migrate
from aya.operations.context import Context
from aya.settings import load


@dataclass(frozen=True, slots=True)
class Laboratory:
    """An AYA to measure, and how thoroughly."""

    context: Context
    quick: bool

    def empty(self) -> None:
        """Forget everything that was recorded, and that it was."""
        with self.context.database.connect(Login.ADMIN) as admin, admin.transaction(), self.unaudited(admin):
            guarded = append_only_tables(admin)
            for table in guarded:
                admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")  # type: ignore[arg-type]
            admin.execute(
                f"TRUNCATE {', '.join(guarded)}, aya.tokens, aya.deliveries, system_nodes RESTART IDENTITY CASCADE"
            )  # type: ignore[arg-type]
            for table in guarded:
                admin.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")  # type: ignore[arg-type]

    @contextmanager
    def unaudited(self, admin: Connection) -> Iterator[None]:
        """Meanwhile the triggers that log are out of force."""
        tables = [row["table_name"] for row in rows(admin, "SELECT table_name FROM aya.state_tables")]
        for how in ("DISABLE", "ENABLE ALWAYS"):
            for table in tables:
                for trigger in ("log_inserted", "log_updated", "log_deleted", "log_truncated"):
                    admin.execute(f"ALTER TABLE {table} {how} TRIGGER {trigger}")  # type: ignore[arg-type]
            if how == "DISABLE":
                yield

    def environment(self) -> dict[str, str]:
        """What a fresh `aya` process needs to use this AYA."""
        return os.environ | {"AYA_HOME": str(self.context.settings.home), "AYA_NODE": self.context.settings.node}


def append_only_tables(connection: Connection) -> list[str]:
    """The tables that only grow, unless somebody puts the trigger `append_only` aside."""
    found = rows(
        connection, "SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'append_only' ORDER BY 1"
    )
    return [row["name"] for row in found]


@contextmanager
def laboratory(*, quick: bool) -> Iterator[Laboratory]:
    """Make it, and leave nothing of it behind."""
    for name in [name for name in os.environ if name.startswith(("AYA_", "PG"))]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="aya-bench-", dir="/tmp"))
    home.chmod(0o755)
    context = Context(load(home=home, node="BENCH"))
    try:
        context.database.start()
        migrate(context.database)
        yield Laboratory(context, quick)
    finally:
        context.database.server.stop()
        shutil.rmtree(home)
