"""Moments as documents write them: `2025-10-09 16:20:00 UTC+4`."""

import re
from datetime import UTC, datetime, timedelta, timezone

_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})(?:[T ](?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?)?"
    r"\s*(?P<zone>Z\b|(?:UTC|GMT)?\s?[+-]\d{1,2}(?::?\d{2})?\b|UTC\b|GMT\b)?"
)


def moment_in(text: str, zone: timezone | None = None) -> datetime | None:
    """The first moment in a text, in the zone it names, else in `zone`, else in UTC; a day alone is its beginning."""
    found = _MOMENT.search(text)
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(f"{found['date']}T{(found['time'] or '00:00').zfill(5)}")
    except ValueError:
        return None
    return at.replace(tzinfo=zone_in(found["zone"] or "") or zone or UTC)


def zone_in(text: str) -> timezone | None:
    """The zone that `UTC+4`, `+04:00` or `Z` names; None: none."""
    if re.fullmatch(r"Z|UTC|GMT", text.strip()):
        return UTC
    found = re.search(r"(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?", text)
    if found is None or int(found["hours"]) > 14:
        return None
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    return timezone(-offset if found["sign"] == "-" else offset)


def has_time(text: str) -> bool:
    """Whether the first moment in a text says the time of day."""
    found = _MOMENT.search(text)
    return found is not None and found["time"] is not None
