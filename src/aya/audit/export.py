"""The log as one file that any machine verifies without a database: text lines, each with a letter and a tab before it.

    A  what this is, as JSON: the first line
    K  a public key that signed, as JSON          P  a pruning, as JSON
    S  a seal, as JSON; then its changes:         C  a change: the very line that was hashed
    U  a change that no seal covers yet           E  SHA-256 of everything before, and counts: the last line

A name that ends in .gz is compressed.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, cast

from aya.audit.live import Live
from aya.audit.seal import KnownKey, Seal
from aya.audit.verify import Line, Pruning, Report
from aya.db.connection import Connection, stream
from aya.db.queries import query
from aya.errors import AuditError, HostError

FORM = "aya.audit"
VERSION = 1
LONGEST_LINE_BYTES = 512 * 1024 * 1024
BYTES = ("leaf_hashes", "root", "frontier")
TIMES = ("complete_since", "pruned_at")


def export(connection: Connection, path: Path, progress: Callable[[str], None] = lambda _: None) -> int:
    """Write the log, its seals and keys as of one moment; the number of changes. Raises HostError."""
    incoming = path.with_name(f".{path.name}.incoming")
    try:
        with _opened(incoming, "wb", compressed=path.suffix == ".gz") as file:
            count = _write(connection, file, progress)
        incoming.replace(path)
    except OSError as error:
        raise HostError(f"The export {path} cannot be written: {error}.", remedy="Choose another file.") from error
    finally:
        incoming.unlink(missing_ok=True)
    return count


def _write(connection: Connection, file: IO[bytes], progress: Callable[[str], None]) -> int:
    digest = sha256()
    count = seals = unsealed = 0

    def put(letter: bytes, line: bytes) -> None:
        data = letter + b"\t" + line + b"\n"
        digest.update(data)
        file.write(data)

    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        live = Live(connection)
        put(b"A", _json({"form": FORM, "version": VERSION}))
        for key in live.public_keys():
            put(
                b"K",
                _json({name: getattr(key, name) for name in ("verifier_key", "first_seal", "introduced_at", "note")}),
            )
        for pruning in live.prunings():
            put(b"P", _json({name: getattr(pruning, name) for name in ("changes", *TIMES, "note")}))
        for seal in live.seals():
            put(b"S", _json(_seal_json(seal)))
            seals += 1
            for _, line in live.lines(seal):
                put(b"C", line)
                count += 1
            progress(f"wrote {count:,} changes")
        rest = {"first": 0, "last": 2**63 - 1, "changes": _unsealed(connection)}
        for _, line in stream(connection, query("read_leaves"), rest):
            put(b"U", line.encode())
            unsealed += 1
    end = {"sha256": digest.hexdigest(), "changes": count, "seals": seals, "unsealed": unsealed}
    file.write(b"E\t" + _json(end) + b"\n")
    return count + unsealed


def _unsealed(connection: Connection) -> str:
    return str(
        connection.execute(
            "SELECT ('{(,)}'::int8multirange - coalesce(range_agg(changes), '{}'))::text AS rest FROM aya.seals"
        ).fetchall()[0]["rest"]
    )


@dataclass
class Export:
    """An export as a source; read once, from its beginning to its end. Use as a context manager."""

    path: Path

    def __enter__(self) -> "Export":
        try:
            self._file = _opened(self.path, "rb", compressed=self.path.suffix == ".gz")
        except OSError as error:
            raise HostError(f"The export {self.path} cannot be read: {error}.", remedy="Name an export.") from error
        try:
            self._read_head()
        except BaseException:
            self._file.close()
            raise
        return self

    def _read_head(self) -> None:
        self._digest = sha256()
        self._read = {"changes": 0, "seals": 0, "unsealed": 0}
        self._next: tuple[str, bytes] | None = None
        try:
            self._advance()
            told = self._parsed(self._take("A") or b"")
        except AuditError:
            told = {}
        if told.get("form") != FORM:
            raise AuditError(f"{self.path} is no export of a log.", remedy="`aya audit export FILE` writes one.")
        if told.get("version") != VERSION:
            raise AuditError(f"{self.path} is an export of version {told.get('version')}; this AYA reads {VERSION}.")
        self._keys = [KnownKey(**self._parsed(line)) for line in self._all("K")]
        self._prunings = [_pruning(self._parsed(line)) for line in self._all("P")]

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def public_keys(self) -> Sequence[KnownKey]:
        """The keys that signed."""
        return self._keys

    def prunings(self) -> Sequence[Pruning]:
        """What was pruned."""
        return self._prunings

    def seals(self) -> Iterator[Seal]:
        """The seals in their order."""
        while (line := self._take("S")) is not None:
            self._read["seals"] += 1
            yield _seal(self._parsed(line))
        self._read["unsealed"] = sum(1 for _ in self._all("U"))

    def lines(self, seal: Seal) -> Iterator[Line]:  # noqa: ARG002 - the file has them right behind their seal
        """The changes of the seal that was just given."""
        for line in self._all("C"):
            self._read["changes"] += 1
            yield self._number(line), line

    def finish(self, report: Report) -> None:
        """Add to a report whether the file is whole. To be called when all seals were read."""
        report.unsealed = self._read["unsealed"]
        # What was digested so far ends before the line that is looked at.
        digest = self._before_next.hexdigest()
        end = self._take("E")
        if end is None:
            what = f"a line beginning with {self._next[0]!r} is not expected there" if self._next else "it has no end"
            report.add(f"the export is cut short or edited: {what}")
            return
        if self._parsed(end) != {"sha256": digest, **self._read}:
            report.add("the export was edited: its bytes are not those that were written")
        if self._next is not None:
            report.add("the export was edited: something stands after its end")

    def _advance(self) -> None:
        self._before_next = self._digest.copy()
        try:
            line = self._file.readline(LONGEST_LINE_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise AuditError(f"{self.path} is cut short or damaged: {error}.", remedy="Copy it again.") from error
        self._digest.update(line)
        if not line:
            self._next = None
        elif line[1:2] != b"\t" or not line.endswith(b"\n"):
            raise AuditError(f"{self.path} is cut short or edited at {line[:60]!r}.", remedy="Copy it again.")
        else:
            self._next = (chr(line[0]), line[2:-1])

    def _take(self, letter: str) -> bytes | None:
        if self._next is None or self._next[0] != letter:
            return None
        line = self._next[1]
        self._advance()
        return line

    def _all(self, letter: str) -> Iterator[bytes]:
        while (line := self._take(letter)) is not None:
            yield line

    def _parsed(self, line: bytes) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except ValueError as error:
            raise AuditError(f"{self.path} was edited: {line[:60]!r} is no JSON ({error}).") from error
        if not isinstance(found, dict):
            raise AuditError(f"{self.path} was edited: {line[:60]!r} is no object.")
        return found

    def _number(self, line: bytes) -> int:
        number = self._parsed(line).get("id")
        if not isinstance(number, int):
            raise AuditError(f"{self.path} was edited: {line[:60]!r} is no change.")
        return number


def _opened(path: Path, mode: str, *, compressed: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, mode)) if compressed else cast(IO[bytes], path.open(mode))


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode()


def _seal_json(seal: Seal) -> dict[str, Any]:
    return {
        "seal_number": seal.seal_number,
        "first_leaf": seal.first_leaf,
        "tree_size": seal.tree_size,
        "changes": seal.changes,
        **{name: base64.b64encode(getattr(seal, name)).decode() for name in BYTES},
        "horizon": seal.horizon,
        "sealed_at": seal.sealed_at.isoformat(),
        "note": seal.note,
    }


def _pruning(told: dict[str, Any]) -> Pruning:
    try:
        return Pruning(**(told | {name: datetime.fromisoformat(told[name]) for name in TIMES}))
    except (KeyError, TypeError, ValueError) as error:
        raise AuditError(f"The export was edited: a pruning cannot be read ({error}).") from error


def _seal(told: dict[str, Any]) -> Seal:
    try:
        decoded = {name: base64.b64decode(told[name], validate=True) for name in BYTES}
        return Seal(**(told | decoded | {"sealed_at": datetime.fromisoformat(told["sealed_at"])}))
    except (KeyError, TypeError, ValueError) as error:
        raise AuditError(f"The export was edited: a seal cannot be read ({error}).") from error
