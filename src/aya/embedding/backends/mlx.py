"""MLX on Apple silicon, by mlx-embeddings: an extra."""

from typing import Any

import numpy as np

from aya.embedding.backend import Backend, Tokens, Vectors, optional
from aya.embedding.backends.onnx import pooled
from aya.embedding.files import ModelFiles, Pooling
from aya.errors import ModelUnusable


class Mlx:
    """A model that mlx-embeddings has opened."""

    device = "mlx"

    def __init__(self, model: Any, mlx: Any, pooling: Pooling) -> None:
        self._model = model
        self._mlx = mlx
        self._pooling = pooling

    def vectors(self, tokens: Tokens, mask: Tokens) -> Vectors:
        """One vector for each row of tokens, see `Runner`."""
        found = self._model(self._mlx.array(tokens), attention_mask=self._mlx.array(mask)).last_hidden_state
        return pooled(np.asarray(found.astype(self._mlx.float32)), mask, self._pooling)


def _open(files: ModelFiles, device: str) -> Mlx:
    if device not in ("auto", "mlx"):
        raise ModelUnusable(f"MLX does not run on {device}.", remedy="Leave AYA_EMBEDDING_DEVICE at auto.")
    library, mlx = optional("mlx_embeddings", "mlx"), optional("mlx.core", "mlx")
    try:
        model, _ = library.load(str(files.folder))
    except Exception as error:  # its errors have nothing else in common
        raise ModelUnusable(
            f"mlx-embeddings cannot open {files.folder}: {error}", remedy="Fetch the model again with all its files."
        ) from error
    return Mlx(model, mlx, files.pooling)


backend = Backend(_open)
