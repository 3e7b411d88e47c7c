"""A file system: how it is recorded, and how full it is."""

from dataclasses import dataclass

from aya.collect.disk import exact
from aya.model import Json

FULL_AS_IT_FILLS = {"zfs"}
"""File systems whose size is not their own: it changes as others in the same pool fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One line of `df`."""

    source: str
    type: str | None
    mount: str
    size_bytes: int
    used_bytes: int
    free_bytes: int


def filesystem_as_json(
    mount: str, device: str, system: str | None, size: int | None, read_only: bool | None, options: list[str] | None
) -> dict[str, Json]:
    """The entry in `storage.filesystems`."""
    return {
        "mount": mount,
        "device": device,
        "type": system,
        "size_bytes": None if system in FULL_AS_IT_FILLS else exact(size),
        "read_only": read_only,
        "options": options,
    }
