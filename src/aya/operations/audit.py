"""Seal the log of changes, verify it, keep checkpoints of it, prove and export what is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

from annotated_types import Ge, Le

from aya.audit import checkpoint as checkpoints
from aya.audit import seal as sealing
from aya.audit.export import Export
from aya.audit.export import export as write_export
from aya.audit.guards import broken
from aya.audit.live import Live, examine
from aya.audit.note import SigningKey, VerifierKey, kept_keys, make_key
from aya.audit.proof import Growth, Proof, read_proof, verify_proof
from aya.audit.proof import prove as prove_change
from aya.audit.proof import prove_growth as prove_log_grew
from aya.audit.pruning import refuse_pruned
from aya.audit.verify import Report
from aya.audit.verify import verify as verify_source
from aya.db.connection import Connection, translated
from aya.db.database import Login
from aya.db.migrate import is_current
from aya.errors import AuditError, DatabaseUnsuitable, NotFound, UsageError
from aya.operations.context import Context
from aya.operations.operation import LARGEST, Kind, Scope, operation

Keys = Annotated[Sequence[str], "Verifier keys to trust, beside those whose private half is here."]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing did."""

    seals: int
    """Seals that were made now."""
    changes: int
    """Changes that they cover."""
    tree_size: int
    """Changes that are sealed in all."""
    root: str
    checkpoint: Path | None
    """Where the checkpoint of it is kept; None when nothing is sealed."""


@operation("POST /audit/seals", command="audit seal", scope=Scope.ADMIN)
def seal(context: Context) -> Sealed:
    """Seal every change of a finished transaction, and keep a checkpoint outside the database. Holds up nobody.

    Raises AuditError when the signing key is lost or another.
    """
    with context.database.connect() as connection:
        made = sealing.seal(connection, signing_key(context, connection), context.progress)
        last = sealing.newest_seal(connection)
    kept = checkpoints.keep(checkpoint_folder(context), last.tree_size, last.note) if last else None
    return Sealed(
        seals=len(made),
        changes=made[-1].tree_size - made[0].first_leaf if made else 0,
        tree_size=last.tree_size if last else 0,
        root=last.root.hex() if last else "",
        checkpoint=kept,
    )


@operation("GET /audit/verification", command="audit verify")
def verify_log(
    context: Context, *, keys: Keys = (), checkpoint: Path | None = None, since: Path | None = None
) -> Report:
    """Recompute the log in the database: seals, changes, keys, kept checkpoints, triggers, and the state against the log.

    `keys`: verifier keys to trust, beside those whose private half is here. `checkpoint`: one that was kept elsewhere.
    `since`: a trusted checkpoint to start from.
    """
    with context.database.connect(Login.READER) as connection, translated(doing="verifying the log"):
        if not is_current(connection):
            raise DatabaseUnsuitable(
                "The database is not what this version of AYA needs, so that its log cannot be judged.",
                remedy="Run `aya db migrate`; or verify with the version that made it.",
            )
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            report = Report()
            guards = broken(connection)
            for guard in guards:
                report.add(guard.said)
            if any(guard.unreadable for guard in guards):
                report.remarks.append("the log cannot be read as it is: nothing else was verified")
            else:
                _verify(context, connection, report, keys=keys, checkpoint=checkpoint, since=since)
    return report


def _verify(
    context: Context,
    connection: Connection,
    report: Report,
    *,
    keys: Sequence[str],
    checkpoint: Path | None,
    since: Path | None,
) -> None:
    trusted, remarks = _trusted(context, connection, keys)
    kept = [*checkpoints.kept(checkpoint_folder(context)), *(_kept(checkpoint) if checkpoint else ())]
    start = _read(since) if since else None
    verify_source(Live(connection), trusted, kept, since=start, report=report, progress=context.progress)
    context.progress("comparing the state with the log")
    examine(connection, report)
    report.remarks += remarks


@operation(command="audit verify")
def verify_file(
    context: Context,
    path: Annotated[Path, "An export or a proof."],
    *,
    keys: Keys = (),
    checkpoint: Annotated[Path | None, "A checkpoint that was kept elsewhere, or a folder of them."] = None,
    since: Annotated[Path | None, "Of an export: a trusted checkpoint to start from."] = None,
) -> Report:
    """Verify an export or a proof without any database. Without a trusted key it is only as good as the keys inside."""
    trusted = [VerifierKey.read(key) for key in keys]
    remarks = [] if trusted else ["no key was given to trust: it was verified by the key that it carries itself"]
    kept = _kept(checkpoint) if checkpoint else []
    if _begins_as_json(path):
        if since is not None:
            raise UsageError("A proof has no part to start from.", remedy="Leave out --since.")
        proof = read_proof(_read(path))
        report = Report(changes=1 if isinstance(proof, Proof) else 0, remarks=remarks)
        for problem in verify_proof(proof, trusted, kept):
            report.add(problem)
        if report.whole:
            report.shown, report.checkpoints = proof.shows, len(kept)
        return report
    start = _read(since) if since else None
    with Export(path) as source:
        known = source.public_keys()
        if not trusted and known:
            trusted = [VerifierKey.read(known[-1].verifier_key)]
        report = Report(remarks=remarks)
        try:
            verify_source(source, trusted, kept, since=start, report=report, progress=context.progress)
            source.finish(report)
        except AuditError as error:  # what cannot be read on is not whole, and what was found before is told as well
            report.add(error.message)
    return report


