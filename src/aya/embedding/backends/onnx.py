"""ONNX Runtime: on the CPU, or on what else of this machine it can use."""

from typing import Any

import numpy as np
import onnxruntime

from aya.embedding.backend import Backend, Tokens, Vectors
from aya.embedding.files import ModelFiles, Pooling
from aya.errors import ModelUnusable

PROVIDERS = {"cuda": "CUDAExecutionProvider", "coreml": "CoreMLExecutionProvider", "cpu": "CPUExecutionProvider"}
"""By device, the fastest first."""
SEQUENCES, TOKENS = 2, 3
"""Dimensions of an output that holds one vector for each text, or one for each token."""


class Session:
    """A model that ONNX Runtime has opened."""

    def __init__(self, session: Any, pooling: Pooling) -> None:
        self._session = session
        self._pooling = pooling
        self._takes = {one.name for one in session.get_inputs()}
        self._output = _output(session)
        names = {provider: device for device, provider in PROVIDERS.items()}
        self.device = names.get(session.get_providers()[0], "cpu")

    def vectors(self, tokens: Tokens, mask: Tokens) -> Vectors:
        """One vector for each row of tokens, see `Runner`."""
        given = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
        (found,) = self._session.run(
            [self._output], {name: value for name, value in given.items() if name in self._takes}
        )
        return np.ascontiguousarray(
            found if found.ndim == SEQUENCES else pooled(found, mask, self._pooling), np.float32
        )


def pooled(found: Vectors, mask: Tokens, pooling: Pooling) -> Vectors:
    """The vectors of tokens (n, t, d) made one for each text (n, d)."""
    if pooling is Pooling.CLS:
        return np.asarray(found[:, 0], np.float32)
    weight = mask.astype(np.float32)
    return np.asarray(np.einsum("ntd,nt->nd", found, weight) / weight.sum(axis=1, keepdims=True), np.float32)


def _open(files: ModelFiles, device: str) -> Session:
    if files.weights is None:
        raise ModelUnusable(
            f"The model in {files.folder} has no ONNX file.",
            remedy="Export it to ONNX, or set AYA_EMBEDDING_BACKEND to one that reads other files.",
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(files.weights), options, providers=_providers(device))
    except Exception as error:  # its errors have nothing else in common
        raise ModelUnusable(
            f"{files.weights} cannot be opened: {_said(error)}", remedy="Fetch or export the model again."
        ) from error
    return Session(session, files.pooling)


def _providers(device: str) -> list[str]:
    """Those to try, one after the other."""
    there = onnxruntime.get_available_providers()
    if device == "auto":
        return [provider for provider in PROVIDERS.values() if provider in there]
    wanted = PROVIDERS.get(device, "")
    if wanted not in there:
        can = ", ".join(name for name, provider in PROVIDERS.items() if provider in there)
        raise ModelUnusable(
            f"ONNX Runtime cannot run on {device} here.",
            remedy=f"It can on: {can}. For CUDA install onnxruntime-gpu in place of onnxruntime.",
        )
    return [wanted] if device == "cpu" else [wanted, PROVIDERS["cpu"]]


def _output(session: Any) -> str:
    """The output to read: the vector of the whole text where the model makes one, else those of its tokens."""
    outputs: dict[str, int] = {one.name: len(one.shape) for one in session.get_outputs()}
    if outputs.get("sentence_embedding") == SEQUENCES:
        return "sentence_embedding"
    if tokens := [name for name, dimensions in outputs.items() if dimensions == TOKENS]:
        return "last_hidden_state" if "last_hidden_state" in tokens else tokens[0]
    raise ModelUnusable(
        f"The model gives {', '.join(outputs)}, none of which holds the vectors of tokens.",
        remedy="Export it for feature extraction.",
    )


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


backend = Backend(_open)
