"""Files: those of a path that changed since they were read are read again, and those that are gone are told."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.documentation.secrets import without_secrets
from aya.errors import AyaError, HostError
from aya.host.document import FileRead, files_under, read_document
from aya.knowledge.document import Change, Document, Outcome
from aya.knowledge.embedder import Embedder
from aya.knowledge.extraction import Extraction
from aya.knowledge.ingest import Cut
from aya.model import Outcome as Look
from aya.redaction import Redactor

SCHEME = "file:"
FILE_LIMIT_BYTES = 64 * 1024 * 1024
"""A longer file is not read."""


class Files:
    """The files of one path."""

    def __init__(
        self,
        connection: Connection,
        embedder: Embedder,
        path: str,
        redactor: Redactor,
        node: str,
        category: str | None = None,
    ) -> None:
        """`category`: of these documents; None: the one they have."""
        self._embedder, self._redactor, self._node, self._category = embedder, redactor, node, category
        self.path = os.path.abspath(path)
        with translated(doing=f"looking for what is known of {self.path}"):
            known = rows(
                connection, query("known_documents"), {"set": embedder.set.id, "beginning": SCHEME + self.path}
            )
        below = SCHEME + self.path.rstrip("/") + "/"
        self._known = {
            row["source"]: row
            for row in known
            if row["source"] == SCHEME + self.path or row["source"].startswith(below)
        }

    def __iter__(self) -> Iterator[Cut | Outcome]:
        """What became of each file."""
        gone, not_seen = set(self._known), []
        with Extraction() as extraction:
            for one in files_under(self.path):
                file = one if isinstance(one, FileRead) else read_document(one, keep_bytes=FILE_LIMIT_BYTES)
                source = SCHEME + file.path
                if file.outcome is Look.ABSENT and source in self._known:
                    continue
                gone.discard(source)
                if file.sha256 is None:
                    not_seen.append(source.rstrip("/") + "/")
                    yield Outcome(source, Change.FAILED, file.reason)
                    continue
                yield self._looked_at(source, file, extraction)
        for source in sorted(gone):
            # What stands in a folder that could not be looked into may well be there.
            if not source.startswith(tuple(not_seen)):
                yield Outcome(source, Change.REMOVED)

    def _looked_at(self, source: str, file: FileRead, extraction: Extraction) -> Cut | Outcome:
        known = self._known.get(source)
        category = self._category or (known["category"] if known else None)
        if known and known["source_hash"] == file.sha256 and known["is_cut"] and known["category"] == category:
            return Outcome(source, Change.UNCHANGED)
        if file.data is None:
            return Outcome(source, Change.FAILED, f"It is longer than {FILE_LIMIT_BYTES:,} bytes.")
        try:
            extracted = extraction.read(file.path, file.data)
            if extracted is None:
                return Outcome(source, Change.SKIPPED, "It is no text.")
            content, secret_lines = without_secrets(extracted.text, self._redactor)
            title = self._redactor.text(extracted.title) if extracted.title else os.path.basename(file.path)
            document = Document(
                source=source,
                content=content,
                title=title,
                form=extracted.form,
                category=category,
                node_name=self._node,
                root=known["root"] if known else self.path,
                source_hash=file.sha256,
                modified_at=_modified_at(file.path),
                metadata=extracted.metadata | ({"secret_lines": list(secret_lines)} if secret_lines else {}),
            )
            passages = self._embedder.cutter.passages(document)
        except HostError as error:
            return Outcome(source, Change.FAILED, error.message)
        except AyaError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is in a file, it does not stop the rest
            return Outcome(source, Change.FAILED, f"It cannot be cut: {type(error).__name__}: {str(error)[:200]}")
        return Cut(document, passages, Change.CHANGED if known else Change.ADDED)


def _modified_at(path: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(os.stat(path).st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return None
