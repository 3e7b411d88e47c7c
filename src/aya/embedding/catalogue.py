"""The models that are known to the database: vectors name theirs by its number, and are compared with no other's."""

from dataclasses import dataclass
from datetime import datetime

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.embedding.model import Model


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that vectors were made with."""

    id: int
    name: str
    revision: str
    dimensions: int
    max_tokens: int
    pooling: str
    query_prefix: str
    passage_prefix: str
    weights_sha256: str
    """In hex."""
    first_used_at: datetime


def register(connection: Connection, model: Model) -> int:
    """The model's number, by which its vectors are known; made now for one that is new. Raises DatabaseError."""
    values = {
        "name": model.name,
        "revision": model.revision,
        "weights_sha256": bytes.fromhex(model.sha256),
        "dimensions": model.dimensions,
        "max_tokens": model.max_tokens,
        "pooling": str(model.files.pooling),
        "query_prefix": model.files.prefixes.query,
        "passage_prefix": model.files.prefixes.passage,
    }
    with translated(doing="looking for the model"):
        found = rows(connection, query("put_embedding_model"), values)
        # Somebody else made it at the same moment: this statement did not see theirs yet, the next one does.
        number: int = (found or rows(connection, query("put_embedding_model"), values))[0]["id"]
    return number


def known_models(connection: Connection) -> list[KnownModel]:
    """Every model that vectors were made with, the oldest first."""
    with translated(doing="reading the models"):
        return [KnownModel(**row) for row in rows(connection, query("list_embedding_models"))]
