"""Seal the log: commit to changes by the root of a hash tree, signed and chained, without holding up anybody who writes.

The numbers of changes are no order of time: a low one may still be uncommitted when a higher one is there. So a seal takes
what finished transactions logged and no seal has, and the tree holds the changes in the order of seals, and within a seal
in that of their numbers.
"""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from aya.audit.checkpoint import Checkpoint
from aya.audit.merkle import Frontier, leaf_hash
from aya.audit.note import SigningKey, VerifierKey
from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import AuditError

MOST_LEAVES = 65_536
"""Changes in one seal: so much is held in memory at once."""


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal, as it is stored."""

    seal_number: int
    first_leaf: int
    tree_size: int
    changes: str
    leaf_hashes: bytes
    root: bytes
    frontier: bytes
    horizon: int
    sealed_at: datetime
    note: str

    def checkpoint(self, origin: str, previous: bytes) -> Checkpoint:
        """What is signed of it. `previous`: the hash of the note of the seal before; empty for the first."""
        said = (
            f"seal {self.seal_number} of leaves from {self.first_leaf}, sealed {self.sealed_at.astimezone(UTC).isoformat()}",
            f"horizon {self.horizon}",
            f"changes {_digest(self.changes.encode())}",
            f"leaves {_digest(self.leaf_hashes)}",
            f"previous {base64.b64encode(previous).decode() or '-'}",
        )
        return Checkpoint(origin, self.tree_size, self.root, said)

    @property
    def note_hash(self) -> bytes:
        """What the next seal is chained to."""
        return sha256(self.note.encode()).digest()


def _digest(data: bytes) -> str:
    return base64.b64encode(sha256(data).digest()).decode()


def seals(connection: Connection, *, after: int = 0) -> Iterator[Seal]:
    """The seals in their order, one after the other, so that they need not fit in memory."""
    number = after
    while found := rows(connection, query("next_seal"), {"after": number}):
        yield Seal(**found[0])
        number = found[0]["seal_number"]


def newest_seal(connection: Connection) -> Seal | None:
    """The last seal."""
    last = rows(connection, "SELECT max(seal_number) AS number FROM aya.seals")[0]["number"]
    return None if last is None else Seal(**rows(connection, query("next_seal"), {"after": last - 1})[0])


@contextmanager
def sealing(connection: Connection) -> Iterator[bool]:
    """Be the only one who seals; False when somebody else is at it."""
    got = rows(connection, "SELECT pg_try_advisory_lock(hashtextextended('aya.seal', 0)) AS got")[0]["got"]
    try:
        yield got
    finally:
        if got and not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(hashtextextended('aya.seal', 0))")


def seal(connection: Connection, key: SigningKey, progress: Callable[[str], None] = lambda _: None) -> list[Seal]:
    """Seal every change of a finished transaction; the seals that were made. None when another one is at it.

    Each seal is a transaction of its own: killed at any point, what was sealed is sealed. Raises AuditError when the key is
    not the one that signed before.
    """
    made = []
    with translated(doing="sealing the log"), sealing(connection) as alone:
        if not alone:
            return []
        _introduce(connection, key)
        while (one := _next(connection, key)) is not None:
            made.append(one)
            progress(f"sealed {one.tree_size:,} changes")
    return made


def _next(connection: Connection, key: SigningKey) -> Seal | None:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found = rows(connection, query("unsealed_changes"), {"most": MOST_LEAVES})[0]
        if not found["count"]:
            return None
        last = newest_seal(connection)
        lines = rows(
            connection,
            query("read_leaves"),
            {"first": found["first"], "last": found["last"], "changes": found["changes"]},
        )
        hashes = [leaf_hash(row["line"].encode()) for row in lines]
        frontier = Frontier(last.tree_size, last.frontier) if last else Frontier()
        for one in hashes:
            frontier.append(one)
        # Where more is left, the horizon stays: it says that everything before it is sealed.
        whole = found["count"] < MOST_LEAVES
        sealed = Seal(
            seal_number=last.seal_number + 1 if last else 1,
            first_leaf=last.tree_size if last else 0,
            tree_size=frontier.size,
            changes=found["changes"],
            leaf_hashes=b"".join(hashes),
            root=frontier.root,
            frontier=bytes(frontier),
            horizon=found["horizon"] if whole else found["last_horizon"] or 0,
            sealed_at=datetime.now(UTC),
            note="",
        )
        note = key.sign(sealed.checkpoint(key.name, last.note_hash if last else b"").text)
        connection.execute(query("insert_seal"), {name: getattr(sealed, name) for name in _COLUMNS} | {"note": note})
        return Seal(**{name: getattr(sealed, name) for name in _COLUMNS}, note=note)


_COLUMNS = (
    "seal_number", "first_leaf", "tree_size", "changes", "leaf_hashes", "root", "frontier", "horizon", "sealed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key of the log, and the statement that introduced it."""

    verifier_key: str
    first_seal: int
    introduced_at: datetime
    note: str


def known_keys(connection: Connection) -> list[KnownKey]:
    """The public keys of the log, in the order in which they signed."""
    return [KnownKey(**row) for row in rows(connection, query("list_audit_keys"))]


def key_statement(key: VerifierKey, first_seal: int, previous: VerifierKey | None) -> str:
    """What is signed when a key is introduced."""
    after = "the first key" if previous is None else f"follows {previous}"
    return f"{key.name} is signed from seal {first_seal} on by\n{key}\n{after}\n"


def _introduce(connection: Connection, key: SigningKey) -> None:
    known = known_keys(connection)
    if known and known[-1].verifier_key == str(key.verifier):
        return
    if known:
        raise AuditError(
            "The signing key is not the one that signed the log so far.",
            remedy="Put its copy back; or run `aya audit rotate --lost` to go on with another: verifying will say from where.",
        )
    _store_key(connection, key, first_seal=1, note=key.sign(key_statement(key.verifier, 1, None)))


def rotate(connection: Connection, old: SigningKey | None, new: SigningKey) -> KnownKey:
    """Let a new key sign from the next seal on: vouched for by the old one, or without it if that was lost.

    Raises AuditError when the old key is not the one that signed last, or there is nothing to follow.
    """
    with translated(doing="introducing a key"), sealing(connection) as alone, connection.transaction():
        if not alone:
            raise AuditError("Somebody is sealing at this moment.", remedy="Try again.")
        known = known_keys(connection)
        if not known:
            raise AuditError("No key has signed anything yet.", remedy="`aya audit seal` makes the first one.")
        previous = VerifierKey.read(known[-1].verifier_key)
        if old is not None and str(old.verifier) != str(previous):
            raise AuditError("The old key is not the one that signed last.", remedy="If that is lost, say --lost.")
        last = newest_seal(connection)
        first_seal = last.seal_number + 1 if last else 1
        note = new.sign(key_statement(new.verifier, first_seal, previous))
        if old is not None:
            note += old.sign(key_statement(new.verifier, first_seal, previous)).rpartition("\n\n")[2]
        _store_key(connection, new, first_seal=first_seal, note=note)
        return known_keys(connection)[-1]


def _store_key(connection: Connection, key: SigningKey, *, first_seal: int, note: str) -> None:
    connection.execute(
        query("insert_audit_key"), {"verifier_key": str(key.verifier), "first_seal": first_seal, "note": note}
    )
