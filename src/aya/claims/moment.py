"""Moments as documents write them: `2025-10-09 16:20:00 UTC+4`, `14.03.2026, 10:30 Uhr (MEZ)`, `March 3, 2026 5:45 PM PST`."""

import re
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = (
    "jan|janvier|januar", "feb|février|fevrier|februar", "mar|mars|märz|maerz", "apr|avril", "may|mai", "jun|juin|juni",
    "jul|juillet|juli", "aug|août|aout|august", "sep|septembre",
    "oct|okt|octobre|oktober", "nov|novembre",
    "dec|dez|décembre|dezember",
)  # fmt: skip
_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "JST": 9, "KST": 9, "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
"""Hours from UTC of the names of zones that mean one zone only."""
_MONTH = r"(?P<month_{0}>[A-Za-zäéûô]{{3,10}})\.?"
_DATE = re.compile(
    r"(?<![\d.])(?:(?P<iso>\d{4}[-/]\d{2}[-/]\d{2})(?!\d)"
    r"|(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})"
    rf"|(?P<day_first>\d{{1,2}})(?:\.|st|nd|rd|th|er)?\s+{_MONTH.format('second')}\s+(?P<year_second>\d{{4}})"
    rf"|\b{_MONTH.format('first')}\s+(?P<day_second>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year_first>\d{{4}}))"
)
_TIME = re.compile(
    r"(?:T|,?\s*(?:at|um|à|@)?\s*)(?P<hour>\d{1,2})(?::|\s?h\s?)(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?:\s*(?P<half>[AaPp]\.?[Mm]\.?)(?![A-Za-z]))?(?:\s*Uhr)?"
)
_ZONE = re.compile(r"\s*\(?(?P<zone>Z\b|(?:UTC|GMT)?\s?[+-]\d{1,2}(?::?\d{2})?\b|[A-Z]{2,5}\b)")


def moment_in(text: str, zone: timezone | None = None) -> datetime | None:
    """The first moment in a text, in the zone it names, else in `zone`, else in UTC; a day alone is its beginning.

    None where there is no moment, or one in a zone of a name that is not known: a guess could be hours off.
    """
    found = _DATE.search(text)
    day = _day(found) if found else None
    if found is None or day is None:
        return None
    time = _TIME.match(text, found.end())
    named = _ZONE.match(text, time.end() if time else found.end())
    in_zone = zone_in(named["zone"]) if named else None
    if named and time and in_zone is None:
        return None
    try:
        at = day.replace(hour=_hour(time), minute=int(time["minute"]), second=int(time["second"] or 0)) if time else day
    except ValueError:
        return None
    return at.replace(tzinfo=in_zone or zone or UTC)


def zone_in(text: str) -> timezone | None:
    """The zone that `UTC+4`, `+04:00`, `Z` or `CET` names; None: none, or one that is not known."""
    if text.strip() in ("Z", "UTC", "GMT"):
        return UTC
    if text.strip() in _ZONES:
        return timezone(timedelta(hours=_ZONES[text.strip()]))
    found = re.search(r"(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?", text)
    if found is None or int(found["hours"]) > 14:
        return None
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    return timezone(-offset if found["sign"] == "-" else offset)


def zone_of(at: datetime | None) -> timezone | None:
    """The zone of a document's moment, in which those are meant that name none."""
    return at.tzinfo if at is not None and isinstance(at.tzinfo, timezone) else None


def has_time(text: str) -> bool:
    """Whether the first moment in a text says the time of day."""
    found = _DATE.search(text)
    return found is not None and _TIME.match(text, found.end()) is not None


def _day(found: re.Match[str]) -> datetime | None:
    try:
        if found["iso"]:
            return datetime.fromisoformat(found["iso"].replace("/", "-"))
        if found["month"]:
            return datetime(int(found["year"]), int(found["month"]), int(found["day"]))
        named = found["month_second"] or found["month_first"]
        month = next((at for at, names in enumerate(_MONTHS, 1) if _is_month(named, names)), None)
        year, day = found["year_second"] or found["year_first"], found["day_first"] or found["day_second"]
        return datetime(int(year), month, int(day)) if month else None
    except ValueError:
        return None


def _is_month(said: str, names: str) -> bool:
    short = names.split("|")[0]
    english = {"jan": "january", "feb": "february", "mar": "march", "apr": "april", "may": "may", "jun": "june", "jul": "july",
               "aug": "august", "sep": "september", "oct": "october", "nov": "november", "dec": "december"}  # fmt: skip
    word = said.casefold()
    return word in names.split("|") or word == english[short] or (short == "sep" and word == "sept")


def _hour(time: re.Match[str]) -> int:
    hour = int(time["hour"])
    if time["half"] is None:
        return hour
    return hour % 12 + (12 if time["half"][0] in "pP" else 0)
