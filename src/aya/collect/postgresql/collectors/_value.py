"""Write the value of a setting as `pg_settings` would: `128GB` of a setting in blocks of 8 kB is `16777216`.

Follows the server's own rules: hexadecimal and octal integers, fractions, units, rounding, prefixes of `true`.
"""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

_BYTES = {"TB": 1024**4, "GB": 1024**3, "MB": 1024**2, "kB": 1024, "B": 1}
_MICROSECONDS = {"d": 86_400_000_000, "h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
_NUMBER = re.compile(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|\d*\.?\d*(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)\s*", re.ASCII)
_ON, _OFF = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def normalised(
    text: str,
    *,
    vartype: str,
    unit: str | None = None,
    choices: Sequence[str] | None = None,
    least: str | None = None,
    most: str | None = None,
) -> str | None:
    """The value as `pg_settings.setting` shows it; None where the server would refuse it."""
    match vartype:
        case "bool":
            return _boolean(text)
        case "enum":
            return _choice(text, choices or ())
        case "integer" | "real":
            number = _number(text, unit, whole=vartype == "integer")
            if number is None or (least and number < Decimal(least)) or (most and number > Decimal(most)):
                return None
            return str(int(number)) if vartype == "integer" else format(float(number), "g")
    return text


def _boolean(text: str) -> str | None:
    word = text.lower()
    if not word or word == "o":
        return None
    on, off = (any(full.startswith(word) for full in words) for words in (_ON, _OFF))
    return "on" if on and not off else "off" if off and not on else None


def _choice(text: str, choices: Sequence[str]) -> str | None:
    for choice in choices:
        if choice.lower() == text.lower():
            return choice
    # Settings that were on/off before they got more choices still take every way of writing those two.
    word = "on" if text.lower() in _ON else "off" if text.lower() in _OFF else None
    return word if word in choices else None


def _number(text: str, unit: str | None, *, whole: bool) -> Decimal | None:
    parts = _NUMBER.fullmatch(text)
    if parts is None or not parts[2]:
        return None
    sign, digits, suffix = parts.groups()
    if whole and re.match(r"0[0-7]*[89]", digits):
        return None  # a leading zero means octal
    try:
        if digits[:2] in ("0x", "0X"):
            value = Decimal(int(digits, 16))
        elif whole and re.fullmatch(r"0[0-7]+", digits):
            value = Decimal(int(digits, 8))
        else:
            value = Decimal(digits)
        if sign == "-":
            value = -value
        if suffix:
            scaled = _scaled(value, suffix, unit or "")
            if scaled is None:
                return None
            value = scaled
        return value.to_integral_value() if whole else value
    except (InvalidOperation, ValueError):
        return None


def _scaled(value: Decimal, suffix: str, unit: str) -> Decimal | None:
    base = re.fullmatch(r"(\d*)([A-Za-z]+)", unit, re.ASCII)
    if base is None:
        return None
    for table in (_BYTES, _MICROSECONDS):
        if base[2] in table and suffix in table:
            size = Decimal(int(base[1] or 1) * table[base[2]])
            value = value * table[suffix] / size
            finer = [step for step in table.values() if step < table[suffix]]
            if finer:
                # The server rounds a fraction to a multiple of the next finer unit: 30.1 GB is a whole number of MB.
                step = max(finer) / size
                value = (value / step).to_integral_value() * step
            return value
    return None
