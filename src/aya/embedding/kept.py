"""The cache in PostgreSQL: read when the service starts, written behind, so that no request waits for a database."""

import threading
from collections.abc import Callable

import numpy as np

from aya.db.connection import Connection, rows, translated
from aya.db.database import Database, Login
from aya.db.queries import query
from aya.embedding.cache import Cache, Entry
from aya.embedding.catalogue import register
from aya.embedding.model import Model
from aya.errors import AyaError

WRITE_EVERY_S = 10.0
STORED = np.dtype("<f4")


class KeptCache:
    """Keeps what a cache holds in step with the database."""

    def __init__(self, database: Database, cache: Cache, model: Model) -> None:
        """Read what was kept of this model, the newest first, and from now on write what is new.

        A database that cannot be had is no reason not to embed: `problem` says what it was.
        """
        self._database = database
        self._cache = cache
        self._model = model
        self._model_id: int | None = None
        self._ended = threading.Event()
        self.problem: str | None = None
        self._try(self._read)
        self._thread = threading.Thread(target=self._work, name="aya-embedding-cache", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is new, and end."""
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.wait(WRITE_EVERY_S):
            self._try(self._write)
        self._try(self._write)

    def _try(self, do: Callable[[Connection, int], None]) -> None:
        try:
            with self._database.connect(Login.WRITER) as connection:
                if self._model_id is None:
                    self._model_id = register(connection, self._model)
                do(connection, self._model_id)
            self.problem = None
        except AyaError as error:
            self.problem = error.message

    def _read(self, connection: Connection, model_id: int) -> None:
        with translated(doing="reading the cache of embeddings"):
            found = rows(
                connection,
                query("read_embedding_cache"),
                {"model_id": model_id, "limit_bytes": self._cache.limit_bytes},
            )
        for row in reversed(found):
            vector = np.frombuffer(row["vector"], STORED).astype(np.float32)
            if vector.size == self._model.dimensions:
                self._cache.put(row["text_key"], Entry(vector, row["tokens"], row["parts"]), is_new=False)

    def _write(self, connection: Connection, model_id: int) -> None:
        new = self._cache.take_new()
        if not new:
            return
        values = {
            "model_id": model_id,
            "keys": [key for key, _ in new],
            "vectors": [entry.vector.astype(STORED).tobytes() for _, entry in new],
            "tokens": [entry.tokens for _, entry in new],
            "parts": [entry.parts for _, entry in new],
        }
        try:
            with translated(doing="keeping the cache of embeddings"), connection.transaction():
                connection.execute(query("put_embedding_cache").encode(), values)
                connection.execute(query("trim_embedding_cache").encode(), {"limit_bytes": self._cache.limit_bytes})
        except AyaError:
            self._cache.give_back([key for key, _ in new])
            raise
