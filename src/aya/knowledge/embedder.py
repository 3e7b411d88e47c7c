"""The model of a set of passages, opened only when something is embedded."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from threading import RLock

import orjson

from aya.db.connection import Connection
from aya.embedding import models
from aya.embedding.catalogue import register
from aya.embedding.model import Model
from aya.embedding.prefixes import Role
from aya.errors import ModelUnusable
from aya.knowledge.passages import Cutter
from aya.knowledge.sets import ChunkSet, active_set, begin_set
from aya.settings import Settings


class Embedder:
    """Cuts and embeds for one set."""

    def __init__(
        self, settings: Settings, connection: Connection, chosen: ChunkSet, progress: Callable[[str], None]
    ) -> None:
        self._settings, self._connection, self._progress = settings, connection, progress
        self.set = chosen
        self._model: Model | None = None
        self._cutter: Cutter | None = None
        self._opening = RLock()
        """Who reads ahead and who writes both need it."""

    @property
    def model(self) -> Model | None:
        """The model of the set; None where it has none. Raises ModelUnusable when it cannot be had, or has become another."""
        if self.set.model_name is None:
            return None
        with self._opening:
            if self._model is None:
                model = models.load(self._settings, self.set.model_name, self._progress)
                if register(self._connection, model) != self.set.model_id:
                    raise other_model(model, self.set)
                self._model = model
            return self._model

    @property
    def cutter(self) -> Cutter:
        """What cuts documents so that the model takes the passages whole."""
        with self._opening:
            if self._cutter is None:
                self._cutter = cutter_for(self.model)
            return self._cutter

    def vectors(self, texts: Sequence[str]) -> list[str]:
        """The vectors of texts, as pgvector writes them; none where the set has no model."""
        model = self.model if texts else None
        if model is None:
            return []
        return [orjson.dumps(one, option=orjson.OPT_SERIALIZE_NUMPY).decode() for one in model.embed(texts)]


def cutter_for(model: Model | None) -> Cutter:
    """What cuts for a model: its marks at beginning and end, and what it wants before a passage, are left room for."""
    if model is None:
        return Cutter()
    marks = len(model.tokenizer.encode(model.files.prefixes.of(Role.PASSAGE)).ids)
    return Cutter(model.tokenizer, model.max_tokens - marks)


def embedder(settings: Settings, connection: Connection, progress: Callable[[str], None]) -> Embedder:
    """For the set that is searched; where there is none, one is begun for the model that the options say, and without a
    model for words alone.
    """
    chosen = active_set(connection)
    if chosen is None:
        try:
            model = models.load(settings, None, progress)
            chosen = begin_set(connection, register(connection, model), model.dimensions)
        except ModelUnusable:
            chosen = begin_set(connection, None, None)
    return Embedder(settings, connection, chosen, progress)


@lru_cache(4)
def query_model(settings: Settings, name: str) -> Model:
    """The model of that name, kept for the next question: looking for its files costs more than embedding a question."""
    return models.load(settings, name)


def other_model(model: Model, chosen: ChunkSet) -> ModelUnusable:
    """That what is had under the name of a set's model makes other vectors."""
    return ModelUnusable(
        f"The model {model.name} is not the one of set {chosen.id} of passages: its files or prefixes changed.",
        remedy="`aya kb reembed` embeds them with the one that is here now.",
    )
