"""What a long trial is, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass

from bench._laboratory import Laboratory


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: in one line, and what broke the promise."""

    said: str
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """One long trial; its module's docstring says what is promised."""

    run: Callable[[Laboratory, int, int, Callable[[str], None]], Outcome]
    """Given a laboratory, how often, the seed of the chance, and whom to tell how far it is."""
    times: int
    """How often is promised."""
