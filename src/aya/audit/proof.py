"""The proof that one change is in the log: the change, the hashes beside its way to the root, and the signed root."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from aya.audit.checkpoint import Checkpoint
from aya.audit.merkle import SIZE, includes, inclusion_proof, leaf_hash
from aya.audit.note import VerifierKey, opened
from aya.audit.seal import known_keys, newest_seal, seals
from aya.audit.verify import Numbers
from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import AuditError, NotFound

FORM = "aya.proof"


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that is needed to verify it anywhere."""

    change: str
    """The line that was hashed."""
    leaf: int
    """Its place in the tree."""
    hashes: tuple[bytes, ...]
    note: str
    """The signed checkpoint."""
    verifier_key: str

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

    @classmethod
    def read(cls, text: str) -> "Proof":
        """A proof out of its JSON. Raises AuditError."""
        try:
            told = json.loads(text)
            if told["form"] != FORM:
                raise ValueError(f"its form is {told['form']!r}")
            hashes = tuple(base64.b64decode(one, validate=True) for one in told["hashes"])
            return cls(
                str(told["change"]), int(told["leaf"]), hashes, str(told["checkpoint"]), str(told["verifier_key"])
            )
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
            leaves += [one.leaf_hashes[i : i + SIZE] for i in range(0, len(one.leaf_hashes), SIZE)]
        if place is None or last is None:
            raise NotFound(f"No seal covers change {change} yet.", remedy="`aya audit seal` makes one.")
        keys = known_keys(connection)
        return Proof(line[0]["line"], place, tuple(inclusion_proof(leaves, place)), last.note, keys[-1].verifier_key)


def verify_proof(proof: Proof, trusted: VerifierKey | None) -> list[str]:
    """What is wrong with a proof; nothing, if it holds. Without a trusted key that is only as good as the key in the proof."""
    key = trusted or VerifierKey.read(proof.verifier_key)
    try:
        text, signers = opened(proof.note, [key])
        checkpoint = Checkpoint.read(text)
    except AuditError as error:
        return [error.message]
    if not signers:
        return [f"the checkpoint is not signed by {key.name} ({key.key_hash.hex()})"]
    leaf = leaf_hash(proof.change.encode())
    if not includes(checkpoint.root, checkpoint.size, proof.leaf, leaf, proof.hashes):
        return [f"the change is not at place {proof.leaf} of the log of {checkpoint.size} changes that was signed"]
    return []
