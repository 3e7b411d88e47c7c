"""How the copies of a document compare with it: by hash, not by name or time."""

from collections.abc import Iterable

from aya.host.document import read_document
from aya.model import Outcome

SAME, DIFFERS = "same", "differs"


def compare_copies(sha256: str, paths: Iterable[str]) -> dict[str, str]:
    """Of each path `same`, `differs`, or the reason why that is not known, as that there is no file."""
    found = {}
    for path in paths:
        copy = read_document(path, keep_bytes=0)
        if copy.outcome is Outcome.OK:
            found[path] = SAME if copy.sha256 == sha256 else DIFFERS
        else:
            found[path] = copy.reason
    return found
