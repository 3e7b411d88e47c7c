"""A model that is ready: texts to tokens, tokens to vectors."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding, Tokenizer

from aya.embedding.backend import Backend, Runner, Vectors
from aya.embedding.files import ModelFiles
from aya.embedding.prefixes import Role
from aya.errors import InferenceFailed, ModelUnusable, UsageError

CPU_BATCH_TOKENS, BATCH_TOKENS = 512, 8192
"""So many tokens, with those that only fill up, are run at once. On a CPU more make nothing faster: they leave its cache."""
CPU_FILL_TOKENS = 16
"""One more text joins a batch if no more tokens than these fill up the others: more cost a CPU more than a run of its own."""
BATCH_TEXTS = 64


@dataclass(frozen=True, slots=True)
class Tokenised:
    """A text as the model reads it: one part, or where it is longer than the model takes, several that follow each other."""

    parts: tuple[tuple[int, ...], ...]
    """Token ids of each part, with those that mark its beginning and end."""
    tokens: int
    """How many tokens the text has, without those marks and with its prefix."""


class Model:
    """A model that is ready. May be used by several threads."""

    def __init__(self, files: ModelFiles, backend: Backend, device: str) -> None:
        """Open it, and try it on one text. Raises ModelUnusable."""
        self.files = files
        self.tokenizer = _tokenizer(files)
        """Whole texts to tokens; it cuts nothing."""
        self._windows = Tokenizer.from_str(self.tokenizer.to_str())
        self._windows.enable_truncation(files.max_tokens)
        self._marks = self.tokenizer.num_special_tokens_to_add(is_pair=False)
        self._runner: Runner = backend.open(files, device)
        self.dimensions = self._dimensions()

    @property
    def name(self) -> str:
        """As the hub names it, the path of its folder, or that of the packaged one."""
        return self.files.name

    @property
    def revision(self) -> str:
        """Which files of that name exactly."""
        return self.files.revision

    @property
    def sha256(self) -> str:
        """SHA-256 of its weights, in hex."""
        return self.files.sha256

    @property
    def max_tokens(self) -> int:
        """So many tokens it takes at most, with those that mark beginning and end."""
        return self.files.max_tokens

    @property
    def device(self) -> str:
        """What it runs on."""
        return self._runner.device

    def embed(self, texts: Sequence[str], role: Role | str = Role.PASSAGE) -> Vectors:
        """The vectors of texts, float32 (n, d), each of length 1. Of a longer text only the beginning counts.

        Raises UsageError for a text of nothing, InferenceFailed when the model gives no vector.
        """
        tokenised = self.tokenise(texts, Role(role))
        found = np.empty((len(texts), self.dimensions), np.float32)
        for batch in self.batches([len(one.parts[0]) for one in tokenised]):
            found[batch] = self.run([tokenised[index].parts[0] for index in batch])
        return normalised(found)

    def tokenise(self, texts: Sequence[str], role: Role, places: Sequence[int] | None = None) -> list[Tokenised]:
        """The texts as the model reads them, its prefix before each. Raises UsageError for a text of nothing, which names it by
        its place: the one that `places` says, else that among these.
        """
        prefix = self.files.prefixes.of(role)
        try:
            encoded = self._windows.encode_batch([prefix + text for text in texts])
        except (TypeError, UnicodeEncodeError) as error:
            raise UsageError(
                f"A text cannot be read: {error}.", remedy="Texts are Unicode, without half characters."
            ) from error
        bare = len(self._windows.encode(prefix).ids) if prefix else self._marks
        found = [self._tokenised(one) for one in encoded]
        for index, one in enumerate(found):
            if one.tokens + self._marks <= bare:
                raise UsageError(
                    f"Text {places[index] if places else index} holds nothing that the model reads.",
                    remedy="Leave out texts that are empty or only blanks.",
                )
        return found

    def batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """The places of parts, put together by length, so that little only fills up: the shortest first."""
        most, fill = (CPU_BATCH_TOKENS, CPU_FILL_TOKENS) if self.device == "cpu" else (BATCH_TOKENS, BATCH_TOKENS)
        batch: list[int] = []
        for index in sorted(range(len(lengths)), key=lengths.__getitem__):
            # The one that comes last is the longest: the others are filled up to it.
            length = lengths[index]
            fits = len(batch) < BATCH_TEXTS and (len(batch) + 1) * length <= most
            if batch and not (fits and len(batch) * (length - lengths[batch[-1]]) <= fill):
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch

    def run(self, parts: Sequence[Sequence[int]]) -> Vectors:
        """The vectors of parts in one batch, float32 (n, d), not normalised. Raises InferenceFailed."""
        try:
            tokens = np.zeros((len(parts), max(map(len, parts))), np.int64)
            mask = np.zeros_like(tokens)
            for row, part in enumerate(parts):
                tokens[row, : len(part)] = part
                mask[row, : len(part)] = 1
            found = self._runner.vectors(tokens, mask)
        except Exception as error:  # its errors have nothing else in common
            said = " ".join(str(error).split())[:300]
            raise InferenceFailed(
                f"The model {self.name} failed: {said}", remedy="Other texts may well succeed."
            ) from error
        if not np.isfinite(found).all():
            raise InferenceFailed(
                f"The model {self.name} gave what is no number.", remedy="Leave out the text, or use another model."
            )
        return found

    def _tokenised(self, encoded: Encoding) -> Tokenised:
        windows = [encoded, *encoded.overflowing]
        return Tokenised(tuple(tuple(one.ids) for one in windows), sum(len(one.ids) - self._marks for one in windows))

    def _dimensions(self) -> int:
        try:
            found = self.run([self._windows.encode("one").ids])
        except InferenceFailed as error:
            raise ModelUnusable(error.message, remedy="Fetch or export the model again.") from error
        width = int(found.shape[1])
        if self.files.dimensions not in (None, width):
            raise ModelUnusable(
                f"The model {self.name} says that its vectors have {self.files.dimensions} dimensions, and gives {width}.",
                remedy="Its config.json and its weights are of different models: fetch it again.",
            )
        return width


def normalised(vectors: Vectors) -> Vectors:
    """Vectors of length 1; one of nothing stays so."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), np.float32)


def merged(parts: Vectors, tokens: Iterable[int]) -> Vectors:
    """The one vector of a text that was split: its parts' directions, each by its number of tokens."""
    weights = np.asarray(list(tokens), np.float32)
    return np.asarray(weights @ normalised(parts) / weights.sum(), np.float32)


def _tokenizer(files: ModelFiles) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(files.tokenizer))
    except Exception as error:  # its errors have nothing else in common
        raise ModelUnusable(
            f"{files.tokenizer} cannot be understood: {' '.join(str(error).split())[:300]}",
            remedy="Fetch the model again.",
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
