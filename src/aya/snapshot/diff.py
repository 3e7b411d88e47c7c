"""What differs between two state documents: by node and section for people, as RFC 6902 JSON Patch for programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aya.snapshot.document import Document

MISSING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs. `old` or `new` is None where there was or is none; `change` tells."""

    node: str
    section: str
    """Empty when a whole node came or went."""
    key: str
    """The row, empty for the node itself."""
    path: tuple[str | int, ...]
    """The field inside the row; empty when the whole row came or went."""
    change: str
    """added, removed or changed."""
    old: Any
    new: Any


def diff(before: Document, after: Document) -> list[Difference]:
    """Everything that differs, in the order of nodes, sections, rows and fields."""
    return list(_nodes(before["nodes"], after["nodes"]))


def json_patch(before: Document, after: Document) -> list[dict[str, Any]]:
    """The operations that turn `before` into `after`, as RFC 6902."""
    return list(_operations((), before, after))


def _nodes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    for node in sorted(before.keys() | after.keys()):
        old, new = before.get(node), after.get(node)
        if old is None or new is None:
            yield Difference(node, "", "", (), "added" if old is None else "removed", old, new)
            continue
        yield from _fields(node, "node", "", (), old["node"], new["node"])
        for section in sorted((old.keys() | new.keys()) - {"node"}):
            yield from _section(node, section, old.get(section, {}), new.get(section, {}))


def _section(node: str, section: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    for key in sorted(before.keys() | after.keys()):
        if key not in before:
            yield Difference(node, section, key, (), "added", None, after[key])
        elif key not in after:
            yield Difference(node, section, key, (), "removed", before[key], None)
        else:
            yield from _fields(node, section, key, (), before[key], after[key])


def _fields(node: str, section: str, key: str, path: tuple[str | int, ...], old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _fields(node, section, key, (*path, name), old.get(name, MISSING), new.get(name, MISSING))
    elif not _same(old, new):
        change = "added" if old is MISSING else "removed" if new is MISSING else "changed"
        yield Difference(
            node, section, key, path, change, None if old is MISSING else old, None if new is MISSING else new
        )


def _operations(path: tuple[str, ...], old: Any, new: Any) -> Iterator[dict[str, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() - new.keys()):
            yield {"op": "remove", "path": _pointer((*path, name))}
        for name in sorted(new.keys() - old.keys()):
            yield {"op": "add", "path": _pointer((*path, name)), "value": new[name]}
        for name in sorted(old.keys() & new.keys()):
            yield from _operations((*path, name), old[name], new[name])
    elif not _same(old, new):
        yield {"op": "replace", "path": _pointer(path), "value": new}


def _same(old: Any, new: Any) -> bool:
    """Equal as JSON: to Python 1 equals True, to JSON it does not."""
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[name], new[name]) for name in old)
    return bool(old == new)


def _pointer(path: tuple[str, ...]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
