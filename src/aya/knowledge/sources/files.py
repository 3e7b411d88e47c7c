"""Files: those of some paths that changed since they were read are read again, and those that are gone are told."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

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
    """The files of some paths, each once."""

    def __init__(
        self,
        connection: Connection,
        embedder: Embedder,
        paths: Iterable[str],
        redactor: Redactor,
        node: str,
        category: str | None = None,
    ) -> None:
        """`category`: of these documents; None: the one they have."""
        self._embedder, self._redactor, self._node, self._category = embedder, redactor, node, category
        self._connection = connection
        self._known = {path: self._known_below(path) for path in map(os.path.abspath, paths)}

    def _known_below(self, path: str) -> dict[str, dict[str, Any]]:
        """What is known of the files of a path, by source."""
        itself = SCHEME + path
        with translated(doing=f"looking for what is known of {path}"):
            known = rows(
                self._connection, query("known_documents"), {"set": self._embedder.set.id, "beginning": itself}
            )
        below = itself.rstrip("/") + "/"
        return {row["source"]: row for row in known if row["source"] == itself or row["source"].startswith(below)}

    def __iter__(self) -> Iterator[Cut | Outcome]:
        """What became of each file."""
        seen: set[str] = set()
        with Extraction() as extraction:
            for path in self._known:
                yield from self._of_path(path, seen, extraction)

    def _of_path(self, path: str, seen: set[str], extraction: Extraction) -> Iterator[Cut | Outcome]:
        known, not_seen = self._known[path], []
        gone = set(known)
        for one in files_under(path):
            file = one if isinstance(one, FileRead) else read_document(one, keep_bytes=FILE_LIMIT_BYTES)
            source = SCHEME + file.path
            if file.outcome is Look.ABSENT and source in known:
                continue
            gone.discard(source)
            if source in seen:
                continue
            seen.add(source)
            if file.sha256 is None:
                not_seen.append(source.rstrip("/") + "/")
                yield Outcome(source, Change.FAILED, file.reason)
                continue
            yield self._looked_at(source, file, path, known.get(source), extraction)
        for source in sorted(gone - seen):
            # What stands in a folder that could not be looked into may well be there.
            if not source.startswith(tuple(not_seen)):
                seen.add(source)
                yield Outcome(source, Change.REMOVED)

    def _looked_at(
        self, source: str, file: FileRead, path: str, known: dict[str, Any] | None, extraction: Extraction
    ) -> Cut | Outcome:
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
                root=known["root"] if known else path,
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
