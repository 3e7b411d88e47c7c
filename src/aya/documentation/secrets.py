"""On which lines of a text secrets stood that were taken out of it. The secrets themselves are never told."""

import re

from aya.redaction import Redactor

MARK = re.compile(r"\[redacted:[0-9a-f]{16}\]")
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)", re.S
)


def without_secrets(text: str, redactor: Redactor) -> tuple[str, tuple[int, ...]]:
    """The text with a mark in the place of each secret, and the lines, from 1, on which one begins."""
    redacted = redactor.text(text)
    if redacted == text:
        return text, ()
    marked_before = set(MARK.findall(text))
    # Of all secrets only a private key is longer than a line.
    lost = [(redactor.mark(key[0]), key[0].count("\n")) for key in PRIVATE_KEY.finditer(text)]
    lines, line, place = [], 1, 0
    for mark in MARK.finditer(redacted):
        line += redacted.count("\n", place, mark.start())
        place = mark.start()
        if mark[0] not in marked_before:
            lines.append(line)
        if lost and lost[0][0] == mark[0]:
            line += lost.pop(0)[1]
    return redacted, tuple(dict.fromkeys(lines))
