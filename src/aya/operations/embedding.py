"""Embeddings from the command line: of a few texts, and which models there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from aya.db.database import Login
from aya.embedding import models
from aya.embedding.catalogue import KnownModel, known_models
from aya.embedding.prefixes import Role
from aya.errors import AyaError
from aya.operations.context import Context
from aya.operations.operation import operation


@dataclass(frozen=True, slots=True)
class TextEmbedded:
    """One text and its vector."""

    text: str
    tokens: int
    truncated: bool
    """Whether it is longer than the model takes, so that only its beginning counts."""
    embedding: list[float]


@dataclass(frozen=True, slots=True)
class TextsEmbedded:
    """The vectors of texts, of one model."""

    model: str
    revision: str
    dimensions: int
    instead: str | None
    """Why this model was used in place of the default; null where it was not."""
    texts: list[TextEmbedded]


@dataclass(frozen=True, slots=True)
class ModelHere:
    """A model whose files are on this machine."""

    name: str
    revision: str
    dimensions: int | None
    max_tokens: int
    pooling: str
    weights_sha256: str
    folder: str
    used: bool
    """Whether it is the one that is used now."""


@dataclass(frozen=True, slots=True)
class EmbeddingModels:
    """The models there are."""

    here: list[ModelHere]
    problem: str | None
    """Why the model that was named cannot be used; null where it can, or is still to be fetched."""
    known: list[KnownModel] | None
    """Those of which the database holds vectors; null where it could not be asked."""
    known_problem: str | None


@operation(command="embed text")
def embed_text(
    context: Context,
    texts: Annotated[Sequence[str], "The texts, each an argument."],
    *,
    role: Annotated[Literal["passage", "query"], "passage: to be found; query: to find others by."] = "passage",
) -> TextsEmbedded:
    """The vectors of a few texts, made here without the service.

    Raises ModelUnusable when there is no model, UsageError for a text of nothing.
    """
    model = models.load(context.settings, progress=context.progress)
    context.progress("embedding")
    tokenised = model.tokenise(texts, Role(role))
    vectors = model.embed(texts, role)
    return TextsEmbedded(
        model.name,
        model.revision,
        model.dimensions,
        model.files.instead or None,
        [
            TextEmbedded(text, one.tokens, len(one.parts) > 1, vector.tolist())
            for text, one, vector in zip(texts, tokenised, vectors, strict=True)
        ],
    )


@operation(command="embed models")
def embedding_models(context: Context) -> EmbeddingModels:
    """The models whose files are here, which of them is used, and those of which the database holds vectors."""
    known: list[KnownModel] | None = None
    problem = known_problem = None
    try:
        with context.database.connect(Login.READER) as connection:
            known = known_models(connection)
    except AyaError as error:
        known_problem = error.message
    try:
        here = models.here(context.settings)
    except AyaError as error:
        here, problem = [], error.message
    used = models.used(context.settings, here)
    return EmbeddingModels(
        [
            ModelHere(
                one.name,
                one.revision,
                one.dimensions,
                one.max_tokens,
                str(one.pooling),
                one.sha256,
                str(one.folder),
                one is used,
            )
            for one in here
        ],
        problem,
        known,
        known_problem,
    )
