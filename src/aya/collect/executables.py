"""Programs found on the machine: each once, however many symbolic links lead to it."""

import posixpath
from collections.abc import Iterable
from fnmatch import fnmatchcase

from aya.host.reading import Found, Links, Read, path_matches

LONGEST_CHAIN = 8
"""Links that lead on for longer lead nowhere."""


def reads_of(patterns: Iterable[str]) -> tuple[Read, ...]:
    """What to ask to find programs. A link is answered with its target; a plain file that it is none: it is there."""
    return tuple(Links(pattern) for pattern in patterns)


def there(found: Found, patterns: Iterable[str]) -> list[str]:
    """The paths that are there, links and plain files."""
    by_name: dict[str, list[str]] = {}
    for pattern in patterns:
        by_name.setdefault(posixpath.basename(pattern), []).append(pattern)
    return sorted(
        path
        for path in found.answers()
        for name, alike in by_name.items()
        if fnmatchcase(posixpath.basename(path), name) and any(path_matches(path, pattern) for pattern in alike)
    )


def target_of(found: Found, path: str) -> str:
    """Where a path leads, over the links that were read."""
    for _ in range(LONGEST_CHAIN):
        answer = found.answers().get(path)
        if answer is None or not answer.data:
            return path
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), answer.text))
    return path


def distinct(found: Found, paths: Iterable[str]) -> list[str]:
    """The paths without those that lead to another of them, or to the same file as one before; sorted."""
    paths = sorted(set(paths))
    plain = {path for path in paths if target_of(found, path) == path}
    chosen: dict[str, str] = {path: path for path in plain}
    for path in paths:
        chosen.setdefault(target_of(found, path), path)
    return sorted(chosen.values())
