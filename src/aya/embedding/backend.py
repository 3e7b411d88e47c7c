"""What a backend is: it opens the files of a model, and then makes a batch of tokens into vectors."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aya.embedding.files import ModelFiles
from aya.errors import ModelUnusable
from aya.registry import discover

Vectors = NDArray[np.float32]
Tokens = NDArray[np.int64]


class Runner(Protocol):
    """An opened model."""

    @property
    def device(self) -> str:
        """What it runs on, as `cpu`."""
        ...

    def vectors(self, tokens: Tokens, mask: Tokens) -> Vectors:
        """One vector for each row of tokens, float32 (n, d), pooled and not normalised. `mask`: 1 where a token stands, 0
        where nothing does. Whatever the library raises.
        """
        ...


@dataclass(frozen=True, slots=True)
class Backend:
    """One way to run models."""

    open: Callable[[ModelFiles, str], Runner]
    """Given the files and the device that is wanted (`auto`, or one that the backend knows). Raises ModelUnusable."""


def backends() -> dict[str, Backend]:
    """Every backend by its name."""
    return discover("aya.embedding.backends", Backend, "backend")


def optional(module: str, extra: str) -> Any:
    """A library that is no part of AYA unless it was asked for. Raises ModelUnusable when it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ModelUnusable(
            f"The backend {extra} needs {module}, which cannot be imported: {error}.",
            remedy=f"Install AYA with it: `pip install 'aya[{extra}]'`; or leave AYA_EMBEDDING_BACKEND as it is.",
        ) from error
