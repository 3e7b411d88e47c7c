"""File systems: what is mounted where (the kernel's lists, `mount`, `findmnt`), and how large and full it is (`df`)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aya.collect.filesystem import Usage, filesystem_as_json
from aya.collect.json_values import dig, items, parsed, words
from aya.model import Json

REAL_FILESYSTEMS = re.compile(
    r"ext[234]|xfs|btrfs|zfs|bcachefs|f2fs|jfs|reiserfs|nilfs2|ntfs3?|fuseblk|vfat|msdos|exfat|hfs(plus)?|apfs|udf|iso9660"
    r"|ufs|ubifs|jffs2|erofs|squashfs|nfs4?|cifs|smb3|9p|virtiofs|ceph|gfs2|ocfs2|lustre|gpfs|beegfs|glusterfs|afs|overlay"
    r"|fuse\.(sshfs|glusterfs|s3fs|ceph|mergerfs|ntfs-3g|ntfs|exfat|rclone|zfs)"
)
IMAGES = {"squashfs", "erofs", "overlay"}
"""Real only where the system itself runs from them."""

LONGEST_LINE = 8192
"""Of `df`: two paths of the longest kind that Linux has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of /proc/self/mountinfo."""

    device_number: str
    root: str
    mount: str
    type: str
    source: str
    read_only: bool
    options: tuple[str, ...]


def _plain(text: str) -> str:
    r"""Paths in mountinfo write blanks and the like as octal, `\040`."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def mounts_in(text: str) -> list[Mount]:
    """The lines of /proc/self/mountinfo that can be understood, in their order."""
    mounts = []
    for line in text.split("\n"):  # the kernel escapes no other sign that ends a line somewhere
        left, separator, right = line.partition(" - ")
        before, after = left.split(" "), right.split(" ")
        if not separator or len(before) < 6 or len(after) < 3:
            continue
        # Options of the mount, then those of the file system; it is writable only where both say so.
        options = {*before[5].split(","), *after[2].split(",")}
        read_only = "ro" in options
        mounts.append(
            Mount(
                device_number=before[2],
                root=_plain(before[3]),
                mount=_plain(before[4]),
                type=after[0],
                source=_plain(after[1]),
                read_only=read_only,
                options=tuple(sorted(options - {"rw"} if read_only else options)),
            )
        )
    return mounts


def mounts_in_table(text: str) -> list[Mount]:
    """The lines of /proc/mounts, which names no device numbers."""
    rows = (line.split(" ") for line in text.split("\n"))
    return [_mount(_plain(row[0]), _plain(row[1]), row[2], row[3]) for row in rows if len(row) >= 4]


def mounts_printed(text: str) -> list[Mount]:
    """The lines of `mount`: `/dev/sda1 on /boot type ext4 (rw,relatime)`."""
    rows = re.findall(
        r"^(.{1,4096}?) on (/.{0,4096}) type (\S{1,64}) \(([^()]*)\)", text.replace("\r\n", "\n"), re.MULTILINE
    )
    return [_mount(*row) for row in rows]


def mounts_in_findmnt(text: str) -> list[Mount]:
    """The tree of `findmnt`, as text or JSON. Bind mounts name the folder behind the device: `/dev/sda1[/home]`."""
    if text.lstrip().startswith("{"):
        return list(_nodes_of_findmnt(dig(parsed(text), "filesystems")))
    lines = text.replace("\r\n", "\n").split("\n")
    start = lines[0].find("SOURCE")
    if not lines[0].startswith("TARGET") or start < 0:
        return []
    mounts = []
    for line in lines[1:]:
        target, rest = line[:start].lstrip("│├└─| `-").rstrip(), line[start:].split(maxsplit=2)
        if target.startswith("/") and len(rest) == 3:
            mounts.append(_mount(rest[0], target, rest[1], rest[2].strip()))
    return mounts


def _nodes_of_findmnt(nodes: Json) -> Iterator[Mount]:
    for node in items(nodes):
        said = [words(dig(node, key)) for key in ("source", "target", "fstype", "options")]
        if all(said):
            yield _mount(*(part or "" for part in said))
        yield from _nodes_of_findmnt(dig(node, "children"))


def _mount(source: str, mount: str, system: str, options: str) -> Mount:
    """A mount of which the device number is not known: its device's name stands for it."""
    device, bracket, root = source.partition("[")
    subvolume = re.search(r"(?:^|,)subvol=([^,]+)", options)
    words_of = {*options.split(",")}
    return Mount(
        device_number=device,
        root=root.rstrip("]") if bracket else subvolume[1] if subvolume else "/",
        mount=mount,
        type=system,
        source=device,
        read_only="ro" in words_of,
        options=tuple(sorted(words_of)),
    )


