"""Numbers with units as a text states them: `~800 GB/s`, `19-20 ms`, `60+ hours`, `400+`, each as exact as it was written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

BYTES, BITS_PER_S, BYTES_PER_S, SECONDS, FLOPS, HERTZ, WATTS, PERCENT, PER_S, COUNT = (
    "bytes", "bit/s", "bytes/s", "s", "FLOPS", "Hz", "W", "%", "/s", "",
)  # fmt: skip
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


def _units() -> dict[str, tuple[str, Decimal]]:
    units = {"%": (PERCENT, Decimal(1)), "IOPS": (PER_S, Decimal(1)), "bytes": (BYTES, Decimal(1))}
    for letter, power in _POWERS.items():
        decimal = Decimal(1000) ** power
        units |= {f"{letter}FLOPS": (FLOPS, decimal), f"{letter}Hz": (HERTZ, decimal), f"{letter}W": (WATTS, decimal)}
        if letter:
            units |= {f"{letter}B": (BYTES, decimal), f"{letter}B/s": (BYTES_PER_S, decimal)}
            units |= {f"{letter}bps": (BITS_PER_S, decimal), f"{letter}bit/s": (BITS_PER_S, decimal)}
            units[f"{letter.upper()}iB"] = BYTES, Decimal(1024) ** power
            units[f"{letter.upper()}iB/s"] = BYTES_PER_S, Decimal(1024) ** power
    for names, seconds in (
        ("microseconds microsecond µs us", "0.000001"),
        ("milliseconds millisecond ms", "0.001"),
        ("seconds second secs sec s", "1"),
        ("minutes minute mins min", "60"),
        ("hours hour hrs h", "3600"),
        ("days day d", "86400"),
        ("weeks week", "604800"),
    ):
        units |= {name: (SECONDS, Decimal(seconds)) for name in names.split()}
    return units


UNITS = _units()
"""What a unit measures, and how much of the base unit one is."""

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_QUANTITY = re.compile(
    rf"(?<![\w.,/:+-])(?P<mark>~|≈|<=?|>=?|≤|≥|about |approximately |around |up to |over |under )?\s*"
    rf"(?P<low>-?(?:{_NUMBER}))(?P<thousands>k(?=[\s+]|$))?(?:\s?[-–]\s?(?P<high>{_NUMBER}))?(?P<plus>\+)?"
    rf"\s*-?(?P<unit>(?:{'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})(?![\w/])|%"
    rf"|[A-Za-z]+/(?:second|sec|s)\b)?(?![\w:]|\.\d|-\w)"
)
_ROUGH = Decimal("0.05")
"""How far off an approximate number may be, as a part of it."""
INFINITE = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it was stated. `low` and `high` are in `unit` as written; they differ for a range."""

    low: Decimal
    high: Decimal
    unit: str
    dimension: str
    """The base unit of what it measures; empty for a plain count."""
    factor: Decimal
    """Base units in one unit, decimal where the name is decimal."""
    step: Decimal
    """What one more of the last digit is, in `unit`."""
    approximate: bool
    bound: str
    """`least` for `60+` and `>60`, `most` for `<60`, else empty."""
    text: str

    @property
    def value(self) -> Decimal:
        """Its middle, in base units."""
        return (self.low + self.high) / 2 * self.factor

    @property
    def is_range(self) -> bool:
        """Whether it states more than one number."""
        return bool(self.bound) or self.low != self.high

    def span(self) -> tuple[Decimal, Decimal]:
        """Between which numbers, in base units, lies what it may mean, given how many digits were written."""
        low, high = self.low - self.step / 2, self.high + self.step / 2
        if self.approximate:
            low, high = min(low, self.low * (1 - _ROUGH)), max(high, self.high * (1 + _ROUGH))
        if self.bound == "least":
            return low * self.factor, INFINITE
        return (Decimal(0) if self.bound == "most" else low * self.factor), high * self.factor

    def agrees(self, other: "Quantity | Decimal") -> bool:
        """Whether both can be said of one thing."""
        low, high = self.span()
        if isinstance(other, Decimal):
            return low <= other <= high
        other_low, other_high = other.span()
        return self.dimension == other.dimension and low <= other_high and other_low <= high

    @property
    def binary(self) -> "Quantity":
        """The same with KB, MB, GB read as KiB, MiB, GiB, as the trade does for memory and caches."""
        power = _POWERS.get(self.unit[:1]) if self.dimension == BYTES and "i" not in self.unit else None
        return replace(self, factor=Decimal(1024) ** power) if power else self


def quantities(text: str) -> list[Quantity]:
    """Every number in a text, in order; parts of names, versions, dates and addresses are none."""
    return list(_found(text))


def _found(text: str) -> Iterator[Quantity]:
    for found in _QUANTITY.finditer(text):
        low, high = (Decimal(found[name].replace(",", "")) if found[name] else None for name in ("low", "high"))
        if low is None:
            continue
        mark, unit = (found["mark"] or "").strip(), found["unit"] or ""
        digits = found["low"].replace(",", "")
        step = Decimal(1).scaleb(-len(digits.partition(".")[2]))
        if found["thousands"]:
            low, high, step = low * 1000, high * 1000 if high else None, step * 1000
        dimension, factor = UNITS.get(unit) or (PER_S if "/" in unit else COUNT, Decimal(1))
        after = text[found.end() : found.end() + 40]
        yield Quantity(
            low=low,
            high=low if high is None else high,
            unit=unit,
            dimension=dimension,
            factor=factor,
            step=step,
            approximate=mark in ("~", "≈", "about", "approximately", "around")
            or bool(re.match(r"\s*\(?(?:estimated|approx|typical)", after)),
            bound="least"
            if found["plus"] or mark in (">", ">=", "≥", "over")
            else "most"
            if mark in ("<", "<=", "≤", "up to", "under")
            else "",
            text=found[0].strip(),
        )


def quantity(text: str, *dimensions: str) -> Quantity | None:
    """The first number in a text that measures one of those; None: there is none."""
    return next((one for one in quantities(text) if one.dimension in dimensions), None)


def alike(one: str, other: str) -> bool:
    """Whether two texts may well say the same, one of them in more words: `M3 Ultra` and `Apple M3 Ultra`."""
    bare = [re.sub(r"\s*\([^()]*\)|[^\w.+-]+", " ", text).strip().casefold() for text in (one, other)]
    short, long = sorted(bare, key=len)
    return (
        short == long
        or (len(short) >= 2 and f" {short}" in f" {long}")
        or (bool(short) and long.startswith(f"{short}."))
    )


LONGEST = 24
"""A number of more digits is shown as it is."""


def shown(value: Decimal, digits: int = 4) -> str:
    """A number with so many digits that count, without an exponent."""
    if value == 0:
        return "0"
    rounded = round(value, max(0, digits - 1 - value.adjusted())) if value.adjusted() < LONGEST else value
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
