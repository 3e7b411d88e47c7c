"""What a model wants to stand before a text, by the role that the text plays: many were trained on questions and passages that
begin differently, and find less without.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """`passage`: a text to be found. `query`: a text by which it is looked for."""

    PASSAGE = "passage"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What stands before a text of each role."""

    query: str = ""
    passage: str = ""

    def of(self, role: Role) -> str:
        """That of a role."""
        return self.query if role is Role.QUERY else self.passage


BGE = "Represent this sentence for searching relevant passages: "
FAMILIES: tuple[tuple[str, Prefixes], ...] = (
    (r"bge-(?:small|base|large)-en(?:-v1\.5)?", Prefixes(query=BGE)),
    (r"(?:multilingual-)?e5-(?:small|base|large)(?:-v2)?", Prefixes("query: ", "passage: ")),
    (r"nomic-embed-text-v1(?:\.5)?", Prefixes("search_query: ", "search_document: ")),
    (r"snowflake-arctic-embed-(?:xs|s|m|l)", Prefixes(query=BGE)),
    (r"mxbai-embed-large-v1", Prefixes(query=BGE)),
)
"""What the cards of these models say; their folders do not."""
QUERY, PASSAGE = ("query",), ("passage", "document")
"""How a folder may name its prompts (`config_sentence_transformers.json`)."""


def prefixes_of(name: str, prompts: Mapping[str, object]) -> Prefixes:
    """The prefix of each role: what the model's folder says, else what is known of its family, else nothing."""
    last = name.rstrip("/").rsplit("/", 1)[-1].lower()
    known = next((prefixes for pattern, prefixes in FAMILIES if re.fullmatch(pattern, last)), Prefixes())
    return Prefixes(_said(prompts, QUERY) or known.query, _said(prompts, PASSAGE) or known.passage)


def _said(prompts: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((text for name in names if isinstance(text := prompts.get(name), str)), "")
