"""Which state of a node it is: its hash, and the newest change that it had seen."""

from dataclasses import dataclass

from aya.db.connection import Connection, rows, translated
from aya.errors import NotFound
from aya.snapshot.canonical import canonical, digest
from aya.snapshot.document import document_within


@dataclass(frozen=True, slots=True)
class Version:
    """A state of one node."""

    state_hash: str
    """SHA-256, in hex, of the canonical bytes of the node's part of the state document."""
    change_number: int | None
    """Newest number in `change_log` that it had seen, of whatever node; None when nothing was logged."""


def version_of(connection: Connection, node_name: str) -> Version:
    """The state of a node as it is recorded now, out of one consistent view of the database.

    Raises NotFound for a node that is not recorded, SnapshotError for a state that cannot be written down.
    """
    with translated(doing="reading the state"), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        newest = rows(connection, "SELECT max(id) AS id FROM change_log")[0]["id"]
        nodes = document_within(connection, [node_name])["nodes"]
    if node_name not in nodes:
        raise NotFound(f"No node named {node_name} is recorded.", remedy="`aya show` shows those that are.")
    return Version(digest(canonical(nodes[node_name])), newest)


def changed_since(connection: Connection, node_name: str, version: Version) -> str | None:
    """How the recorded state of a node differs from what it was, or has differed meanwhile; None when it has not."""
    now = version_of(connection, node_name)
    found = rows(
        connection,
        "SELECT count(*) AS number, min(id) AS first, max(id) AS last FROM change_log "
        "WHERE node_name = %(node)s AND action <> 'note' AND id > %(seen)s",
        {"node": node_name, "seen": version.change_number or 0},
    )[0]
    if found["number"]:
        return f"{found['number']} changes of {node_name} were logged meanwhile, #{found['first']} to #{found['last']}"
    return None if now.state_hash == version.state_hash else f"the state of {node_name} changed meanwhile"
