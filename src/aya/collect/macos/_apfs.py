"""Containers and volumes of APFS, as `diskutil apfs list -plist` describes them."""

from collections.abc import Iterable, Mapping

from aya.collect.disk import exact, layer_as_json
from aya.collect.json_values import dig, integer, items, words
from aya.model import Json

UNKNOWN: dict[str, Json] = dict.fromkeys(
    ("name", "device", "container", "roles", "uuid", "filevault", "encrypted", "locked", "quota_bytes", "reserve_bytes")
)
"""The keys of a volume."""


def containers_in(apfs: Json) -> list[dict[str, Json]]:
    """The entries in `storage.layers`: each container, made of the partitions that hold it."""
    containers = []
    for container in items(dig(apfs, "Containers")):
        name = words(dig(container, "ContainerReference"))
        if name is None:
            continue
        stores = [words(dig(store, "DeviceIdentifier")) for store in items(dig(container, "PhysicalStores"))]
        kind = "fusion" if dig(container, "Fusion") is True else "apfs"
        members = [store for store in stores if store]
        containers.append(layer_as_json(name, kind, members, integer(dig(container, "CapacityCeiling"))))
    return containers


def volumes_in(apfs: Json, mounts: dict[str, str]) -> list[dict[str, Json]]:
    """The entries in `storage.volumes`. `mounts` says where each device is mounted."""
    volumes: list[dict[str, Json]] = []
    for container in items(dig(apfs, "Containers")):
        for volume in items(dig(container, "Volumes")):
            device = words(dig(volume, "DeviceIdentifier"))
            if device is None:
                continue
            volumes.append(
                UNKNOWN
                | {
                    "name": words(dig(volume, "Name")),
                    "device": device,
                    "container": words(dig(container, "ContainerReference")),
                    "roles": sorted(role for role in items(dig(volume, "Roles")) if isinstance(role, str)),
                    "uuid": words(dig(volume, "APFSVolumeUUID")),
                    "filevault": _flag(dig(volume, "FileVault")),
                    "encrypted": _flag(dig(volume, "Encryption")),
                    "locked": _flag(dig(volume, "Locked")),
                    "quota_bytes": exact(integer(dig(volume, "CapacityQuota")) or None),
                    "reserve_bytes": exact(integer(dig(volume, "CapacityReserve")) or None),
                    "mount": mounts.get(device),
                }
            )
    return sorted(volumes, key=lambda volume: str(volume["device"]))


def listed_volumes(told: Iterable[Mapping[str, str]], mounts: Mapping[str, str]) -> list[dict[str, Json]]:
    """The entries of volumes of which only name, device and container are known."""
    return [UNKNOWN | dict(volume) | {"mount": mounts.get(volume["device"])} for volume in told]


def observed_in(apfs: Json) -> list[Json]:
    """How full each container is now."""
    return [
        {"container": name, "free_bytes": exact(free)}
        for container in items(dig(apfs, "Containers"))
        if (name := words(dig(container, "ContainerReference")))
        and (free := integer(dig(container, "CapacityFree"))) is not None
    ]


def _flag(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None
