"""Write a document and its passages in one transaction: whatever is broken off, each document is there whole or as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.knowledge.document import Document
from aya.knowledge.passages import Passage


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it is in the database."""

    id: int
    content_hash: str


def put_document(connection: Connection, document: Document) -> Written:
    """Write a document, found again by its source. For within a transaction."""
    said = {
        "source": document.source,
        "content": document.content,
        "title": document.title,
        "format": document.form.value,
        "category": document.category,
        "node_name": document.node_name,
        "root": document.root,
        "source_hash": document.source_hash,
        "modified_at": document.modified_at,
        "metadata": document.metadata,
    }
    values = {"document": orjson.dumps(said).decode()}
    # Somebody else wrote the same at the same moment: this statement did not see theirs yet, the next one does.
    found = rows(connection, query("put_knowledge_document"), values) or rows(
        connection, query("put_knowledge_document"), values
    )
    return Written(**found[0])


def put_passages(
    connection: Connection,
    set_id: int,
    document: Written,
    passages: Sequence[Passage],
    vectors: Mapping[str, str],
) -> None:
    """Make the passages of a document in a set what they are now. Those whose text stays keep their row and vector.

    `vectors`: by `text_hash`, as pgvector writes them; a text without one has none. For within a transaction.
    """
    # Whoever writes the passages of the same document at the same moment waits, and then finds these.
    rows(connection, "SELECT FROM documents WHERE id = %(id)s FOR UPDATE", {"id": document.id})
    there: dict[str, list[int]] = {}
    for row in reversed(rows(connection, query("chunks_of_document"), {"document": document.id, "set": set_id})):
        there.setdefault(row["text_hash"], []).append(row["id"])
    chunks: list[dict[str, Any]] = []
    for place, passage in enumerate(passages):
        text_hash = passage.text_hash
        known = there.get(text_hash)
        kept = known.pop() if known else None
        chunk: dict[str, Any] = {
            "id": kept,
            "chunk_index": place,
            "heading": passage.heading,
            "start_offset": passage.start,
            "end_offset": passage.end,
        }
        if kept is None:
            chunk |= {"chunk_text": passage.text, "text_hash": text_hash, "embedding": vectors.get(text_hash)}
        chunks.append(chunk)
    rows(
        connection,
        query("put_chunks"),
        {
            "set": set_id,
            "document": document.id,
            "content_hash": document.content_hash,
            "chunks": orjson.dumps(chunks).decode(),
        },
    )


def remove_documents(connection: Connection, sources: Sequence[str]) -> int:
    """Remove documents; how many there were. Raises DatabaseError."""
    with translated(doing="removing documents"):
        return len(rows(connection, query("remove_documents"), {"sources": list(sources)}))


def known_vectors(connection: Connection, set_id: int, hashes: Sequence[str]) -> dict[str, str]:
    """The vectors that a set has already of texts, by their hashes."""
    found = rows(connection, query("vectors_of_texts"), {"set": set_id, "hashes": list(hashes)})
    return {row["text_hash"]: row["embedding"] for row in found}
