"""A document cut into passages that a model takes whole, along its headings, with exact offsets."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256

from semantic_text_splitter import MarkdownSplitter, TextSplitter
from tokenizers import Tokenizer

from aya.knowledge.document import Document, Form
from aya.knowledge.headings import Heading, Outline, headings

HEADING_TOKENS = 32
"""So many tokens of a passage are left for the headings that stand before it when it is embedded."""
CHARACTERS_PER_TOKEN = 4
"""By which texts are cut first: counting characters is many times quicker than counting tokens, and few turn out too long."""
CHARACTERS = 1000
"""Length of passages where no model says how much it takes."""
BETWEEN = " > "


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage."""

    start: int
    end: int
    text: str
    """The characters of the document from `start` up to `end`."""
    heading: str
    """The headings that it stands under."""
    embedded: str
    """What its vector is made of: it with its headings."""

    @property
    def text_hash(self) -> str:
        """SHA-256 of what its vector is made of, in hex."""
        return sha256(self.embedded.encode()).hexdigest()


class Cutter:
    """Cuts documents for one model, or for none."""

    def __init__(self, tokenizer: Tokenizer | None = None, max_tokens: int = 0) -> None:
        """`max_tokens`: how many of the model's are for the text, those that mark beginning and end not counted."""
        self._tokenizer = tokenizer
        self._tokens = max(8, max_tokens - HEADING_TOKENS) if tokenizer is not None else 0
        self._characters = self._tokens * CHARACTERS_PER_TOKEN if tokenizer is not None else CHARACTERS

    def passages(self, document: Document) -> list[Passage]:
        """The passages in order; none of what holds neither letter nor figure."""
        content = document.content
        if document.form is Form.FACTS:
            return [_passage(content, start, end, (document.title,), alone=True) for start, end in self._facts(content)]
        found = headings(content) if document.form is Form.MARKDOWN else []
        outline, splitter = Outline(found), self._markdown if document.form is Form.MARKDOWN else self._text
        pieces = [
            (start + further, text)
            for start, end in sections(content, found)
            for further, text in splitter.chunk_indices(content[start:end])
        ]
        return [
            _passage(content, start, end, _under(document.title, outline.path(start)), self._short)
            for start, end in self._fitting(pieces)
        ]

    @cached_property
    def _markdown(self) -> MarkdownSplitter:
        return MarkdownSplitter(self._characters)

    @cached_property
    def _text(self) -> TextSplitter:
        return TextSplitter(self._characters)

    @cached_property
    def _by_tokens(self) -> TextSplitter:
        return TextSplitter.from_huggingface_tokenizer(self._tokenizer, self._tokens)

    def _facts(self, content: str) -> Iterator[tuple[int, int]]:
        start = 0
        lines = []
        for line in content.split("\n"):
            lines.append((start, line))
            start += len(line) + 1
        yield from self._fitting(lines)

    def _fitting(self, pieces: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
        """Where the pieces stand; one that has too many tokens is cut again."""
        wanted = [(start, text) for start, text in pieces if any(map(str.isalnum, text))]
        if self._tokenizer is None:
            for start, text in wanted:
                for further, part in self._text.chunk_indices(text) if len(text) > CHARACTERS else [(0, text)]:
                    yield start + further, start + further + len(part)
            return
        counts = [
            len(one) for one in self._tokenizer.encode_batch([text for _, text in wanted], add_special_tokens=False)
        ]
        for (start, text), count in zip(wanted, counts, strict=True):
            if count <= self._tokens:
                yield start, start + len(text)
                continue
            for further, part in self._by_tokens.chunk_indices(text):
                if any(map(str.isalnum, part)):
                    yield start + further, start + further + len(part)

    @cached_property
    def _short(self) -> Callable[[str], str]:
        """Headings cut to what is left for them; the innermost stay."""
        if self._tokenizer is None:
            return lambda heading: heading
        tokenizer = self._tokenizer

        @lru_cache(4096)
        def short(heading: str) -> str:
            (encoded,) = tokenizer.encode_batch([heading], add_special_tokens=False)
            if len(encoded) <= HEADING_TOKENS - 2:
                return heading
            return heading[encoded.offsets[2 - HEADING_TOKENS][0] :]

        return short


def sections(content: str, found: Sequence[Heading]) -> Iterator[tuple[int, int]]:
    """Where the text under each heading stands, its line with it.

    A heading over nothing but deeper ones is no section: it stands over each of theirs.
    """
    if not found:
        yield 0, len(content)
        return
    if found[0].offset:
        yield 0, found[0].offset
    ends = [heading.offset for heading in found[1:]] + [len(content)]
    for place, (heading, end) in enumerate(zip(found, ends, strict=True)):
        line_end = content.find("\n", heading.offset)
        is_bare = line_end < 0 or not content[line_end:end].strip("\n =-")
        if not (is_bare and place + 1 < len(found) and found[place + 1].level > heading.level):
            yield heading.offset, end


def _under(title: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """Title and headings, without one that says the same as the one before."""
    both = (title, *path)
    return tuple(said for place, said in enumerate(both) if said and (place == 0 or said != both[place - 1]))


def _passage(
    content: str,
    start: int,
    end: int,
    under: tuple[str, ...],
    short: Callable[[str], str] = str,
    *,
    alone: bool = False,
) -> Passage:
    """`alone`: a fact says itself what it is about, and is embedded without its headings: once for all nodes."""
    text, heading = content[start:end], BETWEEN.join(under)
    return Passage(start, end, text, heading, text if alone else f"{short(heading)}\n{text}")
