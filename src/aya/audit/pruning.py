"""Take changes out of the log that nothing needs any more, by a signed statement; their hashes stay in the seals.

Which changes may go is decided in the database (`aya.prunable_changes`): no creation, no end, no last change of anything,
and nothing that is not sealed.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from aya.audit.note import SigningKey
from aya.audit.seal import known_keys
from aya.audit.verify import Numbers, Pruning
from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import AuditError, Pruned

MOST_CHANGES = 500_000
"""Changes in one pruning: so long a statement is signed at once."""


def prune(
    connection: Connection, key: SigningKey, before: datetime, progress: Callable[[str], None] = lambda _: None
) -> int:
    """Prune every change logged before that moment that may go, oldest first; how many went.

    Each pruning is a transaction of its own: killed at any point, what was pruned is pruned, and stated. Raises AuditError
    when the key is not the one that signs the log, or somebody else is pruning.
    """
    known = known_keys(connection)
    if not known or known[-1].verifier_key != str(key.verifier):
        raise AuditError(
            "The signing key is not the one that signs the log: nothing was pruned.", remedy="Put its copy back."
        )
    pruned = 0
    with translated(doing="pruning the log"):
        while (went := _prune_some(connection, key, before)) > 0:
            pruned += went
            progress(f"pruned {pruned:,} changes")
    return pruned


def _prune_some(connection: Connection, key: SigningKey, before: datetime) -> int:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        if not rows(connection, "SELECT pg_try_advisory_xact_lock(hashtextextended('aya.prune', 0)) AS got")[0]["got"]:
            raise AuditError("Somebody else is pruning at this moment.", remedy="Try again.")
        found = rows(connection, query("prunable_changes"), {"before": before, "most": MOST_CHANGES})[0]
        if found["changes"] is None:
            return 0
        one = Pruning(found["changes"], found["complete_since"], datetime.now(UTC), "")
        one = replace(one, note=key.sign(one.statement(key.name)))
        asked = {"before": before} | {name: getattr(one, name) for name in one.__slots__}
        return int(rows(connection, query("prune_changes"), asked)[0]["pruned"])


def refuse_pruned(connection: Connection, change: int) -> None:
    """Raise Pruned when that change was pruned."""
    for row in rows(connection, query("list_prunings")):
        if change in Numbers(row["changes"]):
            raise Pruned(
                f"Change {change} was pruned on {row['pruned_at']:%Y-%m-%d}; only its hash is left, in a seal.",
                remedy=f"The log is complete since {row['complete_since'].isoformat(sep=' ', timespec='seconds')}.",
            )
