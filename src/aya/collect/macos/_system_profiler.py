"""What `system_profiler` prints: JSON (since macOS 10.15), property lists, and the text for people, in one shape.

The keys differ: JSON and property lists have `machine_model`, the text has `Model Identifier`. So a value is asked for
by all the names it has had, in any case. The text is in the language of whoever runs it; other languages than English
are not understood, and give nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from aya.collect.json_values import integer, words
from aya.collect.macos import _plist
from aya.host.reading import Command, Found, Read
from aya.model import Gap, Json, Outcome

TITLES: Mapping[str, tuple[str, ...]] = {
    "SPHardwareDataType": ("Hardware",),
    "SPSoftwareDataType": ("Software",),
    "SPMemoryDataType": ("Memory",),
    "SPDisplaysDataType": ("Graphics/Displays", "Graphics", "Displays"),
    "SPPowerDataType": ("Power",),
    "SPStorageDataType": ("Storage",),
    "SPNVMeDataType": ("NVMExpress", "NVMe"),
    "SPSerialATADataType": ("SATA/SATA Express", "SATA", "Serial-ATA"),
    "SPNetworkDataType": ("Network",),
    "SPEthernetDataType": ("Ethernet Cards", "Ethernet"),
    "SPUSBDataType": ("USB",),
    "SPThunderboltDataType": ("Thunderbolt/USB4", "Thunderbolt"),
    "SPApplicationsDataType": ("Applications",),
    "SPCardReaderDataType": ("Card Reader",),
    "SPFireWireDataType": ("FireWire",),
    "SPParallelATADataType": ("ATA", "Parallel ATA"),
    "SPSASDataType": ("SAS",),
    "SPUSBHostDataType": ("USB",),
    "SPiBridgeDataType": ("Controller",),
}
"""What the text writes above each data type."""

NOISE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]* ?\S*system_profiler\[.*$", re.MULTILINE)
"""What the program complains about on the other stream, where somebody recorded both in one file."""
YES = {"yes", "true", "1", "enabled", "on"}
NO = {"no", "false", "0", "disabled", "off"}


@dataclass(slots=True)
class Item:
    """A thing that is described: its name, its values, and what belongs to it."""

    name: str = ""
    values: dict[str, Json] = field(default_factory=dict)
    """By key in lower case."""
    items: list["Item"] = field(default_factory=list)

    def get(self, *names: str) -> str | None:
        """The first of these values that says something, as text."""
        for name in names:
            value = self.values.get(name.lower())
            if isinstance(value, bool):
                return "yes" if value else "no"
            if isinstance(value, int):
                return str(value)
            if (said := words(value)) is not None:
                return " ".join(said.split())
        return None

    def number(self, *names: str) -> int | None:
        """The first of these values, if it is a whole number."""
        return integer(self.get(*names))

    def flag(self, *names: str) -> bool | None:
        """`Yes`, `spdisplays_yes`, `activation_lock_enabled`; None for anything that is neither yes nor no."""
        said = (self.get(*names) or "").lower()
        for answers, meaning in ((YES, True), (NO, False)):
            if said in answers or said.rpartition("_")[2] in answers:
                return meaning
        return None

    def item(self, *names: str) -> "Item":
        """What belongs to it under one of these names; empty where there is none."""
        wanted = {name.lower() for name in names}
        return next((item for item in self.items if item.name.lower() in wanted), Item())

    def walk(self) -> Iterator["Item"]:
        """It, and everything that belongs to it."""
        yield self
        for item in self.items:
            yield from item.walk()


def question(data_type: str, timeout_s: float = 30.0) -> Command:
    """The form to ask for first."""
    return Command(("system_profiler", "-json", data_type), timeout_s=timeout_s, optional=True)


def alternatives(found: Found, data_type: str, timeout_s: float = 30.0) -> tuple[Read, ...]:
    """The forms to ask for where the first gave nothing: older systems have no JSON."""
    if _json(found, data_type) is not None:
        return ()
    return (
        Command(("system_profiler", "-xml", data_type), timeout_s=timeout_s, optional=True),
        Command(("system_profiler", data_type), timeout_s=timeout_s, optional=True),
    )


def section(found: Found, data_type: str) -> Item | None:
    """Everything of that data type; empty where there is none of it, None where nothing could be understood."""
    for read in (_json, _xml, _text):
        if (top := read(found, data_type)) is not None:
            return top
    return None


def gap(found: Found, data_type: str) -> Gap:
    """Why nothing is known of that data type."""
    names = _names(data_type)
    answers = [found.answers()[name] for name in names if name in found.answers()]
    said = next((answer for answer in answers if answer.outcome is Outcome.OK), None)
    if said is not None:
        return Gap(Outcome.UNREADABLE, f"system_profiler {data_type}: its answer was not understood")
    worst = next((answer for answer in answers if answer.outcome is not Outcome.ABSENT), None)
    if worst is None:
        return Gap(Outcome.UNSUPPORTED, f"system_profiler {data_type}: there is no such program")
    return Gap(worst.outcome, f"system_profiler {data_type}: {worst.reason or worst.outcome}")


def not_understood(data_type: str) -> Gap:
    """What to say where it answered in words that nobody here knows: another language, or a later macOS."""
    return Gap(Outcome.UNREADABLE, f"system_profiler {data_type}: none of its words is understood")


def _names(data_type: str) -> tuple[str, str, str]:
    return (
        f"system_profiler -json {data_type}",
        f"system_profiler -xml {data_type}",
        f"system_profiler {data_type}",
    )


def _answered(found: Found, name: str) -> bytes | None:
    answer = found.answers().get(name)
    return answer.data if answer is not None and answer.outcome is Outcome.OK else None


def _json(found: Found, data_type: str) -> Item | None:
    data = _answered(found, _names(data_type)[0])
    text = NOISE.sub("", data.decode("utf-8", "surrogateescape").lstrip("\ufeff")) if data else ""
    try:
        # What somebody's shell printed after it does not matter.
        whole, _ = json.JSONDecoder(strict=False).raw_decode(text, text.find("{"))
    except (ValueError, RecursionError):
        return None
    things = whole.get(data_type) if isinstance(whole, dict) else None
    return _top(things) if isinstance(things, list) else None


def _xml(found: Found, data_type: str) -> Item | None:
    data = _answered(found, _names(data_type)[1])
    whole = _plist.plain(_plist.parsed(data)) if data else None
    if not isinstance(whole, list):
        return None
    for part in whole:
        if isinstance(part, dict) and part.get("_dataType") == data_type and isinstance(part.get("_items"), list):
            return _top(part["_items"])
    return None


def _top(things: list[Json]) -> Item:
    return Item(items=[_item("", thing) for thing in things if isinstance(thing, dict)])


def _item(name: str, thing: Mapping[str, Json], depth: int = _plist.DEPTH) -> Item:
    """A dict: its texts and numbers are values; dicts, and lists of dicts, belong to it."""
    item = Item(words(thing.get("_name")) or name)
    if depth == 0:
        return item
    for key, value in thing.items():
        if isinstance(value, dict):
            item.items.append(_item(key, value, depth - 1))
        elif isinstance(value, list):
            parts = [_item("", part, depth - 1) for part in value if isinstance(part, dict)]
            if key == "_items":
                item.items.extend(parts)
            elif parts:
                item.items.append(Item(key, items=parts))
            elif texts := [part for part in value if isinstance(part, str)]:
                item.values.setdefault(key.lower(), ", ".join(texts))
        elif key != "_name":
            item.values.setdefault(key.lower(), value)
    return item


def _text(found: Found, data_type: str) -> Item | None:
    data = _answered(found, _names(data_type)[2])
    if data is None:
        return None
    top = outline(data.decode("utf-8", "surrogateescape"))
    titles = TITLES.get(data_type, ())
    others = {title for known in TITLES.values() for title in known}
    named = next((place for title in titles for place, item in enumerate(top.items) if item.name == title), None)
    if named is not None:
        heading = top.items[named]
        if not heading.values and not heading.items:
            # Somebody's program cut the blanks away: what belongs to the heading stands beside it.
            heading.items.extend(takewhile(lambda item: item.name not in others, top.items[named + 1 :]))
        return heading
    # Lines without their heading, as people cut them out, or a heading in another language: they belong to what was
    # asked for, unless they are known to be something else.
    if len(top.items) == 1 and not top.values and top.items[0].name not in others:
        return top.items[0]
    return Item(items=[top]) if top.values and not top.items else None


def outline(text: str) -> Item:
    """The text as it is indented: `Key: value` lines, and `Name:` lines above what belongs to them."""
    top = Item()
    open_items: list[tuple[int, Item]] = [(-1, top)]
    for line in NOISE.sub("", text.lstrip("\ufeff")).expandtabs(8).splitlines():
        key, colon, value = line.strip().partition(": ")
        if not colon and line.rstrip().endswith(":"):
            key, colon = line.strip()[:-1], ":"
        elif not colon:
            continue
        indent = len(line) - len(line.lstrip())
        while open_items[-1][0] >= indent:
            open_items.pop()
        if value.strip():
            holder = open_items[-1][1]
            if key.strip().lower() in holder.values and len(open_items) > 2:
                # Things without a name follow each other: the label that is there again begins the next.
                holder = Item()
                open_items[-2][1].items.append(holder)
                open_items[-1] = (open_items[-1][0], holder)
            holder.values.setdefault(key.strip().lower(), value.strip())
        else:
            item = Item(key.strip())
            open_items[-1][1].items.append(item)
            if len(open_items) < _plist.DEPTH:
                open_items.append((indent, item))
    return top


def overview(described: Item | None, *names: str) -> Item:
    """The thing that has one of these values, else the first that says anything; empty where there is none."""
    things = [*described.walk()] if described is not None else []
    known = (item for item in things if item.get(*names) is not None)
    return next(known, None) or next((item for item in things if item.values), Item())
