"""What Linux's names of disks and of their makers say."""

import re

NOT_DISKS = re.compile(
    r"(loop|ram|zram|dm-|md|sr|scd|fd|nbd|zd|drbd|rbd|bcache|mtdblock|nullb|ublkb)\d+|mmcblk\d+(boot\d+|rpmb|gp\d+)"
)


def maker(vendor: str | None) -> str | None:
    """Who made a disk, out of what its vendor field says.

    `ATA` there is the name of the protocol, `0x1af4` a number of the bus: neither is a maker.
    """
    if vendor is None or vendor == "ATA" or re.fullmatch(r"0x[0-9a-fA-F]+", vendor):
        return None
    return vendor.rstrip(", ") or None


def transport_by_name(name: str) -> str | None:
    """How a disk is attached, where only the kernel's name for it is known."""
    names = {"nvme": "nvme", "vd": "virtio", "xvd": "xen", "mmcblk": "mmc", "pmem": "nvdimm", "dasd": "ccw"}
    return next((transport for prefix, transport in names.items() if name.startswith(prefix)), None)
