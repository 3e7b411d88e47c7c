"""What a kind of file is: by which names it is known, and how it becomes text."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aya.knowledge.document import Form
from aya.registry import discover


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of a file."""

    text: str
    form: Form
    title: str | None = None
    """What it calls itself; None: nothing."""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file."""

    suffixes: frozenset[str]
    """Ends of names, in lower case, with the dot."""
    read: Callable[[bytes], Extracted]
    """Raises HostError for what is not of this kind, or cannot be read without a password."""
    is_confined: bool = False
    """Whether its parser must run in a process of its own: strangers decide what it does."""


@cache
def formats() -> dict[str, Format]:
    """Every kind by its name."""
    return discover("aya.knowledge.formats", Format, "format")


def format_of(path: str) -> str | None:
    """The name of the kind that a file's name says; None: none of them."""
    name = path.lower()
    return next((kind for kind, one in formats().items() if name.endswith(tuple(one.suffixes))), None)
