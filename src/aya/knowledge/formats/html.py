"""HTML: its text as Markdown, without scripts, styles, forms and navigation."""

import re
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import PreformattedString
from markdownify import MarkdownConverter

from aya.collect.runner import storable
from aya.errors import HostError
from aya.knowledge.document import Form
from aya.knowledge.format import Extracted, Format

NO_TEXT = (
    "script", "style", "noscript", "template", "nav", "aside", "footer", "form", "button", "input", "select", "svg", "iframe",
    "object", "embed", "canvas", "audio", "video", "head",
)  # fmt: skip
NAVIGATION = re.compile(
    r"nav(bar|header|footer|igation)?|(side|menu)-?bar|menu|breadcrumbs?|toc|table-of-contents|skip-?(link|nav)|(site|page)-?footer",
    re.I,
)
"""What the class, id or role of an element is called that only leads elsewhere."""
LONGEST_TERM = 200
BLANK_LINES = re.compile(r"\n{3,}")


class _Writer(MarkdownConverter):
    """What a list of definitions defines is a heading of the lowest level: passages begin with it, and are found by it."""

    def convert_dt(self, el: Any, text: str, parent_tags: set[str]) -> str:  # noqa: ARG002 - as the library calls it
        """What is defined."""
        said = " ".join(text.split())
        is_heading = 0 < len(said) <= LONGEST_TERM and "_inline" not in parent_tags
        return f"\n\n{'###### ' if is_heading else ''}{said}\n\n"

    def convert_dd(self, el: Any, text: str, parent_tags: set[str]) -> str:  # noqa: ARG002 - as the library calls it
        """Its definition."""
        return f"\n\n{text.strip()}\n\n"


def _read(data: bytes) -> Extracted:
    try:
        page = BeautifulSoup(data, "html.parser")
        title = page.title.get_text(" ", strip=True) if page.title else None
        for hidden in page.find_all(string=lambda said: isinstance(said, PreformattedString)):
            hidden.extract()  # comments and declarations
        for element in page.find_all(NO_TEXT):
            element.decompose()
        for element in page.find_all(_leads_elsewhere):
            element.decompose()
        # Addresses and pictures say nothing to who searches; the words of a link do.
        text = _Writer(heading_style="atx", strip=["a", "img"], escape_misc=False).convert_soup(page)
    except RecursionError as error:
        raise HostError("Its elements stand in one another too deep.", remedy="Make a simpler page of it.") from error
    text = BLANK_LINES.sub("\n\n", storable(text.replace("\xa0", " "))).strip()
    return Extracted(text, Form.MARKDOWN, " ".join(title.split()) if title else None)


def _leads_elsewhere(element: object) -> bool:
    attributes = getattr(element, "attrs", None) or {}
    named = [attributes.get("id"), attributes.get("role"), *(attributes.get("class") or ())]
    return any(isinstance(name, str) and NAVIGATION.fullmatch(name) for name in named)


format = Format(frozenset({".html", ".htm", ".xhtml"}), _read, is_confined=True)
