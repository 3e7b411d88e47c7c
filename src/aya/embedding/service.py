"""The embedding service without its port: the model loaded beside everything else, the cache asked, what is missing batched."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import Any

import numpy as np

from aya.db.database import Database
from aya.embedding.backend import Vectors
from aya.embedding.batcher import Batcher, Outcome
from aya.embedding.cache import Cache, Entry, text_key
from aya.embedding.figures import Figures
from aya.embedding.kept import KeptCache
from aya.embedding.model import Model, merged, normalised
from aya.embedding.models import load
from aya.embedding.prefixes import Role
from aya.errors import AyaError, Defect, InferenceFailed, ModelNotReady, ModelUnusable, TextsTooLarge, UsageError
from aya.settings import Settings

FEW_CHARACTERS = 4000
"""Texts that are no longer together are tokenised at once: going to another thread would take longer."""


class Overlong(StrEnum):
    """What becomes of a text that is longer than the model takes: only its beginning counts (`truncate`), the vectors of its
    parts are merged (`split`), or the request is refused (`refuse`).
    """

    TRUNCATE = "truncate"
    SPLIT = "split"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for."""

    texts: Sequence[str]
    role: Role = Role.PASSAGE
    overlong: Overlong = Overlong.TRUNCATE
    normalize: bool = True
    dimensions: int | None = None
    """Only so many of each vector; None: all."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What came of it."""

    vectors: Vectors
    """float32 (n, d)."""
    tokens: tuple[int, ...]
    parts: tuple[int, ...]
    """In how many parts the model would read each text; more than 1: it is over-long."""
    cached: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """What there is once the model is loaded."""

    model: Model
    cache: Cache
    batcher: Batcher
    kept: KeptCache | None


