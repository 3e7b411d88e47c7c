"""Python packages by the names of their metadata folders: `numpy-2.1.0.dist-info`."""

import re
from collections.abc import Iterable

from aya.collect.versions import by_number
from aya.model import Json, Software

PACKAGE = re.compile(r"(?P<name>.+?)(?:-(?P<version>\d[^-]*|[^-]*\d[^-]*))?(?:-py\d[\d.]*)?\.(?:dist|egg)-info")


def packages_in(paths: Iterable[str]) -> list[Software]:
    """One row for each package in each folder."""
    versions: dict[tuple[str, str], set[str | None]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        match = PACKAGE.fullmatch(name)
        if match is not None:
            plain = re.sub(r"[-_.]+", "-", match["name"]).lower()
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
