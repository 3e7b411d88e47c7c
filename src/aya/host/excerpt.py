"""What a wider answer says to a narrower question: of `sysctl -a` the part `hw`, of a whole `system_profiler` one data type.

All of it is about texts: how programs print many things one after the other, and how to take one out.
"""

import json
import plistlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.parsers.expat import ExpatError

from aya.host.command_line import Argv, items, program_of


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What was found for a question, and whether it is all there is to it."""

    data: bytes
    whole: bool


Recorded = Iterable[tuple[Argv, bytes]]
"""Command lines of one program that ended well, and what they printed."""


def excerpt(asked: Argv, recorded: Recorded) -> Excerpt | None:
    """The answer to a question out of the answers to other questions for the same program; None where there is none."""
    finder = FINDERS.get(program_of(asked))
    return finder(asked, recorded) if finder else None


# --- sysctl -----------------------------------------------------------------------------------------------------------

_LINE = re.compile(rb"^([A-Za-z_][\w%-]*(?:\.[\w%/-]+)+)( = |: |:$|=)(.*)$")


@dataclass(frozen=True, slots=True)
class Variables:
    """Kernel variables that some `sysctl` printed."""

    lines: Mapping[str, bytes]
    """Name -> its line, or lines, as printed."""
    values: Mapping[str, bytes]
    areas: frozenset[str]
    """The areas that are whole; '' is everything."""

    def under(self, name: str) -> list[str]:
        """The variables that an area holds, or the one of that name."""
        return [one for one in self.lines if one == name or one.startswith(f"{name}.")]

    def is_whole(self, name: str) -> bool:
        """Whether all of an area was printed."""
        return any(not area or name == area or name.startswith(f"{area}.") for area in self.areas)


def variables(recorded: Recorded) -> Variables:
    """What all recorded `sysctl` said together."""
    lines: dict[str, bytes] = {}
    values: dict[str, bytes] = {}
    areas: set[str] = set()
    for argv, data in recorded:
        names = [word for word in argv[1:] if not word.startswith("-")]
        flags = {letter for word in argv[1:] if word.startswith("-") for letter in word[1:]}
        if flags & {"a", "A", "X"} or not names:
            areas.add("")
        else:
            areas.update(names)
        found = _bare_values(names, data) if "n" in flags else dict(_printed(data, lines))
        values.update(found)
        for name, value in found.items():
            lines.setdefault(name, name.encode() + b": " + value)
    return Variables(lines, values, frozenset(areas))


def _bare_values(names: list[str], data: bytes) -> dict[str, bytes]:
    if len(names) == 1:
        return {names[0]: data.strip()} if data.strip() else {}
    printed = data.splitlines()
    return dict(zip(names, printed, strict=True)) if len(printed) == len(names) else {}


def _printed(data: bytes, lines: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Name and value of each variable; a line without a name goes on with the one before."""
    name, value = "", b""
    for line in data.splitlines():
        if match := _LINE.match(line):
            if name:
                yield name, value
            name, value = match[1].decode(), match[3]
            lines[name] = line
        elif name:
            value += b"\n" + line
            lines[name] += b"\n" + line
    if name:
        yield name, value


def _sysctl(asked: Argv, recorded: Recorded) -> Excerpt | None:
    known = variables(recorded)
    names = [word for word in asked[1:] if not word.startswith("-")]
    bare = any("n" in word for word in asked[1:] if word.startswith("-"))
    if not names:
        return None
    found = [one for name in names for one in known.under(name)]
    if not found:
        return None
    said = known.values if bare else known.lines
    whole = all(name in known.lines or known.is_whole(name) for name in names)
    return Excerpt(b"".join(said[one] + b"\n" for one in found), whole)


# --- system_profiler --------------------------------------------------------------------------------------------------

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "SPAirPortDataType": ("AirPort", "Wi-Fi"),
    "SPApplicationsDataType": ("Applications",),
    "SPAudioDataType": ("Audio", "Audio (Built In)"),
    "SPBluetoothDataType": ("Bluetooth",),
    "SPCameraDataType": ("Camera",),
    "SPCardReaderDataType": ("Card Reader",),
    "SPDisplaysDataType": ("Graphics/Displays",),
    "SPEthernetDataType": ("Ethernet Cards", "Ethernet"),
    "SPFireWireDataType": ("FireWire",),
    "SPFirewallDataType": ("Firewall",),
    "SPHardwareDataType": ("Hardware",),
    "SPMemoryDataType": ("Memory",),
    "SPNVMeDataType": ("NVMExpress",),
    "SPNetworkDataType": ("Network",),
    "SPPCIDataType": ("PCI", "PCI Cards"),
    "SPParallelATADataType": ("ATA",),
    "SPPowerDataType": ("Power",),
    "SPSerialATADataType": ("Serial-ATA", "SATA/SATA Express", "SATA"),
    "SPSoftwareDataType": ("Software",),
    "SPStorageDataType": ("Storage",),
    "SPThunderboltDataType": ("Thunderbolt", "Thunderbolt/USB4"),
    "SPUSBDataType": ("USB",),
    "SPUSBHostDataType": ("USB",),
    "SPiBridgeDataType": ("Controller",),
}
"""What stands above each data type in the text for people, in the versions of macOS."""
FORMS = {"-json", "-xml"}


