"""The registry of devices and drivers, as `ioreg` prints it: a property list with `-a`, else its own notation.

The notation: `"key" = value` lines below `+-o Name  <class …>`; a value is a number, `Yes`, `"text"`, `<hexadecimal>`,
`<"text">`, `(a,b)` or `{"key"=value}`. Both forms give dicts of what JSON can say; data is hexadecimal text.
"""

import re
from collections.abc import Iterator, Mapping

from aya.collect.macos import _plist
from aya.host.reading import Command, Found, Read
from aya.model import Json, Outcome

Properties = Mapping[str, Json]
TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<data><[^<>]*>)|(?P<sign>[{}(),=])|(?P<word>[^\s{}(),="<>]+))'
)
LINE = re.compile(r'^[\s|]*"(?P<key>[^"]+)" = (?P<value>.+?)\s*$')
VALUE_LIMIT = 256 * 1024
HEAD = re.compile(r"^[\s|]*\+-o (?P<name>.+?)  ?<(?:class )?(?P<class>[^,>]+)")


def question(name: str) -> Command:
    """Every object of a class, and of those derived from it."""
    return Command(("ioreg", "-a", "-r", "-c", name), optional=True)


def alternatives(found: Found, name: str) -> tuple[Read, ...]:
    """The other form, where the property list gave nothing."""
    return () if _listed(found, name) is not None else (Command(("ioreg", "-r", "-c", name), optional=True),)


def objects(found: Found, name: str) -> tuple[Properties, ...]:
    """The properties of every object that was asked for; none where there is none, or nothing was understood."""
    listed = _listed(found, name)
    if listed is not None:
        return listed
    answer = found.answers().get(f"ioreg -r -c {name}")
    text = answer.text if answer is not None and answer.outcome is Outcome.OK else ""
    return tuple(_blocks(text, name))


def letters(value: Json) -> str | None:
    """A text that is kept as data: the property list gives its bytes, which end with NUL."""
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"(?:[0-9a-f]{2})+", value):
        said = bytes.fromhex(value).rstrip(b"\0")
        value = said.decode("ascii") if said.isascii() else value
    return (value.strip() or None) if value.isprintable() else None


def _listed(found: Found, name: str) -> tuple[Properties, ...] | None:
    answer = found.answers().get(f"ioreg -a -r -c {name}")
    if answer is None or answer.outcome is not Outcome.OK:
        return None
    # It prints nothing at all where there is no such object.
    whole = _plist.plain(_plist.parsed(answer.data)) if answer.data.strip() else []
    return tuple(item for item in whole if isinstance(item, dict)) if isinstance(whole, list) else None


def _blocks(text: str, name: str) -> Iterator[Properties]:
    """Properties of the objects of that class. Where a tree was printed, those of other classes are passed over."""
    wanted, properties = False, dict[str, Json]()
    for line in text.splitlines():
        if "+-o " in line and (head := HEAD.match(line)):
            if properties:
                yield properties
            wanted, properties = _is_of(head["class"], name), {}
        elif wanted and (pair := LINE.match(line)):
            properties[pair["key"]] = value(pair["value"])
    if properties:
        yield properties


def _is_of(found_class: str, name: str) -> bool:
    """Whether it is that class or, as drivers name theirs, one derived from it: AGXAcceleratorG16X."""
    return found_class.strip().startswith(name)


def value(text: str) -> Json:
    """A value in the notation of `ioreg`; the text itself where it is something else, or too long to look into."""
    if len(text) > VALUE_LIMIT:
        return text
    tokens = list(TOKEN.finditer(text))
    try:
        result, rest = _value(tokens, 0, _plist.DEPTH)
    except (IndexError, ValueError):
        return text
    return result if rest == len(tokens) else text


def _value(tokens: list[re.Match[str]], place: int, depth: int) -> tuple[Json, int]:
    token = tokens[place]
    if token["sign"] in ("{", "("):
        if depth == 0:
            raise ValueError("too deep")
        return _several(tokens, place + 1, depth - 1, "}" if token["sign"] == "{" else ")")
    if token["text"]:
        return token["text"][1:-1], place + 1
    if token["data"]:
        inner = token["data"][1:-1]
        return inner[1:-1] if inner.startswith('"') else inner, place + 1
    word = token["word"]
    if word is None:
        raise ValueError(f"no value begins with {token['sign']}")
    if re.fullmatch(r"-?\d{1,24}", word):
        return int(word), place + 1
    return {"Yes": True, "No": False}.get(word, word), place + 1


def _several(tokens: list[re.Match[str]], place: int, depth: int, end: str) -> tuple[Json, int]:
    """The items of a list or dict, after its opening bracket."""
    pairs: dict[str, Json] = {}
    items: list[Json] = []
    while tokens[place]["sign"] != end:
        item, place = _value(tokens, place, depth)
        if end == "}" and tokens[place]["sign"] == "=":
            pairs[str(item)], place = _value(tokens, place + 1, depth)
        else:
            items.append(item)
        if tokens[place]["sign"] == ",":
            place += 1
    return (pairs if end == "}" else items), place + 1
