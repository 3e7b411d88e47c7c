"""What a disk is, and what the ways it is attached say about it."""

import re
from dataclasses import dataclass, field
from decimal import Decimal

from aya.model import Json

VIRTUAL_MODELS = re.compile(
    r"VMware|QEMU|VBOX|Virtual |PersistentDisk|nvme_card|EphemeralDisk|Amazon Elastic|BHYVE|Parallels", re.IGNORECASE
)
RAID_MODELS = re.compile(r"PERC |LOGICAL VOLUME|MegaRAID|\bMR\d{4}|ServeRAID|LSI |AVAGO|Dell BOSS", re.IGNORECASE)
NETWORK_TRANSPORTS = {"iscsi", "fc", "fcoe", "nvme-tcp", "nvme-rdma", "nvme-fc"}
SMART_TRANSPORTS = {"sata", "ata", "sas", "scsi", "nvme", "usb", "thunderbolt", "apple-fabric", "pci"}
"""Where a disk may keep records of its own health."""


@dataclass(slots=True, kw_only=True)
class Disk:
    """One whole device."""

    name: str
    size_bytes: int | None
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    transport: str | None = None
    rotational: bool | None = None
    removable: bool | None = None
    memory_card: bool | None = False
    """Of what the kernel calls `mmcblk`: a card that can be taken out, or soldered in; None where nothing tells."""
    internal: bool | None = None
    """Whether it is part of the machine, where the system says so; else it is told by how it is attached."""
    partitions: list[dict[str, Json]] = field(default_factory=list)
    smart: dict[str, Json] | None = None

    def __post_init__(self) -> None:
        # A virtual disk, a USB bridge or a RAID controller answers "rotational" by default, not by knowledge.
        if self.virtual or self.transport in ("usb", "mmc", "nvdimm") or self._is(RAID_MODELS):
            self.rotational = None

    def learn(self, other: "Disk") -> None:
        """Take over what another source knows of the same disk and this one does not."""
        self.size_bytes = self.size_bytes if self.size_bytes is not None else other.size_bytes
        self.model, self.serial = self.model or other.model, self.serial or other.serial
        self.firmware, self.transport = self.firmware or other.firmware, self.transport or other.transport
        self.rotational = self.rotational if self.rotational is not None else other.rotational
        sizes = {partition["name"]: partition["size_bytes"] for partition in other.partitions}
        for partition in self.partitions:
            if partition["size_bytes"] is None:
                partition["size_bytes"] = sizes.get(partition["name"])
        self.partitions = self.partitions or other.partitions
        self.__post_init__()

    def _is(self, models: re.Pattern[str]) -> bool:
        return bool(models.search(f"{self.vendor or ''} {self.model or ''} "))

    @property
    def virtual(self) -> bool:
        """Whether a hypervisor made it up."""
        return self.transport in ("virtio", "xen", "hyper-v") or self._is(VIRTUAL_MODELS)

    @property
    def may_have_smart(self) -> bool:
        """Whether it is worth asking for records of its health."""
        return self.transport in SMART_TRANSPORTS and not self.virtual

    @property
    def title(self) -> str:
        """What people call it: vendor and model, else where it is."""
        if self.model is None:
            return f"/dev/{self.name}"
        if self.vendor is None or self.model.lower().startswith(self.vendor.lower()):
            return self.model
        return f"{self.vendor} {self.model}"

    @property
    def technology(self) -> str | None:
        """`NVMe SSD`, `SATA SSD`, `HDD`, `virtio disk`, ...; None where nobody can tell."""
        if self.virtual:
            return {"virtio": "virtio disk", "xen": "Xen disk", "hyper-v": "Hyper-V disk"}.get(
                self.transport or "", "virtual disk"
            )
        if self._is(RAID_MODELS):
            return "RAID volume"
        by_transport = {
            "nvme": "NVMe SSD",
            "apple-fabric": "NVMe SSD",
            "firewire": "FireWire disk",
            "usb": "USB disk",
            "thunderbolt": "Thunderbolt SSD",
            "mmc": {True: "SD card", False: "eMMC"}.get(self.memory_card),  # type: ignore[arg-type]
            "nvdimm": "NVDIMM",
            "iscsi": "iSCSI LUN",
            "fc": "Fibre Channel LUN",
        }
        if self.transport in by_transport:
            return by_transport[self.transport]
        if self.transport in NETWORK_TRANSPORTS:
            return "NVMe over fabrics"
        if self.rotational is None:
            return None
        if self.rotational:
            return "HDD"
        return {"sata": "SATA SSD", "sas": "SAS SSD"}.get(self.transport or "", "SSD")

    def external(self, system: bool) -> bool | None:
        """Whether it is not part of the machine, None where nothing tells; `system` says that the system runs from it."""
        if self.memory_card:
            return not system
        if self.internal is not None:
            return not self.internal
        if self.transport in {"usb", "thunderbolt", "firewire"} | NETWORK_TRANSPORTS or self.removable is True:
            return True
        # A disk behind a USB bridge has the same kind of name as one inside, a card the same as what is soldered in.
        unplaced = self.memory_card is None or (
            self.transport is None and self.name.startswith("sd") and not self.virtual and not self._is(RAID_MODELS)
        )
        return None if unplaced and not system else False

    def as_json(self, external: bool | None) -> dict[str, Json]:
        """The entry in `storage.devices`."""
        return {
            "name": self.name,
            "vendor": self.vendor,
            "model": self.model,
            "serial": self.serial,
            "firmware": self.firmware,
            "size_bytes": exact(self.size_bytes),
            "type": self.technology,
            "transport": self.transport,
            "rotational": self.rotational,
            "removable": self.removable,
            "external": external,
            "partitions": self.partitions,
            "smart": self.smart,
        }


def layer_as_json(
    name: str,
    kind: str,
    members: list[str],
    size_bytes: int | None,
    *,
    degraded: int | None = None,
    health: str | None = None,
) -> dict[str, Json]:
    """The entry in `storage.layers`."""
    return {
        "name": name,
        "kind": kind,
        "members": sorted(members),
        "size_bytes": exact(size_bytes),
        "degraded": degraded,
        "health": health,
    }


def exact(number: int | None) -> Json:
    """A number as JSON can say it exactly: as text beyond 2^53."""
    return str(number) if number is not None and number > 2**53 else number


def as_terabytes(number: int) -> Decimal:
    """Bytes as TB of 10^12 bytes, exactly."""
    return Decimal(number).scaleb(-12) if number else Decimal(0)
