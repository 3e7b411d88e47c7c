"""Which lines differ between two versions of a document."""

import difflib

from aya.errors import UsageError

COMPARED_LINES = 50_000
"""Finding the fewest lines that differ takes the square of them at worst."""


def difference(old: str, new: str, old_name: str, new_name: str) -> list[str]:
    """The lines as `diff -u` writes them; none where the texts are the same. Raises UsageError where too many differ."""
    before, after = old.splitlines(), new.splitlines()
    most = max(len(before), len(after)) - _alike(before, after)
    if most > COMPARED_LINES:
        raise UsageError(
            f"{most:,} lines differ between {old_name} and {new_name}, which is too much to compare line by line.",
            remedy="Compare the texts with a program made for it; `aya docs show` prints them.",
        )
    return list(difflib.unified_diff(before, after, old_name, new_name, lineterm=""))


def _alike(before: list[str], after: list[str]) -> int:
    """How many lines are the same at the beginning and at the end."""
    shorter = min(len(before), len(after))
    head = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    rest = shorter - head
    return head + next((n for n in range(rest) if before[-1 - n] != after[-1 - n]), rest)
