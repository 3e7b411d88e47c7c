"""sentence-transformers with torch: an extra, for models without ONNX and for comparison."""

from typing import Any

import numpy as np

from aya.embedding.backend import Backend, Tokens, Vectors, optional
from aya.embedding.files import ModelFiles
from aya.errors import ModelUnusable


class Torch:
    """A model that sentence-transformers has opened."""

    def __init__(self, model: Any, torch: Any) -> None:
        self._model = model
        self._torch = torch
        self.device = str(model.device)

    def vectors(self, tokens: Tokens, mask: Tokens) -> Vectors:
        """One vector for each row of tokens, see `Runner`."""
        given = {"input_ids": tokens, "attention_mask": mask}
        placed = {name: self._torch.from_numpy(value).to(self._model.device) for name, value in given.items()}
        with self._torch.inference_mode():
            found = self._model(placed)["sentence_embedding"]
        return np.asarray(found.float().cpu().numpy(), np.float32)


def _open(files: ModelFiles, device: str) -> Torch:
    library, torch = (
        optional("sentence_transformers", "sentence-transformers"),
        optional("torch", "sentence-transformers"),
    )
    try:
        model = library.SentenceTransformer(
            str(files.folder),
            device=None if device == "auto" else device,
            local_files_only=True,
            trust_remote_code=False,
        )
    except Exception as error:  # its errors have nothing else in common
        raise ModelUnusable(
            f"sentence-transformers cannot open {files.folder}: {error}",
            remedy="Fetch the model again with all its files.",
        ) from error
    return Torch(model.eval(), torch)


backend = Backend(_open)
