"""Which model is used: the one that was named, else the default of the hub, else the packaged one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from aya.embedding.backend import backends
from aya.embedding.files import ModelFiles, read_folder
from aya.embedding.hub import fetched, kept
from aya.embedding.model import Model
from aya.embedding.packaged import NAME as PACKAGED
from aya.embedding.packaged import packaged
from aya.embedding.prefixes import Prefixes
from aya.errors import ConfigurationError, ModelUnusable
from aya.settings import Settings

DEFAULT = "BAAI/bge-base-en-v1.5"
FOLDER = "models"
"""Of AYA_HOME, where what the hub gives is kept."""


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
    wanted, folder = name or settings.embedding_model, settings.home / FOLDER
    if wanted is None:
        try:
            return fetched(DEFAULT, folder, progress)
        except ModelUnusable as error:
            return packaged(instead=error.message)
    if wanted == PACKAGED:
        return packaged()
    if (own := _folder(wanted)) is not None:
        return read_folder(own, str(own))
    return fetched(wanted, folder, progress)


def here(settings: Settings) -> list[ModelFiles]:
    """The models whose files are on this machine: the packaged one, those fetched from the hub, and a folder that was named.

    Raises ModelUnusable when one of them is broken.
    """
    own = _folder(settings.embedding_model) if settings.embedding_model else None
    return [packaged(), *kept(settings.home / FOLDER), *([read_folder(own, str(own))] if own is not None else [])]


def used(settings: Settings, there: Sequence[ModelFiles]) -> ModelFiles | None:
    """Which of these is used now; None for one that is still to be fetched."""
    wanted = settings.embedding_model
    own = _folder(wanted) if wanted else None
    names = (str(own or wanted),) if wanted else (DEFAULT, PACKAGED)
    return next((one for name in names for one in there if one.name == name), None)


def _folder(wanted: str) -> Path | None:
    """The folder that a name means; None where it is one of the hub."""
    folder = Path(wanted).expanduser()
    return folder.absolute() if wanted.startswith(("/", ".", "~")) or folder.is_dir() else None


@lru_cache(2)
def _opened(files: ModelFiles, backend: str, device: str) -> Model:
    there = backends()
    if backend not in there:
        raise ConfigurationError(f"There is no backend {backend}.", remedy=f"There are: {', '.join(there)}.")
    return Model(files, there[backend], device)
