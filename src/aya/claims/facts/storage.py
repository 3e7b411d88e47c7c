"""Storage: devices, whether internal or external, with capacity, usable and free space."""

import re
from collections.abc import Iterator
from itertools import groupby

from aya.claims.outline import Item
from aya.claims.quantity import BYTES, PERCENT, Quantity, quantities, quantity
from aya.claims.statement import Page, Place, Reader, Stated
from aya.model import Json

_PLACE = re.compile(r"(?i)storage|\bssd\b|\bdisks?\b|\bdrives?\b|nvme|volume")
_DEVICE = re.compile(r"(?i)device|device name|model|drive|disk")
_CAPACITY = re.compile(r"(?i)capacity|size|total|total capacity")


def _read(page: Page) -> Iterator[Stated]:
    for node in page.nodes:
        items = [item for item in page.items(node) if item.key and not item.is_label]
        for _, group in groupby((item for item in items if _PLACE.search(item.near)), key=lambda item: item.group):
            yield from _device(node, list(group))
        for item in items:
            yield from _one_line(node, item)


def _device(node: str, items: list[Item]) -> Iterator[Stated]:
    """One list that states a device or a capacity."""
    heading = items[0].headings[-1].text if items[0].headings and not items[0].label else ""
    around = f"{heading} {items[0].label} {' '.join(items[0].parents)}"
    told = " ".join(item.text for item in items)
    is_device = any(_DEVICE.fullmatch(item.key) for item in items) and any(
        _CAPACITY.fullmatch(item.key) for item in items
    )
    is_disk = any(_CAPACITY.fullmatch(item.key) for item in items) and re.search(
        r"(?i)\bssd\b|\bdisk\b|\bdrive\b|nvme|internal|external", around
    )
    if not (is_device or is_disk):
        return
    where = "external" if re.search(r"(?i)external|thunderbolt|usb", around) or (
        "internal" not in around.lower() and re.search(r"(?i)external|usb", told)
    ) else "internal"  # fmt: skip
    for item in items:
        if _DEVICE.fullmatch(item.key):
            name = re.sub(r"\s*\([^()]*\)", "", item.value).strip()
            yield _stated(item, node, where, "device", name, Place("node", column=f"storage_{where}_device"))
        elif _CAPACITY.fullmatch(item.key):
            yield from _capacity(item, node, where)
        elif re.fullmatch(r"(?i)free|free space|available|available space", item.key):
            said = quantity(item.value, BYTES)
            if said:
                yield _stated(item, node, where, "free", item.value, None, said)
            percent = quantity(item.value, PERCENT)
            if percent:
                yield _stated(item, node, where, "free part", percent.text, None, percent)
        elif re.fullmatch(r"(?i)technology|type|interface", item.key) and re.search(
            r"(?i)ssd|hdd|nvme|flash|sata", item.value
        ):
            kind = re.sub(r"\s*\([^()]*\)", "", item.value).strip()
            place = Place("node", column="storage_internal_type") if where == "internal" else None
            yield _stated(item, node, where, "type", kind, place)


def _capacity(item: Item, node: str, where: str) -> Iterator[Stated]:
    sizes = [one for one in quantities(item.value) if one.dimension == BYTES]
    if not sizes:
        return
    terabytes = f"{(sizes[0].value / 10**12).normalize():f}"
    yield _stated(item, node, where, "capacity", terabytes, Place("node", column=f"storage_{where}_tb"), sizes[0])
    usable = re.search(r"(?i)([\d.,]+\s*[KMGTP]i?B)\s+usable", item.value)
    if usable and (said := quantity(usable[1], BYTES)):
        yield _stated(item, node, where, "usable", usable[1], None, said)


def _one_line(node: str, item: Item) -> Iterator[Stated]:
    """`Storage: 2 TB NVMe SSD`, in a list or a table of hardware."""
    if re.fullmatch(r"(?i)(?:internal )?(?:storage|ssd|disk)", item.key) and (said := quantity(item.value, BYTES)):
        terabytes = f"{(said.value / 10**12).normalize():f}"
        yield _stated(item, node, "internal", "capacity", terabytes, Place("node", column="storage_internal_tb"), said)


def _stated(
    item: Item, node: str, where: str, what: str, value: Json, place: Place | None, said: Quantity | None = None
) -> Stated:
    return Stated(item=item, node=node, subject=f"{where} storage {what}", value=value, said=said, place=place)


reader = Reader(_read)
