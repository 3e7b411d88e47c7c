"""The headings of a Markdown text, and under which of them a place in it stands."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt

DECORATION = str.maketrans("", "", "*`#")
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading."""

    offset: int
    """Where its line begins, in characters."""
    level: int
    text: str


def headings(text: str) -> list[Heading]:
    """All headings in order; what looks like one inside a block of code is none."""
    line_starts = [0]
    for line in text.split("\n"):
        line_starts.append(line_starts[-1] + len(line) + 1)
    tokens = _parser().parse(text)
    return [
        Heading(line_starts[opening.map[0]], int(opening.tag[1]), said)
        for opening, inline in pairwise(tokens)
        if opening.type == "heading_open" and opening.map and (said := _plain(inline.content))
    ]


@cache
def _parser() -> MarkdownIt:
    # Only blocks matter: what stands inside a paragraph need not be understood.
    return MarkdownIt("commonmark").disable(["inline", "text_join"])


def _plain(said: str) -> str:
    return " ".join(said.translate(DECORATION).split())[:LONGEST]


class Outline:
    """Under which headings the places of a text stand."""

    def __init__(self, found: Sequence[Heading]) -> None:
        self._offsets = [heading.offset for heading in found]
        self._paths: list[tuple[str, ...]] = []
        open_ones: list[Heading] = []
        for heading in found:
            open_ones = [*(one for one in open_ones if one.level < heading.level), heading]
            self._paths.append(tuple(one.text for one in open_ones))

    def path(self, offset: int) -> tuple[str, ...]:
        """The headings over a place, the outermost first; a heading stands under itself."""
        place = bisect_right(self._offsets, offset)
        return self._paths[place - 1] if place else ()
