"""Lists of processors as Linux writes them: `0-3,8`, `0,2`, `0-62:2`."""

import re

HIGHEST = 1 << 16
"""No kernel numbers its processors higher; a list that does is not one."""


def processors(text: str | None) -> frozenset[int] | None:
    """The processor numbers of a list; empty for an empty list, None for something that is no list."""
    if text is None:
        return None
    found: set[int] = set()
    for part in text.strip().split(","):
        if not part.strip():
            continue
        span = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6})(?::([0-9]{1,6}))?)?", part.strip())
        if span is None:
            return None
        low, high, step = int(span[1]), int(span[2] or span[1]), int(span[3] or 1)
        if not low <= high < HIGHEST or step == 0:
            return None
        found.update(range(low, high + 1, step))
    return frozenset(found)


def as_list(numbers: frozenset[int]) -> str:
    """The shortest list of processor numbers, as the kernel writes it: `0-3,8`."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)