def is_real(system: str | None, mount: str) -> bool:
    """Whether such a file system keeps somebody's data, and is not an image or an invention of the kernel."""
    return system is not None and bool(REAL_FILESYSTEMS.fullmatch(system)) and (system not in IMAGES or mount == "/")


def _real_mounts(mounts: list[Mount]) -> list[Mount]:
    """One mount for each file system, in order of place: its root if that is mounted, else the shortest path."""
    visible = {mount.mount: mount for mount in mounts}  # a later mount hides what was mounted there before
    chosen: dict[tuple[str, str], Mount] = {}
    for mount in sorted(visible.values(), key=lambda mount: (mount.root != "/", len(mount.mount), mount.mount)):
        if is_real(mount.type, mount.mount):
            # Subvolumes of btrfs and datasets of ZFS are mounted apart and each is worth naming.
            part = mount.root if mount.type == "btrfs" else ""
            chosen.setdefault((mount.device_number, part), mount)
    return sorted(chosen.values(), key=lambda mount: mount.mount)


def usages_in(text: str) -> dict[str, Usage]:
    """The lines of `df`, by mount point. Understands every unit its header names, with and without a type column."""
    lines = text.replace("\r\n", "\n").split("\n")
    header = lines[0]
    # `1K-blocks`, in German `1K-Blöcke`, in French `blocs de 1K`.
    unit = re.search(r"\b(\d+)(K?)-[Bb]l\w+|[Bb]lo\w+ de (\d+)(K?)", header)
    if unit is None:
        return {}
    scale = int(unit[1] or unit[3]) * (1024 if unit[2] or unit[4] else 1)
    kind = r"\s+(?P<type>\S+)" if re.search(r"\s(Type|Typ)\s", header) else ""
    row = re.compile(rf"(?P<source>.+?){kind}\s+(?P<size>\d+)\s+(?P<used>\d+)\s+(?P<free>-?\d+)\s+\S+\s+(?P<mount>/.*)")
    usages = {}
    for line in lines[1:]:
        if len(line) < LONGEST_LINE and (match := row.fullmatch(line)):
            usages[match["mount"]] = Usage(
                source=match["source"],
                type=match["type"] if kind else None,
                mount=match["mount"],
                size_bytes=int(match["size"]) * scale,
                used_bytes=int(match["used"]) * scale,
                free_bytes=max(0, int(match["free"])) * scale,
            )
    return usages


def places_in(text: str) -> list[dict[str, Json]]:
    """The file systems on devices that `df -h` names. Its sizes are rounded and taken for none."""
    size = r"[\d.,]+[KMGTPE]?"
    row = re.compile(rf"(/dev/\S+)\s+(?:([a-z]\w*)\s+)?{size}\s+{size}\s+{size}\s+(?:\d+%|-)\s+(/.*)")
    lines = (line for line in text.replace("\r\n", "\n").split("\n") if len(line) < LONGEST_LINE)
    found = sorted(
        (match[3], match[1], match[2])
        for line in lines
        if (match := row.fullmatch(line))
        and "/loop" not in match[1]
        and (match[2] is None or is_real(match[2], match[3]))
    )
    return [filesystem_as_json(mount, device, system, None, None, None) for mount, device, system in found]


def usage_of(mount: str, device: str, usages: dict[str, Usage]) -> Usage | None:
    """What `df` says of a mount. It prints `?` for control characters: then the device must be the same as well."""
    shown = re.sub(r"[\x00-\x1f\x7f]", "?", mount)
    usage = usages.get(shown)
    return usage if usage is not None and (shown == mount or usage.source == device) else None


def filesystems_of(mounts: list[Mount], usages: dict[str, Usage]) -> list[dict[str, Json]]:
    """The real file systems in order of place: those mounted, or where that is not known, those that `df` names."""
    if not mounts:
        return [
            filesystem_as_json(usage.mount, usage.source, usage.type, usage.size_bytes, None, None)
            for _, usage in sorted(usages.items())
            if (is_real(usage.type, usage.mount) if usage.type else usage.source.startswith("/dev/"))
        ]
    return [
        filesystem_as_json(
            mount.mount,
            mount.source,
            mount.type,
            usage.size_bytes if (usage := usage_of(mount.mount, mount.source, usages)) else None,
            mount.read_only,
            list(mount.options),
        )
        for mount in _real_mounts(mounts)
    ]
