"""How files of the kernel show the words that can be set, and which of them is."""

import re


def chosen(text: str | None) -> str | None:
    """The word in brackets: `always [madvise] never`."""
    choice = re.search(r"\[([\w-]+)\]", text or "")
    return choice[1] if choice else None
