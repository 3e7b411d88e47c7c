"""Which of several versions is the newest."""

import re


def by_number(version: str) -> list[tuple[int, str]]:
    """What versions are ordered by: their numbers as numbers, `1.10` after `1.9`, and the words between them."""
    return [(int(number[:18] or 0), word) for number, word in re.findall(r"(\d*)(\D*)", version)]
