"""What tools print, spoiled in the ways that happen and in some that do not: cut, doubled, in other encodings and languages."""

import json
import random
import re
from collections.abc import Callable
from typing import Any

HUGE = (
    b"9" * 400,
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"-9223372036854775809",
    b"0x" + b"f" * 40,
    b"nan",
    b"4294967295",
)
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**70,
    1.5e300,
    "",
    "x",
    "\0",
    [],
    [[]],
    {},
    {"a": []},
    "\ud800",
    " 12 kB ",
)
ODD_BYTES = (
    b"\0",
    b"\xff\xfe",
    b"\xc3",
    b"\xc2\xa0",
    b"\x1b[31m",
    b"\r",
    b"\x0c",
    b"\xe2\x80\xa8",
    b"\xf0\x9f\x92\xa9",
)
NUMBER = re.compile(rb"\d+")
WORDS = {
    b"Architecture": b"Architektur",
    b"Model name": "Nom de modèle".encode(),
    b"Memory": "Mémoire".encode(),
    b"Total Number of Cores": b"Gesamtanzahl der Kerne",
    b"Serial Number": "Numéro de série".encode(),
    b": ": "\u00a0: ".encode(),
    b".": b",",
    b"yes": b"ja",
    b" GB": b" Go",
}


def cut(data: bytes, chance: random.Random) -> bytes:
    """Broken off."""
    return data[: chance.randrange(len(data) + 1)]


def flipped(data: bytes, chance: random.Random) -> bytes:
    """A few bits turned."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 3, 20))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def inserted(data: bytes, chance: random.Random) -> bytes:
    """A few odd bytes put in."""
    for _ in range(chance.choice((1, 4))):
        place = chance.randrange(len(data) + 1)
        data = data[:place] + chance.choice(ODD_BYTES) + data[place:]
    return data


def shuffled(data: bytes, chance: random.Random) -> bytes:
    """The lines in another order, some twice and some gone."""
    lines = data.splitlines(keepends=True)
    for _ in range(chance.choice((1, 3, len(lines)))):
        if not lines:
            break
        one = lines.pop(chance.randrange(len(lines)))
        for _ in range(chance.choice((0, 1, 1, 2))):
            lines.insert(chance.randrange(len(lines) + 1), one)
    return b"".join(lines)


def swapped(data: bytes, chance: random.Random) -> bytes:
    """Keys and values of several lines exchanged."""
    lines = data.splitlines(keepends=True)
    colon = chance.choice((b":", b"=", b" "))
    places = [number for number, line in enumerate(lines) if colon in line]
    for _ in range(min(len(places) // 2, 4)):
        one, other = chance.sample(places, 2)
        (key, sign, value), (other_key, _, other_value) = lines[one].partition(colon), lines[other].partition(colon)
        lines[one], lines[other] = key + sign + other_value, other_key + sign + value
        if chance.random() < 0.2:
            lines[one] = value + sign + key
    return b"".join(lines)


def renumbered(data: bytes, chance: random.Random) -> bytes:
    """Some numbers huge, negative or none."""
    often = chance.choice((0.05, 0.5, 1.0))
    return NUMBER.sub(lambda found: chance.choice(HUGE) if chance.random() < often else found[0], data)


def recoded(data: bytes, chance: random.Random) -> bytes:
    """In another encoding, with other ends of lines."""
    how = chance.choice(("utf-16", "latin-1", "utf-8-sig", "crlf", "cr", "cp037"))
    if how == "crlf":
        return data.replace(b"\n", b"\r\n")
    if how == "cr":
        return data.replace(b"\n", b"\r")
    return data.decode("utf-8", "replace").encode(how, "replace")


def translated(data: bytes, chance: random.Random) -> bytes:
    """In another language, as far as that matters to a parser."""
    for word, other in WORDS.items():
        if chance.random() < 0.5:
            data = data.replace(word, other)
    return data


def repeated(data: bytes, chance: random.Random) -> bytes:
    """Much of it, or one line without an end."""
    if chance.random() < 0.5:
        return data[:4000] * chance.choice((2, 10))
    return data[:2000].replace(b"\n", b" ") * 3


def emptied(data: bytes, chance: random.Random) -> bytes:
    """Nothing, or next to it."""
    return chance.choice((b"", b"\n", b"{}", b"[]", b"null", b"0", b'""', b"<plist/>", b"\0" * 100, data[:1]))


def nested(data: bytes, chance: random.Random) -> bytes:
    """Deeper than anybody nests."""
    deep = chance.choice((200, 20_000))
    return chance.choice((b"[" * deep, b'{"a":' * deep, b"<array>" * deep, b"  " * 500 + data[:500], b"(" * deep))


def retyped(data: bytes, chance: random.Random) -> bytes:
    """JSON with other types where something else is due; plists with other tags."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        tags = (b"string", b"integer", b"array", b"dict", b"true", b"date", b"data", b"real")
        one, other = chance.sample(tags, 2)
        return data.replace(b"<" + one + b">", b"<" + other + b">").replace(b"</" + one + b">", b"</" + other + b">")
    return json.dumps(_retyped(document, chance, chance.choice((0.02, 0.2)))).encode()


def _retyped(value: Any, chance: random.Random, often: float) -> Any:
    if chance.random() < often:
        return chance.choice(ODD_VALUES)
    if isinstance(value, dict):
        return {
            key if chance.random() > often / 4 else f"{key}?": _retyped(item, chance, often)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_retyped(item, chance, often) for item in value]
    return value


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    cut,
    flipped,
    inserted,
    shuffled,
    swapped,
    renumbered,
    recoded,
    translated,
    repeated,
    emptied,
    nested,
    retyped,
    retyped,
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to three mutations one after the other, of no more than 200 kB."""
    data = data[:200_000]
    for _ in range(chance.choice((1, 1, 2, 3))):
        data = chance.choice(MUTATIONS)(data, chance)[:400_000]
    return data
