"""Keep `documentation_files` in step with a file: a new content is a new version, and older ones stay."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.documentation.copies import compare_copies
from aya.documentation.secrets import without_secrets
from aya.documentation.text import text_of
from aya.host.document import FileRead
from aya.host.local import FILE_LIMIT_BYTES
from aya.model import Outcome
from aya.redaction import Redactor

BINARY = "it is no text"
TOO_LONG = f"it is longer than {FILE_LIMIT_BYTES:,} bytes"


class Change(StrEnum):
    """What recording a document did."""

    ADDED = "added"
    NEW_VERSION = "new version"
    CHANGED = "changed"
    """Only what is said of it: category, description, copies, or what counts as a secret."""
    UNCHANGED = "unchanged"
    MISSING = "missing"
    """The file is gone; what was recorded of it stays."""
    NOT_READ = "not read"
    """It could not be looked at; what was recorded of it stays."""


@dataclass(frozen=True, slots=True)
class DocumentRecorded:
    """What became of one document."""

    file_path: str
    change: Change
    reason: str = ""
    """Why it was not read, or why its text is not kept."""
    id: int | None = None
    """Number of the row of its latest version; None: nothing is recorded of it."""
    file_size_bytes: int | None = None
    file_hash: str | None = None
    secret_lines: tuple[int, ...] = ()
    """Lines on which secrets stand, from 1: they are in the file, and not in what is stored."""
    sync_status: dict[str, str] | None = None
    """Its copies: `same`, `differs`, or why that is not known."""

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look: it is gone, could not be read, or a copy is not the same."""
        copies = (self.sync_status or {}).values()
        return self.change in (Change.MISSING, Change.NOT_READ) or any(copy != "same" for copy in copies)


def record_document(
    connection: Connection,
    file: FileRead,
    redactor: Redactor,
    *,
    node: str,
    category: str | None = None,
    description: str | None = None,
    copies: Sequence[str] | None = None,
) -> DocumentRecorded:
    """Record a file of a node as it was read (`aya.host.document.read_document`), its text without secrets.

    What is None stays as it was recorded. The same content again writes nothing. Raises DatabaseError.
    """
    path = os.path.abspath(file.path)
    with translated(doing=f"recording the document {path}"), connection.transaction():
        rows(connection, query("lock_document"), {"node": node, "path": path})
        known = rows(connection, query("latest_document"), {"node": node, "path": path})
        latest = known[0] if known else None
        if file.outcome is not Outcome.OK or file.sha256 is None:
            return _not_there(connection, path, file, latest)
        return _there(connection, path, file, redactor, node, latest, category, description, copies)


def _not_there(
    connection: Connection, path: str, file: FileRead, latest: dict[str, Any] | None
) -> DocumentRecorded:  # fmt: skip
    number = latest["id"] if latest else None
    if file.outcome is Outcome.ABSENT and latest:
        rows(connection, query("note_document_missing"), {"id": number})
        return DocumentRecorded(path, Change.MISSING, file.reason, number)
    return DocumentRecorded(path, Change.NOT_READ, file.reason, number)


def _there(
    connection: Connection,
    path: str,
    file: FileRead,
    redactor: Redactor,
    node: str,
    latest: dict[str, Any] | None,
    category: str | None,
    description: str | None,
    copies: Sequence[str] | None,
) -> DocumentRecorded:
    text = None if file.data is None else text_of(file.data)
    problem = TOO_LONG if file.data is None else BINARY if text is None else None
    content, secret_lines = without_secrets(text, redactor) if text is not None else (None, ())
    before = latest or {"category": None, "description": None, "sync_locations": []}
    locations = before["sync_locations"] or [] if copies is None else [os.path.abspath(copy) for copy in copies]
    status = compare_copies(file.sha256 or "", [place for place in locations if isinstance(place, str)])
    wanted = {
        "node_name": node,
        "file_path": path,
        "file_name": os.path.basename(path),
        "file_size_bytes": file.size_bytes,
        "file_hash": file.sha256,
        "category": before["category"] if category is None else category,
        "description": before["description"] if description is None else description,
        "content": content,
        "sync_locations": locations,
        "sync_status": status,
        "secret_lines": list(secret_lines),
        "text_problem": problem,
    }
    if latest is None:
        change = Change.ADDED
    elif latest["file_hash"] != file.sha256:
        change = Change.NEW_VERSION
    elif latest["missing_since"] or any(latest[name] != value for name, value in wanted.items()):
        change = Change.CHANGED
    else:
        change = Change.UNCHANGED
    number = latest["id"] if latest else None
    if change is not Change.UNCHANGED:
        name = "update_document" if change is Change.CHANGED else "insert_document_version"
        number = rows(connection, query(name), {"id": number, "document": orjson.dumps(wanted).decode()})[0]["id"]
    return DocumentRecorded(
        path, change, problem or "", number, file.size_bytes, file.sha256, secret_lines, status or None
    )  # fmt: skip
