"""How long a Mac has been up, in the words of `uptime` and `system_profiler`."""

import re

WORDS = re.compile(r"(\d{1,6}) ?(day|hour|hr|minute|min|second|sec)s?\b")
SECONDS = {"day": 86400, "hour": 3600, "hr": 3600, "minute": 60, "min": 60, "second": 1, "sec": 1}
CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,2}):(\d{2})(?::(\d{2}))?$")


def seconds(text: str | None) -> int | None:
    """`1 day 23:56`, `up 20 days, 19:45, 8 users, …`, `up 1:23:56:12` (days first), `14 hours, 2 minutes` in seconds.

    None where any of its words is not known: "1 giorno, 15 ore e 34 minuti" is not 34 minutes.
    """
    said = re.split(r",\s*\d+ users?\b", (text or "").strip())[0]
    said = said.rpartition("up ")[2].strip()
    if not said:
        return None
    if re.search(r"[^\W\d]", re.sub(r"\band\b", "", WORDS.sub("", said).partition("load average")[0])):
        return None
    words = WORDS.findall(said)
    total = sum(int(count) * SECONDS[unit] for count, unit in words)
    clock = CLOCK.search(said.removesuffix(","))
    if clock is None:
        return total if words else None
    if clock[4] is not None:
        days, hours, minutes, rest = (int(part or 0) for part in clock.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + rest
    # `1:23:56` is days, hours and minutes; `23:56` hours and minutes.
    return total + int(clock[1] or 0) * 86400 + int(clock[2]) * 3600 + int(clock[3]) * 60