@operation("GET /audit/checkpoint", command="audit checkpoint", kind=Kind.TEXT)
def newest_checkpoint(context: Context, to: Path | None = None) -> str:
    """The newest signed checkpoint, written to a file as well if one is named. Raises NotFound when nothing is sealed."""
    with context.database.connect(Login.READER) as connection, translated(doing="reading the newest checkpoint"):
        last = sealing.newest_seal(connection)
    if last is None:
        raise NotFound("Nothing is sealed yet.", remedy="`aya audit seal` makes the first seal.")
    if to is not None:
        _write(to, last.note)
    return last.note


@operation("GET /audit/proofs/{change}", command="audit prove")
def prove(context: Context, change: Annotated[int, "Number of the change.", Ge(1), Le(LARGEST)]) -> Proof:
    """The proof that a change is in the log, to be verified anywhere with `aya audit verify FILE`."""
    with context.database.connect(Login.READER) as connection:
        refuse_pruned(connection, change)
        return prove_change(connection, change)


@operation(command="audit prove")
def prove_growth(context: Context, since: Annotated[Path, "A checkpoint that was kept."]) -> Growth:
    """The proof that the log only grew since a checkpoint, to be verified anywhere with `aya audit verify FILE`."""
    with context.database.connect(Login.READER) as connection:
        return prove_log_grew(connection, _read(since))


@operation(command="audit export")
def export(context: Context, path: Annotated[Path, "File to write; compressed when it ends in .gz."]) -> int:
    """Write the log with its seals and keys into one file; the number of changes in it."""
    with context.database.connect(Login.READER) as connection, translated(doing="exporting the log"):
        return write_export(connection, path, context.progress)


@operation("GET /audit/keys", command="audit keys")
def list_keys(context: Context) -> list[dict[str, Any]]:
    """The public keys of the log, in the order in which they signed; `here`: the private half is on this machine."""
    with context.database.connect(Login.READER) as connection, translated(doing="reading the keys of the log"):
        known = sealing.known_keys(connection)
    here = {str(key.verifier) for key in kept_keys(context.secrets_folder, _name(known))}
    return [
        {"verifier_key": key.verifier_key, "first_seal": key.first_seal, "introduced_at": key.introduced_at}
        | {"here": key.verifier_key in here}
        for key in known
    ]


@operation(command="audit rotate", writes=True, destructive=True)
def rotate_key(
    context: Context, *, lost: Annotated[bool, "The old key is lost: go on without its word."] = False
) -> str:
    """Let a new key sign from the next seal on, vouched for by the old one unless that is lost; the new verifier key.

    Raises AuditError when the old key is not here and not said to be lost.
    """
    with context.database.connect() as connection:
        known = sealing.known_keys(connection)
        if not known:
            raise AuditError("No key has signed anything yet.", remedy="`aya audit seal` makes the first one.")
        old = None if lost else signing_key(context, connection)
        new = make_key(context.secrets_folder, _name(known))
        return sealing.rotate(connection, old, new).verifier_key


def checkpoint_folder(context: Context) -> Path:
    """Where checkpoints are kept on this machine. They are worth most where the database's keeper cannot reach them."""
    return context.settings.home / "checkpoints"


def signing_key(context: Context, connection: Connection) -> SigningKey:
    """The private key that signs the log; the first one is made. Raises AuditError when it is not on this machine."""
    known = sealing.known_keys(connection)
    name = _name(known)
    here = kept_keys(context.secrets_folder, name)
    if not known:
        return here[0] if here else make_key(context.secrets_folder, name)
    for key in here:
        if str(key.verifier) == known[-1].verifier_key:
            return key
    raise AuditError(
        f"The key that signs this log is not in {context.secrets_folder}: {known[-1].verifier_key}.",
        remedy="Put its copy back; if it is lost, `aya audit rotate --lost` goes on with a new one, and verifying will say so.",
    )


def _name(known: list[sealing.KnownKey]) -> str:
    return VerifierKey.read(known[-1].verifier_key).name if known else f"aya/{uuid4()}"


def _trusted(context: Context, connection: Connection, given: Sequence[str]) -> tuple[list[VerifierKey], list[str]]:
    known = sealing.known_keys(connection)
    trusted = [VerifierKey.read(key) for key in given]
    try:
        trusted += [key.verifier for key in kept_keys(context.secrets_folder, _name(known))] if known else []
    except AuditError as error:
        if not given:
            raise
        return trusted, [error.message]
    if trusted or not known:
        return trusted, []
    remark = "no key is trusted beforehand: it was verified by the key that the database itself names"
    return [VerifierKey.read(known[-1].verifier_key)], [remark]


def _kept(path: Path) -> list[tuple[str, str]]:
    """The checkpoint in a file, or those in a folder, by name. Raises UsageError when there is none."""
    if not path.is_dir():
        return [(path.name, _read(path))]
    found = checkpoints.kept(path)
    if not found:
        raise UsageError(f"{path} holds no checkpoint.", remedy="Name a folder of files that end in .checkpoint.")
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", remedy="Name a file that holds it.") from error


def _begins_as_json(path: Path) -> bool:
    """Whether it is a proof rather than an export."""
    try:
        with path.open("rb") as file:
            return file.read(1) == b"{"
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}.", remedy="Name an export or a proof.") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}.", remedy="Name another file.") from error
