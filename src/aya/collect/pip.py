"""Python packages by the names of their metadata folders: `numpy-2.1.0.dist-info`."""

import re
from collections.abc import Iterable

from aya.collect.json_values import dig, items, parsed, words
from aya.collect.versions import by_number
from aya.model import Json, Software

LINE = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\s+|==)(?P<version>\d[\w.+!-]*)(?:\s.*)?")
"""A line of `pip list` or `pip freeze`. What stands over the table is no version."""
PACKAGE = re.compile(r"(?P<name>.+?)(?:-(?P<version>\d[^-]*|[^-]*\d[^-]*))?(?:-py\d[\d.]*)?\.(?:dist|egg)-info")


def packages_in_list(text: str) -> list[Software]:
    """What `pip list` prints, as JSON, as a table, or as `pip freeze` does; where the packages are, it does not say."""
    told = {words(dig(one, "name")): words(dig(one, "version")) for one in items(parsed(text))}
    if not told:
        lines = (re.fullmatch(LINE, line[:500]) for line in text.splitlines())
        told = {line["name"]: line["version"] for line in lines if line}
    return [
        Software(software_name=f"pip:{plain_name(name)}", software_version=version)
        for name, version in sorted((name, version) for name, version in told.items() if name and version)
    ]


def plain_name(name: str) -> str:
    """The name as pip compares names: `Typing_Extensions` is `typing-extensions`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages_in(paths: Iterable[str]) -> list[Software]:
    """One row for each package in each folder."""
    versions: dict[tuple[str, str], set[str | None]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        match = PACKAGE.fullmatch(name)
        if match is not None:
            plain = plain_name(match["name"])
            versions.setdefault((plain, folder), set()).add(match["version"])
    rows = []
    for (name, folder), found_versions in sorted(versions.items()):
        known = sorted((version for version in found_versions if version), key=by_number)
        metadata: dict[str, Json] = {"installed_versions": known} if len(known) > 1 else {}
        rows.append(
            Software(
                software_name=f"pip:{name}",
                software_version=known[-1] if known else None,
                install_path=folder,
                metadata=metadata,
            )
        )
    return rows
