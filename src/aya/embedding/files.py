"""The files of a model: which they are, and what they say about it. Read and checked before anything of them is run."""

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import file_digest
from pathlib import Path
from typing import Any

from aya.embedding.prefixes import Prefixes, prefixes_of
from aya.errors import ModelUnusable

WEIGHTS = ("onnx/model.onnx", "model.onnx", "onnx/model_quantized.onnx", "model_quantized.onnx", "onnx/model_int8.onnx")
"""Where the ONNX file of a model stands, the first that is there."""
JSON_LIMIT_BYTES = 1024 * 1024
MAX_TOKENS = 512
"""Of a model that does not say how many it takes: as many as BERT."""


class Pooling(StrEnum):
    """How the vectors of tokens become one: the `mean` of all, or that of the first token (`cls`)."""

    MEAN = "mean"
    CLS = "cls"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """One model on this disk."""

    name: str
    """As the hub names it, the path of its folder, or `packaged`."""
    revision: str
    """Which files exactly: the hub's commit, else the beginning of their SHA-256."""
    folder: Path
    weights: Path | None
    """The ONNX file; None where there is none, which only other backends can run."""
    tokenizer: Path
    sha256: str
    """SHA-256 of the weights, in hex."""
    pooling: Pooling
    max_tokens: int
    """So many tokens it takes at most, with those that mark beginning and end."""
    dimensions: int | None
    """As its configuration says; None where it says nothing."""
    prefixes: Prefixes
    instead: str = ""
    """Why it is used in place of the one that was wanted; empty where it is that one."""


def read_folder(folder: Path, name: str, revision: str | None = None) -> ModelFiles:
    """What a folder holds, laid out as on the hub. `revision`: by default the beginning of the SHA-256 of the weights.

    Raises ModelUnusable that names the file that is missing or wrong.
    """
    if not folder.is_dir():
        raise ModelUnusable(
            f"{folder} is no folder.", remedy=f"A model is a folder with tokenizer.json and {WEIGHTS[0]}."
        )
    tokenizer = folder / "tokenizer.json"
    if not tokenizer.is_file():
        raise ModelUnusable(
            f"The model in {folder} has no tokenizer.json.",
            remedy="Fetch the model again with all its files, or export its tokenizer with `save_pretrained`.",
        )
    weights = next((folder / one for one in WEIGHTS if (folder / one).is_file()), None)
    hashed = weights or folder / "model.safetensors"
    if not hashed.is_file():
        raise ModelUnusable(
            f"The model in {folder} has no weights: none of {', '.join(WEIGHTS)} is there.",
            remedy="Export it to ONNX, for example with `optimum-cli export onnx`.",
        )
    sha256 = sha256_of(hashed)
    config = _json(folder / "config.json")
    dimensions = config.get("hidden_size")
    return ModelFiles(
        name=name,
        revision=revision or f"sha256:{sha256[:16]}",
        folder=folder,
        weights=weights,
        tokenizer=tokenizer,
        sha256=sha256,
        pooling=_pooling(folder),
        max_tokens=_max_tokens(folder, config),
        dimensions=dimensions if isinstance(dimensions, int) else None,
        prefixes=prefixes_of(name, _prompts(folder)),
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex. Raises ModelUnusable when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnusable(f"{path} cannot be read: {error.strerror}.", remedy="Let it be read.") from error


def _pooling(folder: Path) -> Pooling:
    said = _json(folder / "1_Pooling" / "config.json")
    modes = {
        name.removeprefix("pooling_mode_")
        for name, on in said.items()
        if name.startswith("pooling_mode_") and on is True
    }
    if not modes or modes == {"mean_tokens"}:
        return Pooling.MEAN
    if modes == {"cls_token"}:
        return Pooling.CLS
    raise ModelUnusable(
        f"The model in {folder} wants the pooling {', '.join(sorted(modes))}.",
        remedy="AYA does mean_tokens and cls_token.",
    )


def _max_tokens(folder: Path, config: dict[str, Any]) -> int:
    """The least of what its files say."""
    said = (
        _json(folder / "sentence_bert_config.json").get("max_seq_length"),
        _json(folder / "tokenizer_config.json").get("model_max_length"),
        config.get("max_position_embeddings"),
    )
    found = [value for value in said if isinstance(value, int) and not isinstance(value, bool) and value > 2]
    return min(found, default=MAX_TOKENS)


def _prompts(folder: Path) -> dict[str, Any]:
    said = _json(folder / "config_sentence_transformers.json").get("prompts")
    return said if isinstance(said, dict) else {}


def _json(path: Path) -> dict[str, Any]:
    """What a file says; nothing where there is none."""
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(JSON_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnusable(f"{path} cannot be understood: {error}.", remedy="Fetch the model again.") from error
    if not isinstance(said, dict):
        raise ModelUnusable(f"{path} is not an object of JSON.", remedy="Fetch the model again.")
    return said
