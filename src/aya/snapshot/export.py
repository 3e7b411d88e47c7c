"""A snapshot as one file that any machine verifies without a database: text lines, each with a letter and a tab before it.

    A  what this is, as JSON             M  the manifest: what the log has of the snapshot
    N  the hash of each node's state     S  the state document
    C  the results that vouch for it     K  a public key of the log, as JSON; one line for each
    P  the proof that the manifest is in the signed log, as JSON
    E  SHA-256 of everything before, in hex: the last line

M, N, S and C are canonical JSON: the very bytes that were hashed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from aya.audit.note import VerifierKey, opened
from aya.audit.proof import Proof, read_proof, verify_proof
from aya.audit.seal import KnownKey
from aya.audit.trust import trust
from aya.errors import AuditError, HostError, SnapshotError
from aya.snapshot.canonical import canonical, plain
from aya.snapshot.document import Document
from aya.snapshot.proof import NOT_UNDERSTOOD, Evidence, examine

FORM = "aya.snapshot"
VERSION = 1
LETTERS = "AMNSCKPE"


@dataclass(frozen=True, slots=True)
class Export:
    """A snapshot with all that proves it."""

    evidence: Evidence
    keys: tuple[KnownKey, ...]
    proof: Proof
    whole: bool = True
    """Whether the bytes of the file are those that were written."""

    @property
    def name(self) -> str:
        """The name of the snapshot."""
        return str(self.evidence.manifest.get("snapshot_name"))

    @property
    def log(self) -> str:
        """The name of the log that it is of."""
        return VerifierKey.read(self.keys[-1].verifier_key).name

    @property
    def document(self) -> Document:
        """The state document. Raises SnapshotError when it is none."""
        document = json.loads(self.evidence.state)
        if not isinstance(document, dict) or not isinstance(document.get("nodes"), dict):
            raise SnapshotError(f"Snapshot {self.name} holds no nodes.", remedy="Name a snapshot of a state.")
        return document

    @property
    def node_hashes(self) -> dict[str, str]:
        """The hash of each node's state."""
        hashes: dict[str, str] = json.loads(self.evidence.nodes)
        return hashes


def lines(export: Export) -> Iterator[bytes]:
    """The file, line by line; the same snapshot with the same proof gives the same bytes."""
    head = {"form": FORM, "version": VERSION, "snapshot": export.name, "log": export.log}
    evidence = export.evidence
    parts = [
        ("A", canonical(head)),
        ("M", canonical(evidence.manifest)),
        ("N", evidence.nodes),
        ("S", evidence.state),
        ("C", evidence.checks),
        *(("K", canonical(plain(asdict(key)))) for key in export.keys),
        ("P", canonical(export.proof.document())),
    ]
    digest = sha256()
    for letter, data in parts:
        line = letter.encode() + b"\t" + data + b"\n"
        digest.update(line)
        yield line
    yield f"E\t{digest.hexdigest()}\n".encode()


def write(path: Path, export: Export) -> None:
    """Write it to a file. Raises HostError."""
    incoming = path.with_name(f".{path.name}.incoming")
    try:
        with incoming.open("wb") as file:
            file.writelines(lines(export))
        incoming.replace(path)
    except OSError as error:
        raise HostError(f"The export {path} cannot be written: {error}.", remedy="Choose another file.") from error
    finally:
        incoming.unlink(missing_ok=True)


def read(path: Path) -> Export:
    """A snapshot out of a file; nothing about it is verified yet. Raises HostError, SnapshotError when it has another form."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise HostError(f"The export {path} cannot be read: {error}.", remedy="Name an export.") from error
    if not data.startswith(b"A\t"):
        raise SnapshotError(f"{path} is no export of a snapshot.", remedy="`aya snapshot export NAME FILE` writes one.")
    body, _, end = data.removesuffix(b"\n").rpartition(b"\n")
    body += b"\n"
    if not data.endswith(b"\n") or end[:2] != b"E\t":
        raise SnapshotError(f"{path} is cut short: its last line is missing.", remedy="Copy it again.")
    whole = end[2:] == sha256(body).hexdigest().encode()
    try:
        return replace(_read(body), whole=whole)
    except (*NOT_UNDERSTOOD, AuditError) as error:
        said = "cannot be understood" if whole else "was edited or damaged"
        raise SnapshotError(f"{path} {said}: {error}.", remedy="Copy or export it again.") from error


def _read(body: bytes) -> Export:
    parts: dict[str, list[bytes]] = {letter: [] for letter in LETTERS}
    for line in body.removesuffix(b"\n").split(b"\n"):
        if line[1:2] != b"\t":
            raise ValueError(f"a line begins with {line[:10]!r}")
        parts[chr(line[0])].append(line[2:])
    once = {letter: lines[0] for letter, lines in parts.items() if len(lines) == 1}
    head = json.loads(once["A"])
    if head["form"] != FORM or head["version"] != VERSION:
        raise ValueError(f"it is {head['form']} of version {head['version']}; this AYA reads {FORM} {VERSION}")
    keys = tuple(_key(json.loads(line)) for line in parts["K"])
    if not keys:
        raise ValueError("no key is in it")
    manifest = json.loads(once["M"])
    if not isinstance(manifest, dict) or canonical(manifest) != once["M"]:
        raise ValueError("its manifest is no object in canonical JSON")
    proof = read_proof(once["P"].decode())
    if not isinstance(proof, Proof):
        raise AuditError("Its proof is not that a change is in the log.")
    return Export(Evidence(manifest, once["S"], once["N"], once["C"]), keys, proof)


def verify(export: Export, trusted: Sequence[VerifierKey]) -> Iterator[str]:
    """Everything that is wrong with an export, the most basic first; without a trusted key, by the keys that it carries."""
    try:
        yield from _log(export, trusted or [VerifierKey.read(export.keys[-1].verifier_key)])
    except (*NOT_UNDERSTOOD, AuditError) as error:
        yield f"its proof cannot be understood: {error}"
    yield from examine(export.evidence)
    if not export.whole:
        yield "the file was edited or damaged: its bytes are not those that were written"


def _log(export: Export, trusted: Sequence[VerifierKey]) -> Iterator[str]:
    """Whether the manifest is in the log that a trusted key signed."""
    found = trust(export.keys, trusted)
    yield from found.problems
    _, signers = opened(export.proof.note, found.keys)
    if not signers:
        yield "the checkpoint of the log is not signed by any of its keys"
    else:
        yield from verify_proof(export.proof, signers)
    change = json.loads(export.proof.change)
    logged = (change["table_affected"], change["action"], change["record_id"])
    if logged != ("system_state_snapshots", "note", export.evidence.manifest["id"]):
        yield f"change {change['id']}, which is proven, is not about this snapshot"
    elif canonical(change["new_value"]) != canonical(export.evidence.manifest):
        yield f"its manifest is not what change {change['id']} of the signed log has of it"


def _key(told: dict[str, Any]) -> KnownKey:
    VerifierKey.read(told["verifier_key"])
    return KnownKey(**(told | {"introduced_at": datetime.fromisoformat(told["introduced_at"])}))
