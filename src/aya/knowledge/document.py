"""What a document of the knowledge base is, wherever it comes from, and what becomes of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Form(StrEnum):
    """How a text is cut into passages: along its Markdown headings, as plain text, or line by line."""

    MARKDOWN = "markdown"
    TEXT = "text"
    FACTS = "facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document, cleaned and without secrets."""

    source: str
    """By which it is known again: file:/PATH, documentation:/PATH, state:NODE/…."""
    content: str
    title: str
    form: Form = Form.MARKDOWN
    category: str | None = None
    node_name: str | None = None
    root: str | None = None
    source_hash: str | None = None
    """SHA-256, in hex, of what it was read from."""
    modified_at: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


class Change(StrEnum):
    """What became of a document."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    """It is no longer where it was."""
    SKIPPED = "skipped"
    """It is no text and no kind of file that can be made into one."""
    FAILED = "failed"
    """It could not be read; what was known of it before stays."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document."""

    source: str
    change: Change
    reason: str = ""
    passages: int = 0
    """How many it has now."""
    embedded: int = 0
    """How many of them were embedded now; the others were known."""
