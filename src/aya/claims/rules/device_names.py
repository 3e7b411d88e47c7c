"""A device whose name says how large it is has that size: `SN850XE 4000GB`, `APPLE SSD AP1024Z`."""

import re
from collections.abc import Iterator
from decimal import Decimal

from aya.claims.quantity import BYTES, quantity, shown
from aya.claims.rule import Case, Opinion, Rule

_NAMED = re.compile(r"(?i)\b(?P<size>\d+(?:\.\d+)?\s?[GT]B)\b")
_APPLE = re.compile(r"\bAPPLE (?:SSD|HDD) AP(?P<size>\d{3,5})[A-Z]{1,2}\b")
_SHARE_KEPT = Decimal("0.85")
"""Of a nominal size, what is left after spare blocks and counting by 1024 is no less than that."""


def _judge(case: Case) -> Iterator[Opinion]:
    for node in case.page.nodes:
        for where in ("internal", "external"):
            device, capacity = (case.first(node, f"{where} storage {what}") for what in ("device", "capacity"))
            if device is None or capacity is None or capacity.said is None:
                continue
            size = _size(str(device.value))
            if size is None:
                continue
            nominal = f"The name of the device on line {device.item.line} says {shown(size / 10**12)} TB"
            said = capacity.said.value
            if _SHARE_KEPT * size <= said <= Decimal("1.1") * size:
                yield Opinion(capacity.item, True, f"{nominal}.")
                yield Opinion(
                    device.item,
                    True,
                    f"Its name says {shown(size / 10**12)} TB, and so does line {capacity.item.line}.",
                )
            else:
                whole = said / size
                several = (
                    f": {shown(whole)} of them would have it, and one is stated"
                    if whole >= 2 and abs(whole - round(whole)) < Decimal("0.05")
                    else ""
                )
                yield Opinion(capacity.item, False, f"{nominal}, not {capacity.said.text}{several}.")


def _size(name: str) -> Decimal | None:
    apple = _APPLE.search(name)
    if apple:  # counted in GB: AP0512, AP1024, AP16384 of 512 GB, 1 TB and 16 TB
        return (
            Decimal(round(int(apple["size"]) / 1024 * 1000) if int(apple["size"]) >= 1024 else int(apple["size"]))
            * 10**9
        )
    found = _NAMED.search(name)
    said = quantity(found["size"], BYTES) if found else None
    several = re.search(r"\b(\d{1,2})\s*[x×]\s", name)
    return said.value * (int(several[1]) if several else 1) if said else None


rule = Rule(_judge)
