"""What is recorded in this database: the documentation, and the state itself, one document for each part of a node."""

from collections.abc import Iterator
from typing import Any

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.knowledge.document import Change, Document, Form, Outcome
from aya.knowledge.embedder import Embedder
from aya.knowledge.ingest import Cut

SOURCES = {"documentation:": "knowledge_documentation", "state:": "knowledge_state"}
"""How their sources begin, and the query that gives the documents as they are now."""


def recorded(connection: Connection, embedder: Embedder) -> Iterator[Cut | Outcome]:
    """What became of each document; those of which nothing is recorded any more are gone."""
    for beginning, name in SOURCES.items():
        with translated(doing=f"reading {name.replace('_', ' ')}"):
            known = rows(connection, query("known_documents"), {"set": embedder.set.id, "beginning": beginning})
            now = rows(connection, query(name))
        before = {row["source"]: row for row in known}
        for row in now:
            yield _looked_at(row, before.pop(row["source"], None), embedder)
        for source in before:
            yield Outcome(source, Change.REMOVED)


def to_cut(connection: Connection, embedder: Embedder) -> Iterator[Cut | Outcome]:
    """Documents whose passages the set lacks: entered by hand, or there before the set was begun."""
    from aya.knowledge.store import Written

    after = 0
    while True:
        with translated(doing="looking for documents without passages"):
            found = rows(connection, query("documents_to_cut"), {"set": embedder.set.id, "after": after})
        if not found:
            return
        for row in found:
            after = row["id"]
            written = Written(row.pop("id"), row.pop("content_hash"))
            row["source"] = row["source"] or f"document {written.id}"
            document = _document(row)
            yield Cut(document, embedder.cutter.passages(document), Change.CHANGED, written)


def _looked_at(row: dict[str, Any], known: dict[str, Any] | None, embedder: Embedder) -> Cut | Outcome:
    if known and known["is_cut"] and known["source_hash"] == row["source_hash"]:
        return Outcome(row["source"], Change.UNCHANGED)
    document = _document(row)
    return Cut(document, embedder.cutter.passages(document), Change.CHANGED if known else Change.ADDED)


def _document(row: dict[str, Any]) -> Document:
    row = dict(row)
    return Document(form=Form(row.pop("format")), title=row.pop("title") or "", **row)