class Service:
    """Embeds for everybody who asks."""

    def __init__(self, settings: Settings, database: Database | None = None) -> None:
        """`database`: where the cache is kept, if it is to be."""
        self._settings = settings
        self._database = database if settings.embedding_cache_kept else None
        self._tokenising = ThreadPoolExecutor(1, "aya-tokenising")
        self._ready: Ready | None = None
        self._loading: threading.Thread | None = None
        self._doing = "not started"
        self._problem: AyaError | None = None
        self.figures = Figures()

    def start(self) -> None:
        """Begin to load the model, beside everything else."""
        self._loading = threading.Thread(target=self._load, name="aya-embedding-load", daemon=True)
        self._loading.start()

    def close(self) -> None:
        """End, and keep what is to be kept."""
        if self._loading is not None and self._ready is None and self._problem is None:
            return  # a model that is still being fetched is not waited for
        self._tokenising.shutdown(cancel_futures=True)
        if (ready := self._ready) is not None:
            ready.batcher.close()
            if ready.kept is not None:
                ready.kept.close()

    @property
    def waiting(self) -> int:
        """So many texts wait for the model."""
        return self._ready.batcher.waiting if self._ready else 0

    @property
    def cache(self) -> Cache | None:
        """The cache, once the model is loaded."""
        return self._ready.cache if self._ready else None

    def ready(self) -> Ready:
        """The model with its cache. Raises ModelNotReady while it is loaded, and whatever kept it from being loaded."""
        if self._ready is not None:
            return self._ready
        if self._problem is not None:
            raise ModelUnusable(self._problem.message, remedy=self._problem.remedy)
        raise ModelNotReady(
            f"The model is not ready: {self._doing}.", remedy="Ask again soon; /health says how far it is."
        )

    def health(self) -> dict[str, Any]:
        """Whether it can embed, with what, or why not yet."""
        if self._ready is None:
            return {
                "ready": False,
                "status": "failed" if self._problem else "loading",
                "reason": self._problem.message if self._problem else self._doing,
                **({"remedy": self._problem.remedy} if self._problem else {}),
            }
        model = self._ready.model
        return {
            "ready": True,
            "status": "ready",
            "model": model.name,
            "revision": model.revision,
            "dimensions": model.dimensions,
            "max_tokens": model.max_tokens,
            "pooling": str(model.files.pooling),
            "device": model.device,
            "instead": model.files.instead or None,
        }

    def stats(self) -> dict[str, Any]:
        """What it did, and what waits."""
        ready = self._ready
        cache = {
            "entries": len(ready.cache) if ready else 0,
            "size_bytes": ready.cache.size_bytes if ready else 0,
            "limit_bytes": self._settings.embedding_cache_bytes,
            "kept": ready is not None and ready.kept is not None,
            "kept_problem": ready.kept.problem if ready and ready.kept else None,
        }
        queue = {"waiting": self.waiting, "limit": self._settings.embedding_queue_texts}
        return self.figures.document() | {"cache": cache, "queue": queue}

    async def embed(self, asked: Asked) -> Embedded:
        """The vectors of texts. Cancelled, it takes back what still waits.

        Raises ModelNotReady; UsageError for texts of nothing; TextsTooLarge; TooManyRequests when too much waits;
        InferenceFailed when the model gives no vector for one of them.
        """
        began = perf_counter()
        ready = self.ready()
        self._check(asked, ready)
        prefix = ready.model.files.prefixes.of(asked.role)
        keys = [text_key(text, prefix, split=asked.overlong is Overlong.SPLIT) for text in asked.texts]
        entries = {key: entry for key in keys if (entry := ready.cache.get(key)) is not None}
        hits = tuple(key in entries for key in keys)
        missing: dict[bytes, int] = {}
        for place, key in enumerate(keys):
            if key not in entries:
                missing.setdefault(key, place)
        if missing:
            try:
                entries |= await self._made(ready, asked, missing)
            except InferenceFailed:
                self.figures.failed_one()
                raise
        found = [entries[key] for key in keys]
        if asked.overlong is Overlong.REFUSE:
            _refuse_overlong({place: (one.tokens, one.parts) for place, one in enumerate(found)}, ready.model)
        self.figures.answered(
            texts=len(keys),
            tokens=sum(one.tokens for one in found),
            hits=sum(hits),
            overlong=sum(one.parts > 1 for one in found),
            seconds=perf_counter() - began,
        )
        vectors = np.ascontiguousarray(np.stack([one.vector for one in found])[:, : asked.dimensions])
        return Embedded(
            normalised(vectors) if asked.normalize else vectors,
            tuple(one.tokens for one in found),
            tuple(one.parts for one in found),
            hits,
        )

    def _check(self, asked: Asked, ready: Ready) -> None:
        if not asked.texts:
            raise UsageError("There is no text to embed.", remedy="Send one or more.")
        if len(asked.texts) > self._settings.embedding_texts:
            raise TextsTooLarge(
                f"{len(asked.texts):,} texts are more than the {self._settings.embedding_texts:,} that are taken at once.",
                remedy="Send them in several requests, or raise AYA_EMBEDDING_TEXTS.",
            )
        if asked.dimensions is not None and not 1 <= asked.dimensions <= ready.model.dimensions:
            raise UsageError(
                f"The model {ready.model.name} gives {ready.model.dimensions} dimensions, not {asked.dimensions}.",
                remedy=f"Ask for 1 to {ready.model.dimensions}.",
            )

    async def _made(self, ready: Ready, asked: Asked, missing: dict[bytes, int]) -> dict[bytes, Entry]:
        """The entries of texts that are not known yet; `missing` says where each stands in the request."""
        ready.batcher.refuse_if_full(len(missing))
        places = list(missing.values())
        texts = [asked.texts[place] for place in places]
        if sum(map(len, texts)) <= FEW_CHARACTERS:
            tokenised = ready.model.tokenise(texts, asked.role, places)
        else:
            tokenised = await asyncio.get_running_loop().run_in_executor(
                self._tokenising, ready.model.tokenise, texts, asked.role, places
            )
        if asked.overlong is Overlong.REFUSE:
            lengths = {place: (one.tokens, len(one.parts)) for place, one in zip(places, tokenised, strict=True)}
            _refuse_overlong(lengths, ready.model)
        used = [one.parts if asked.overlong is Overlong.SPLIT else one.parts[:1] for one in tokenised]
        done: asyncio.Future[list[Outcome]] = asyncio.wrap_future(
            ready.batcher.submit([part for parts in used for part in parts])
        )
        outcomes = iter(await done)
        made: dict[bytes, Entry] = {}
        failed: InferenceFailed | None = None
        for (key, place), one, parts in zip(missing.items(), tokenised, used, strict=True):
            vectors = []
            for _ in parts:
                outcome = next(outcomes)
                if isinstance(outcome, InferenceFailed):
                    failed = InferenceFailed(f"Text {place}: {outcome.message}", remedy=outcome.remedy)
                else:
                    vectors.append(outcome)
            if len(vectors) == len(parts):
                vector = vectors[0] if len(parts) == 1 else merged(np.stack(vectors), map(len, parts))
                made[key] = Entry(vector, one.tokens, len(one.parts))
                ready.cache.put(key, made[key])
        if failed is not None:
            raise failed
        return made

    def _load(self) -> None:
        def say(what: str) -> None:
            self._doing = what

        say("loading")
        try:
            model = load(self._settings, progress=say)
            cache = Cache(self._settings.embedding_cache_bytes, keeps=self._database is not None)
            kept = KeptCache(self._database, cache, model) if self._database is not None else None
            self._ready = Ready(model, cache, Batcher(model, self._settings.embedding_queue_texts, self.figures), kept)
        except AyaError as error:
            self._problem = error
        except Exception as error:  # noqa: BLE001 - nobody else would ever hear of it
            self._problem = Defect(f"The model could not be loaded: {type(error).__name__}: {error}")


def _refuse_overlong(lengths: Mapping[int, tuple[int, int]], model: Model) -> None:
    """Raise TextsTooLarge when a text is longer than the model takes; given the tokens and parts of each, by its place."""
    for place, (tokens, parts) in lengths.items():
        if parts > 1:
            raise TextsTooLarge(
                f"Text {place} has {tokens:,} tokens, and the model {model.name} takes {model.max_tokens} with its marks.",
                remedy='Send less, or ask for "overlong": "truncate" (its beginning counts) or "split" (its parts are merged).',
            )
