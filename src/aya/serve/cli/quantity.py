"""A setting's value as people say it: `16384` in units of `8kB` is `128 MB`. PostgreSQL's units are binary."""

import re

BYTES = {"B": 1, "kB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


def quantity(value: str | None, unit: str | None) -> str:
    """The value with its unit; sizes in the largest unit that says them exactly. -1 and 0 often mean something else.

    >>> quantity("16384", "8kB"), quantity("65536", "kB"), quantity("-1", "kB"), quantity("5", "min"), quantity("on", None)
    ('128 MB', '64 MB', '-1', '5 min', 'on')
    """
    if value is None:
        return ""
    if not unit or not re.fullmatch(r"\d+", value) or int(value) == 0:
        return value
    parts = re.fullmatch(r"(\d*)([A-Za-z]+)", unit)
    if parts is None or parts[2] not in BYTES:
        return f"{value} {unit}"
    size = int(value) * int(parts[1] or 1) * BYTES[parts[2]]
    name = next(name for name, factor in reversed(BYTES.items()) if size % factor == 0)
    return f"{size // BYTES[name]} {name}"
