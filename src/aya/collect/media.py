"""What an Ethernet interface is connected by: the names of media, and how fast each is."""

import re

TWISTED_PAIR = {
    10: "10Base-T",
    100: "100Base-TX",
    1000: "1000Base-T",
    2500: "2500Base-T",
    5000: "5GBase-T",
    10000: "10GBase-T",
}
"""What people call the connection over copper, by its speed in Mbit/s."""

NAME = re.compile(r"\b(?P<number>\d{1,6}(?:\.\d)?)(?P<giga>G)?base-?(?P<kind>\w+)", re.IGNORECASE)


def speed_of_medium(text: str | None) -> int | None:
    """`1000baseT`, `2500Base-T`, `10Gbase-LR`, `2.5GBASE-T` in Mbit/s; None where no speed is named."""
    match = NAME.search(text or "")
    return round(float(match["number"]) * (1000 if match["giga"] else 1)) if match else None


def medium_name(text: str | None) -> str | None:
    """`1000Base-T` for anything over copper, else the medium as it is written; None where none is named."""
    match, speed = NAME.search(text or ""), speed_of_medium(text)
    if match is None:
        return None
    copper = match["kind"].upper() in ("T", "TX")
    return TWISTED_PAIR.get(speed or 0, match[0]) if copper else match[0]
