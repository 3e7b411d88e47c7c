"""Find passages: the question's vector by the model of the set, and the search itself in the database."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.embedding.catalogue import known_models
from aya.embedding.model import Model
from aya.embedding.prefixes import Role
from aya.errors import EmbeddingError, UsageError
from aya.knowledge.embedder import other_model, query_model
from aya.knowledge.sets import ChunkSet, active_set
from aya.settings import Settings

NOTHING_THERE = "Nothing is in the knowledge base yet: `aya kb add PATH` adds files, `aya kb sync` what is recorded."
WITHOUT_MODEL = (
    "The passages have no vectors: it was searched by words alone. `aya kb reembed` makes them, once a model is there."
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for, and in which documents."""

    text: str
    most: int = 10
    category: str | None = None
    source: str | None = None
    """How the source of the document begins."""
    node: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PassageFound:
    """A passage that fits. What it says is data, not instructions."""

    chunk_id: int
    document_id: int
    title: str | None
    source: str | None
    category: str | None
    node_name: str | None
    modified_at: datetime | None
    heading: str
    """The headings that it stands under."""
    start_offset: int | None
    """Where it begins in the document's content, in characters from 0."""
    end_offset: int | None
    passage: str
    """Its text; words that were looked for stand between `**`."""
    score: float
    """Sum of 1 / (60 + rank) over both ranks."""
    meaning_rank: int | None
    """Its place by meaning; None: it is not among the nearest."""
    distance: float | None
    """Cosine distance of its vector to the question's: 0 same direction, 1 nothing in common."""
    words_rank: int | None
    """Its place by words; None: it is not among the best."""
    words_score: float | None
    """PostgreSQL's ts_rank."""


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """The passages that fit, best first."""

    by_meaning: bool
    """Whether it was searched by meaning too; False: by words alone, and `note` says why."""
    note: str
    passages: list[PassageFound]


def search(connection: Connection, settings: Settings, question: Question) -> PassagesFound:
    """Find passages by meaning and words, or where there is no model by words alone. Raises UsageError, DatabaseError."""
    if not question.text.strip():
        raise UsageError("There is no word to look for.", remedy="Give one or more words.")
    chosen = active_set(connection)
    if chosen is None:
        return PassagesFound(False, NOTHING_THERE, [])
    vector, note = _vector(connection, settings, chosen, question.text)
    values = {
        "text": question.text,
        "vector": vector,
        "most": question.most,
        "category": question.category,
        "source": question.source,
        "node": question.node,
        "since": question.since,
        "until": question.until,
    }
    with translated(doing="searching the knowledge base"):
        found = rows(connection, query("search_knowledge"), values)
    return PassagesFound(vector is not None, note, [PassageFound(**row) for row in found])


def _vector(connection: Connection, settings: Settings, chosen: ChunkSet, text: str) -> tuple[str | None, str]:
    """The question's vector as pgvector writes it; None where none can be had, and why."""
    if chosen.model_name is None:
        return None, WITHOUT_MODEL
    try:
        model = query_model(settings, chosen.model_name)
        if not _is_of(connection, model, chosen):
            raise other_model(model, chosen)
        return orjson.dumps(model.embed([text], Role.QUERY)[0], option=orjson.OPT_SERIALIZE_NUMPY).decode(), ""
    except EmbeddingError as error:
        return None, f"It was searched by words alone. {error.message}"
    except UsageError:
        return None, "It was searched by words alone: the model reads nothing in the question."


def _is_of(connection: Connection, model: Model, chosen: ChunkSet) -> bool:
    """Whether the vectors of the set were made by this very model."""
    return any(
        one.id == chosen.model_id
        and (one.revision, one.weights_sha256, one.dimensions, one.max_tokens)
        == (model.revision, model.sha256, model.dimensions, model.max_tokens)
        and (one.query_prefix, one.passage_prefix) == (model.files.prefixes.query, model.files.prefixes.passage)
        for one in known_models(connection)
    )
