"""Amounts as macOS writes them for people: `16 GB`, `256 KB`, `2,26 GHz`. Memory is meant in binary units."""

import re
from decimal import Decimal

AMOUNT = re.compile(r"(\d{1,9}(?:[.,]\d{1,6})?)\s?([KMGT]B|[MG]Hz)")
KIB = {"KB": 1, "MB": 1024, "GB": 1048576, "TB": 1073741824}
MHZ = {"MHz": 1, "GHz": 1000}


def kib(text: str | None) -> int | None:
    """`3 MB`, `1,5 MB` in KiB; None for anything else."""
    return _whole(text, KIB)


def mib(text: str | None) -> int | None:
    """`16 GB` in MiB; None for anything else, and for less than one."""
    size = _whole(text, KIB)
    return size // 1024 or None if size is not None else None


def mhz(text: str | None) -> int | None:
    """`2.8 GHz` in MHz; None for anything else."""
    return _whole(text, MHZ)


def _whole(text: str | None, units: dict[str, int]) -> int | None:
    parts = AMOUNT.fullmatch((text or "").replace("\u00a0", " ").strip())
    if parts is None or parts[2] not in units:
        return None
    return int(Decimal(parts[1].replace(",", ".")) * units[parts[2]]) or None
