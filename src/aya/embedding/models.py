"""Which model is used: the one that was named, else the default of the hub, else the packaged one."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from aya.embedding.backend import backends
from aya.embedding.files import ModelFiles, read_folder
from aya.embedding.hub import fetched
from aya.embedding.model import Model
from aya.embedding.packaged import NAME as PACKAGED
from aya.embedding.packaged import packaged
from aya.embedding.prefixes import Prefixes
from aya.errors import ConfigurationError, ModelUnusable
from aya.settings import Settings

DEFAULT = "BAAI/bge-base-en-v1.5"


def load(settings: Settings, name: str | None = None, progress: Callable[[str], None] = lambda _: None) -> Model:
    """The model to use, ready; opened once for all of this program. `name`: another than the options say.

    Raises ModelUnusable when it cannot be had. Only the default has a substitute, the packaged model; `files.instead` tells.
    """
    files = find(settings, name, progress)
    query, passage = settings.embedding_query_prefix, settings.embedding_passage_prefix
    prefixes = Prefixes(
        files.prefixes.query if query is None else query, files.prefixes.passage if passage is None else passage
    )
    progress(f"loading the model {files.name}")
    return _opened(replace(files, prefixes=prefixes), settings.embedding_backend, settings.embedding_device)


def find(settings: Settings, name: str | None = None, progress: Callable[[str], None] = lambda _: None) -> ModelFiles:
    """Its files, without opening it. Raises ModelUnusable."""
    wanted, kept = name or settings.embedding_model, settings.home / "models"
    if wanted is None:
        try:
            return fetched(DEFAULT, kept, progress)
        except ModelUnusable as error:
            return packaged(instead=error.message)
    if wanted == PACKAGED:
        return packaged()
    folder = Path(wanted).expanduser()
    if wanted.startswith(("/", ".", "~")) or folder.is_dir():
        return read_folder(folder.absolute(), str(folder.absolute()))
    return fetched(wanted, kept, progress)


@lru_cache(2)
def _opened(files: ModelFiles, backend: str, device: str) -> Model:
    there = backends()
    if backend not in there:
        raise ConfigurationError(f"There is no backend {backend}.", remedy=f"There are: {', '.join(there)}.")
    return Model(files, there[backend], device)
