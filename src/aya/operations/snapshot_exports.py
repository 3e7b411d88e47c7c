"""Take snapshots to other machines: export, verify offline, import as foreign nodes, restore."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from aya.audit.note import VerifierKey
from aya.audit.proof import Proof, prove
from aya.audit.seal import known_keys
from aya.db.connection import Connection
from aya.db.database import Login
from aya.errors import Conflict, NotFound, SnapshotError, UsageError
from aya.operations.audit import seal
from aya.operations.context import Context
from aya.operations.operation import Kind, operation
from aya.snapshot import export as exports
from aya.snapshot import snapshots
from aya.snapshot.document import KIND, Document
from aya.snapshot.export import Export
from aya.snapshot.restore import Origin, Restored, restore

Keys = Annotated[Sequence[str], "Verifier keys to trust."]
Nodes = Annotated[Sequence[str], "Only these nodes; none: all of them."]
File = Annotated[Path, "The file of an exported snapshot."]

LABEL = re.compile(r"[A-Za-z0-9._-]{1,60}")
UNKNOWN_SIGNER = (
    "the signer is not known: no key was given to trust, so it was verified by the key that it carries itself"
)


@dataclass(frozen=True, slots=True)
class FileVerification:
    """What verifying an exported snapshot showed."""

    file: Path
    snapshot_name: str
    verification_status: str
    """As its results justify it, unless there are problems."""
    state_hash: str
    nodes: list[str]
    created_at: str
    log: str
    """The log that it is of."""
    signer: str
    """The key that signed that log, as the file has it."""
    signer_known: bool
    """Whether a key was given to trust, and it is that one or vouched for by it."""
    problems: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems


@operation(command="snapshot export", writes=True)
def export_snapshot(
    context: Context, name: Annotated[str, "Which snapshot."], path: Annotated[Path, "File to write."]
) -> FileVerification:
    """Write a snapshot with its checks and proofs into one file; the log is sealed first where no seal covers it yet.

    Raises NotFound, and SnapshotError for a snapshot that is not intact.
    """
    with context.database.connect(Login.READER) as connection:
        export = _export(context, connection, name, partial(_sealed_and_proven, context, connection))
    context.progress("writing it")
    exports.write(path, export)
    return _verified(path, export, ())


@operation("GET /snapshots/{name}/export", command="snapshot export", kind=Kind.TEXT)
def get_snapshot_export(context: Context, name: Annotated[str, "Which snapshot."]) -> str:
    """The file of an exported snapshot, with its checks and proofs, to be verified anywhere with `aya snapshot verify FILE`.

    Reading it seals nothing. Raises NotFound, Conflict as long as no seal covers it, and SnapshotError for a snapshot that is
    not intact.
    """
    with context.database.connect(Login.READER) as connection:
        export = _export(context, connection, name, partial(_proven, connection))
    return b"".join(exports.lines(export)).decode()


@operation(command="snapshot verify")
def verify_snapshot_file(context: Context, path: File, *, keys: Keys = ()) -> FileVerification:
    """Verify an exported snapshot without any database or secret. `keys`: verifier keys to trust.

    A file that is not whole is a problem, not an error. Raises HostError when it cannot be read.
    """
    context.progress(f"verifying {path}")
    trusted = [VerifierKey.read(key) for key in keys]
    try:
        export = exports.read(path)
    except SnapshotError as error:
        return FileVerification(path, "", "", "", [], "", "", "", False, (error.message,), ())
    return _verified(path, export, trusted)


@operation(command="snapshot import", writes=True)
def import_snapshot(
    context: Context,
    path: File,
    *,
    nodes: Nodes = (),
    keys: Keys = (),
    label: Annotated[str | None, "What their names begin with; left out: out of the name of the log."] = None,
    replace: Annotated[bool, "In the place of nodes that were imported under these names before."] = False,
) -> list[Restored]:
    """Record the nodes of an exported snapshot, all or those named, as foreign ones, named LABEL/NODE.

    They are shown and compared like others, but are in no snapshot of this AYA, never verified by it, and nothing that is
    collected here changes them. `replace`: in the place of those that are here already. Raises SnapshotError for a file
    that does not hold, also when `keys` are given and none of them vouches for its signer.
    """
    export, told = _trusted_export(path, keys)
    label = label or f"aya-{told.log.rpartition('/')[2][:8]}"
    if not LABEL.fullmatch(label):
        raise UsageError(f"{label!r} is no label.", remedy="Use up to 60 letters, digits, dots, dashes.")
    origin = Origin(
        label,
        {
            "log": told.log,
            "verifier_key": told.signer,
            "signer_known": told.signer_known,
            "snapshot": told.snapshot_name,
            "state_hash": told.state_hash,
            "verification_status": told.verification_status,
            "created_at": told.created_at,
        },
    )
    reason = f"imported from snapshot {told.snapshot_name} of {told.log}, SHA-256 {told.state_hash}"
    with context.database.connect() as connection:
        return restore(
            connection,
            _state(export.document, told.snapshot_name),
            nodes,
            reason=reason,
            origin=origin,
            replace=replace,
        )


@operation(command="snapshot restore", writes=True)
def restore_snapshot(
    context: Context,
    source: Annotated[str, "A snapshot, or the file of an export."],
    *,
    nodes: Nodes = (),
    keys: Keys = (),
) -> list[Restored]:
    """Record the nodes of a snapshot (its name, or the file of an export), all or those named, as they were, bit by bit.

    Raises UsageError when such a node is recorded, SnapshotError when the snapshot does not hold; then nothing is written.
    """
    if is_file(source):
        export, told = _trusted_export(Path(source), keys)
        document, name, state_hash = export.document, told.snapshot_name, told.state_hash
    else:
        with context.database.connect(Login.READER) as connection:
            found = snapshots.verify(connection, source)
            _refuse_broken(source, found.problems)
            document, name, state_hash = snapshots.read(connection, source), source, found.state_hash
    context.progress(f"restoring {name}")
    with context.database.connect() as connection:
        reason = f"restored from snapshot {name}, SHA-256 {state_hash}"
        return restore(connection, _state(document, name), nodes, reason=reason)


def is_file(source: str) -> bool:
    """Whether what was named is a file rather than a snapshot in the database: a file of that name goes first."""
    return "\0" not in source and Path(source).is_file()


def _export(context: Context, connection: Connection, name: str, proven: Callable[[int], Proof]) -> Export:
    """A snapshot that is intact, with the proof of the change that logged it."""
    context.progress("verifying the snapshot")
    _refuse_broken(name, snapshots.verify(connection, name).problems)
    context.progress("proving it")
    proof = proven(snapshots.get(connection, name).logged_change)
    evidence, _ = snapshots.read_evidence(connection, name)
    return Export(evidence, tuple(known_keys(connection)), proof)


def _proven(connection: Connection, change: int) -> Proof:
    try:
        return prove(connection, change)
    except NotFound as error:
        raise Conflict(
            "No seal covers this snapshot yet, so that nothing could prove it elsewhere.",
            remedy="Seal the log: `POST /api/v1/audit/seals`, or `aya audit seal` where AYA runs.",
        ) from error


def _sealed_and_proven(context: Context, connection: Connection, change: int) -> Proof:
    try:
        return prove(connection, change)
    except NotFound:  # no seal covers it yet
        context.progress("sealing the log")
        seal(context)
    return prove(connection, change)


def _verified(path: Path, export: Export, trusted: Sequence[VerifierKey]) -> FileVerification:
    manifest = export.evidence.manifest
    problems = tuple(exports.verify(export, trusted))
    return FileVerification(
        file=path,
        snapshot_name=export.name,
        verification_status=str(manifest.get("verification_status")),
        state_hash=str(manifest.get("state_hash")),
        nodes=sorted(export.node_hashes) if not problems else [],
        created_at=str(manifest.get("created_at")),
        log=export.log,
        signer=export.keys[-1].verifier_key,
        signer_known=bool(trusted) and not problems,
        problems=problems,
        remarks=() if trusted else (UNKNOWN_SIGNER,),
    )


def _trusted_export(path: Path, keys: Sequence[str]) -> tuple[Export, FileVerification]:
    export = exports.read(path)
    told = _verified(path, export, [VerifierKey.read(key) for key in keys])
    _refuse_broken(str(path), told.problems)
    return export, told


def _refuse_broken(what: str, problems: Sequence[str]) -> None:
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise SnapshotError(
            f"Snapshot {what} does not hold: {problems[0]}{more}.",
            remedy=f"`aya snapshot verify {what}` shows everything that is wrong.",
        )


def _state(document: Document, name: str) -> Document:
    if document.get("kind") != KIND or not document["nodes"]:
        raise SnapshotError(f"Snapshot {name} holds no node.", remedy="Name a snapshot of the state of nodes.")
    return document
