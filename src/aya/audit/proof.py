"""Proofs that are verified anywhere, without the log: that a change is in it, and that it only grew since a checkpoint."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aya.audit.checkpoint import Checkpoint
from aya.audit.merkle import SIZE, consistency_proof, extends, includes, inclusion_proof, leaf_hash, root
from aya.audit.note import VerifierKey, opened
from aya.audit.seal import Seal, known_keys, newest_seal, seals
from aya.audit.verify import Numbers
from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import AuditError, NotFound

FORM = "aya.proof"
GROWTH_FORM = "aya.growth"


@dataclass(frozen=True, slots=True)
class Proof:
    """That a change is in the log: the change, the hashes beside its way to the root, and the signed root."""

    change: str
    """The line that was hashed."""
    leaf: int
    """Its place in the tree."""
    hashes: tuple[bytes, ...]
    note: str
    """The signed checkpoint."""
    verifier_key: str

    @property
    def shows(self) -> str:
        """What it shows, if it holds."""
        return f"the change at place {self.leaf} is in the log of {_size(self.note)} changes that was signed"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "form": FORM,
            "change": self.change,
            "leaf": self.leaf,
            "hashes": [base64.b64encode(one).decode() for one in self.hashes],
            "checkpoint": self.note,
            "verifier_key": self.verifier_key,
        }


@dataclass(frozen=True, slots=True)
class Growth:
    """That the log only grew: what an older checkpoint holds is the beginning of what a newer one holds."""

    older: str
    """The signed checkpoint that was kept."""
    newer: str
    hashes: tuple[bytes, ...]
    verifier_keys: tuple[str, ...]

    @property
    def shows(self) -> str:
        """What it shows, if it holds."""
        return f"the log of {_size(self.newer)} changes begins with the {_size(self.older)} that were signed before"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "form": GROWTH_FORM,
            "older": self.older,
            "newer": self.newer,
            "hashes": [base64.b64encode(one).decode() for one in self.hashes],
            "verifier_keys": list(self.verifier_keys),
        }


def read_proof(text: str) -> Proof | Growth:
    """A proof of either kind out of its JSON. Raises AuditError."""
    try:
        told = json.loads(text)
        if told["form"] not in (FORM, GROWTH_FORM):
            raise ValueError(f"its form is {told['form']!r}")
        hashes = tuple(base64.b64decode(one, validate=True) for one in told["hashes"])
        if told["form"] == GROWTH_FORM:
            return Growth(str(told["older"]), str(told["newer"]), hashes, tuple(map(str, told["verifier_keys"])))
        return Proof(str(told["change"]), int(told["leaf"]), hashes, str(told["checkpoint"]), str(told["verifier_key"]))
    except (ValueError, KeyError, TypeError) as error:
        raise AuditError(f"It is no proof: {error}.", remedy="`aya audit prove CHANGE` writes one.") from None


def prove(connection: Connection, change: int) -> Proof:
    """Prove that a change is in the log as the newest seal has it. Raises NotFound when no seal covers it, or it was pruned."""
    with translated(doing=f"proving change {change}"), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        last = newest_seal(connection)
        line = rows(
            connection, query("read_leaves"), {"first": change, "last": change, "changes": f"{{[{change},{change}]}}"}
        )
        if not line:
            raise NotFound(f"There is no change {change}.", remedy="`aya changes` lists the latest.")
        leaves: list[bytes] = []
        place = None
        for one in seals(connection):
            numbers = Numbers(one.changes)
            if change in numbers:
                place = one.first_leaf + sum(1 for number in numbers if number < change)
            leaves += _hashes(one)
        if place is None or last is None:
            raise NotFound(f"No seal covers change {change} yet.", remedy="`aya audit seal` makes one.")
        keys = known_keys(connection)
        return Proof(line[0]["line"], place, tuple(inclusion_proof(leaves, place)), last.note, keys[-1].verifier_key)


def prove_growth(connection: Connection, older: str) -> Growth:
    """Prove that the log, as the newest seal has it, begins with what a kept checkpoint holds.

    Raises AuditError when it does not, or the checkpoint is none of this log.
    """
    with translated(doing="proving that the log only grew"), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        known = [VerifierKey.read(key.verifier_key) for key in known_keys(connection)]
        text, signers = opened(older, known)
        checkpoint = Checkpoint.read(text)
        last = newest_seal(connection)
        if not signers or last is None:
            raise AuditError("The checkpoint is not signed by any key of this log.", remedy="Name one of this log.")
        leaves = [leaf for one in seals(connection) for leaf in _hashes(one)]
        if checkpoint.size > len(leaves) or checkpoint.root != root(leaves[: checkpoint.size]):
            raise AuditError(
                f"The log does not begin with the {checkpoint.size} changes of that checkpoint: it was cut or rewritten.",
                remedy="`aya audit verify --checkpoint FILE` says what is wrong.",
            )
        return Growth(older, last.note, tuple(consistency_proof(leaves, checkpoint.size)), tuple(map(str, known)))


def _size(note: str) -> int:
    return Checkpoint.read(opened(note, [])[0]).size


def _hashes(one: Seal) -> list[bytes]:
    return [one.leaf_hashes[i : i + SIZE] for i in range(0, len(one.leaf_hashes), SIZE)]


def verify_proof(
    proof: Proof | Growth, trusted: Sequence[VerifierKey], kept: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """What is wrong with a proof; nothing, if it holds. Without a trusted key it is only as good as the keys in the proof.

    `kept`: checkpoints, by name, of which the proof must be one's: it speaks of that very tree.
    """
    if isinstance(proof, Proof):
        notes, carried = [proof.note], [proof.verifier_key]
    else:
        notes, carried = [proof.older, proof.newer], [*proof.verifier_keys]
    keys = trusted or [VerifierKey.read(key) for key in carried]
    try:
        trees = [_signed(note, keys) for note in notes]
        known = [(name, Checkpoint.read(opened(note, keys)[0])) for name, note in kept]
    except AuditError as error:
        return [error.message]
    problems = [
        f"the proof is not of checkpoint {name}, but of {' and '.join(f'{tree.size} changes' for tree in trees)}"
        for name, checkpoint in known
        if (checkpoint.size, checkpoint.root) not in [(tree.size, tree.root) for tree in trees]
    ]
    first, last = trees[0], trees[-1]
    if isinstance(proof, Proof):
        if not includes(last.root, last.size, proof.leaf, leaf_hash(proof.change.encode()), proof.hashes):
            problems.append(
                f"the change is not at place {proof.leaf} of the log of {last.size} changes that was signed"
            )
    elif first.origin != last.origin or not extends(first.root, first.size, last.root, last.size, proof.hashes):
        problems.append(f"the log of {last.size} changes does not begin with the {first.size} that were signed before")
    return problems


def _signed(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    text, signers = opened(note, keys)
    if not signers:
        raise AuditError(
            f"The checkpoint is not signed by {' or '.join(f'{k.name} ({k.key_hash.hex()})' for k in keys)}."
        )
    return Checkpoint.read(text)
