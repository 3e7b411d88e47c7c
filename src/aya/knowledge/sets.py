"""Sets of passages: each was cut and embedded for one model, one of them is searched."""

from dataclasses import dataclass

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query


@dataclass(frozen=True, slots=True)
class ChunkSet:
    """One set."""

    id: int
    model_id: int | None
    """None: it has no vectors."""
    model_name: str | None
    dimensions: int | None
    is_active: bool
    """It is the one that is searched."""
    index_method: str
    lists: int | None


def all_sets(connection: Connection) -> list[ChunkSet]:
    """Every set; the one that is searched first."""
    with translated(doing="reading the sets of passages"):
        return [ChunkSet(**row) for row in rows(connection, query("list_chunk_sets"))]


def active_set(connection: Connection) -> ChunkSet | None:
    """The set that is searched; None while there is none."""
    return next((one for one in all_sets(connection) if one.is_active), None)


def begin_set(connection: Connection, model_id: int | None, dimensions: int | None) -> ChunkSet:
    """The set of a model (None: of none), made now if it is new. The first of all is searched at once."""
    with translated(doing="beginning a set of passages"), connection.transaction():
        rows(connection, query("put_chunk_set"), {"model": model_id, "dimensions": dimensions})
        return next(one for one in all_sets(connection) if one.model_id == model_id)


def activate(connection: Connection, chosen: ChunkSet) -> None:
    """From now on search that set; the others go, with their passages and indexes."""
    with translated(doing="switching to the new passages"), connection.transaction():
        others = [one for one in all_sets(connection) if one.id != chosen.id]
        connection.execute("UPDATE aya.chunk_sets SET is_active = false WHERE is_active AND id <> %s", (chosen.id,))
        connection.execute(
            "UPDATE aya.chunk_sets SET is_active = true, activated_at = coalesce(activated_at, now()) WHERE id = %s",
            (chosen.id,),
        )
        for one in others:
            rows(connection, "SELECT aya.drop_chunks(%(id)s)", {"id": one.id})
