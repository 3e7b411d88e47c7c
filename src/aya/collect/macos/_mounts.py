"""What is mounted on a Mac, and how full it is: `mount` and `df`."""

import re
from dataclasses import dataclass

from aya.collect.filesystem import Usage

MOUNT = re.compile(r"(?P<source>\S.*?) on (?P<mount>/.*) \((?P<options>[^()]*)\)\s*")
LONGEST_LINE = 4096
REAL = re.compile(
    r"apfs|hfs|msdos|exfat|ntfs|ufs|zfs|cd9660|udf|cddafs|smbfs|nfs|afpfs|webdav|ftp|vmhgfs|.*fuse.*|ufsd_.*|tuxera_.*"
)
"""File systems that keep somebody's data; the others are inventions of the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of `mount`."""

    source: str
    mount: str
    type: str
    options: tuple[str, ...]

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written there."""
        return "read-only" in self.options

    @property
    def real(self) -> bool:
        """Whether it is a place for files, and neither an invention of the kernel nor a snapshot of another."""
        return bool(REAL.fullmatch(self.type)) and "@/dev/" not in self.source


def mounts_in(text: str) -> list[Mount]:
    """The lines of `mount`, in order of place. The person who mounted something is left out."""
    mounts = {}
    for line in text.splitlines():
        match = MOUNT.fullmatch(line) if len(line) <= LONGEST_LINE else None
        if match is not None:
            kind, *options = [option.strip() for option in match["options"].split(",")]
            mounts[match["mount"]] = Mount(
                source=match["source"],
                mount=match["mount"],
                type=kind,
                options=tuple(sorted(option for option in options if not option.startswith("mounted by "))),
            )
    return [mount for _, mount in sorted(mounts.items())]


ROW = re.compile(
    r"(?P<source>\S.*?)\s+(?P<size>\d+)\s+(?P<used>\d+)\s+(?P<free>-?\d+)\s+\d+%"
    r"(?:\s+-?\d+\s+-?\d+\s+(?:\d+%|-))?\s+(?P<mount>/.*?)\s*"
)


def usages_in(text: str) -> dict[str, Usage]:
    """The lines of `df`, by mount point; none where it printed sizes for people (`-h`), which are not exact."""
    lines = text.removeprefix("\ufeff").splitlines()
    unit = re.search(r"\b(\d{3,4})-blocks\b", lines[0]) if lines else None
    usages: dict[str, Usage] = {}
    for line in lines[1:] if unit else ():
        match = ROW.fullmatch(line) if len(line) <= LONGEST_LINE else None
        if match is not None and unit is not None and all(len(match[n]) < 22 for n in ("size", "used", "free")):
            usages[match["mount"]] = Usage(
                source=match["source"],
                type=None,
                mount=match["mount"],
                size_bytes=int(match["size"]) * int(unit[1]),
                used_bytes=int(match["used"]) * int(unit[1]),
                free_bytes=max(0, int(match["free"])) * int(unit[1]),
            )
    return usages