def _profile(asked: Argv, recorded: Recorded) -> Excerpt | None:
    """One data type out of a report on several, of the same form; reports for people are cut at their headings."""
    form, types = _form_and_types(asked)
    if len(types) != 1:
        return None
    for argv, data in recorded:
        other_form, others = _form_and_types(argv)
        if other_form != form or (others and types[0] not in others):
            continue
        cut = CUTTERS[form](types[0], data)
        if cut is not None:
            return Excerpt(cut, whole=True)
    return None


def _form_and_types(argv: Argv) -> tuple[str, list[str]]:
    wanted = items(argv)
    form = next((option for option, _ in wanted if option in FORMS), "")
    return form, [operand for option, operand in wanted if not option]


def _cut_text(data_type: str, data: bytes) -> bytes | None:
    text = data.decode("utf-8", "surrogateescape")
    parts = re.split(r"(?m)^(?=[^\s].*:[ \t]*\r?$)", text)
    headings = [one.split("\n", 1)[0].strip().removesuffix(":") for one in parts]
    known = {heading for every in HEADINGS.values() for heading in every}
    for place, heading in enumerate(headings):
        if heading in HEADINGS.get(data_type, ()):
            end = place + 1
            if not parts[place].partition("\n")[2].strip():
                # Somebody's program cut the blanks away: what belongs to the heading stands beside it.
                while end < len(parts) and headings[end] not in known:
                    end += 1
            return "".join(parts[place:end]).encode("utf-8", "surrogateescape")
    return None


def _cut_json(data_type: str, data: bytes) -> bytes | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return data  # broken off: whoever asked sees that
    found = isinstance(document, dict) and document.get(data_type)
    return json.dumps({data_type: found}).encode() if found else None


def _cut_xml(data_type: str, data: bytes) -> bytes | None:
    try:
        document = plistlib.loads(data)
        found = [one for one in document if isinstance(one, dict) and one.get("_dataType") == data_type]
        return plistlib.dumps(found, sort_keys=False) if found else None
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError, ExpatError, RecursionError):
        return data


CUTTERS: Mapping[str, Callable[[str, bytes], bytes | None]] = {"": _cut_text, "-json": _cut_json, "-xml": _cut_xml}


# --- dmidecode --------------------------------------------------------------------------------------------------------


def _dmidecode(asked: Argv, recorded: Recorded) -> Excerpt | None:
    """All tables that were printed kind by kind, `dmidecode -t memory`; a single word (`-s`) is no table."""
    if items(asked):
        return None
    found = [data for argv, data in recorded if {option for option, _ in items(argv)} <= {"-t", "-q"}]
    return Excerpt(b"\n".join(found), whole=False) if found else None


# --- ioreg ------------------------------------------------------------------------------------------------------------


def _ioreg(asked: Argv, recorded: Recorded) -> Excerpt | None:
    """The objects of a class are in the whole registry (`ioreg -l`), and in the tree that shows them (`ioreg -c`)."""
    wanted = {value for option, value in items(asked) if option == "-c"}
    if len(wanted) != 1 or set(items(asked)) - {("-r", ""), ("-c", *wanted)}:
        return None
    for argv, data in recorded:
        options = set(items(argv))
        classes = {value for option, value in options if option == "-c"}
        if ("-r", "") in options and (names := {value for option, value in options if option == "-n"}) == wanted:
            # A thing that is named as its class: `ioreg -rn AppleSmartBattery`.
            options, classes = {one for one in options if one[0] != "-n"}, names
        words = {option for option, _ in options}
        if words & {"-a", "-n", "-k", "-p", ""}:
            continue
        if classes == wanted or (not classes and "-l" in words and "-d" not in words):
            return Excerpt(data, whole=True)
    return None


# --- pmset ------------------------------------------------------------------------------------------------------------


def _pmset(asked: Argv, recorded: Recorded) -> Excerpt | None:
    """What heat does now is in the log of it, which is printed until somebody ends it; its last entry counts."""
    if tuple(asked[1:]) != ("-g", "therm"):
        return None
    log = next((data for argv, data in recorded if tuple(argv[1:]) == ("-g", "thermlog")), None)
    return Excerpt(log, whole=True) if log is not None else None


# --- sw_vers ----------------------------------------------------------------------------------------------------------

PRODUCT = {"-productname": "ProductName", "-productversion": "ProductVersion", "-buildversion": "BuildVersion"}


def _sw_vers(asked: Argv, recorded: Recorded) -> Excerpt | None:
    """The whole out of its lines, each of which was asked for alone: `sw_vers -productVersion`."""
    if asked[1:]:
        return None
    words = ((PRODUCT.get(argv[1].lower().replace("--", "-")), data) for argv, data in recorded if len(argv) == 2)
    lines = {name: data.strip() for name, data in words if name}
    said = b"".join(b"%s:\t%s\n" % (name.encode(), value) for name, value in lines.items())
    return Excerpt(said, whole=len(lines) == len(PRODUCT)) if lines else None


FINDERS: Mapping[str, Callable[[Argv, Recorded], Excerpt | None]] = {
    "sysctl": _sysctl,
    "system_profiler": _profile,
    "dmidecode": _dmidecode,
    "ioreg": _ioreg,
    "pmset": _pmset,
    "sw_vers": _sw_vers,
}
