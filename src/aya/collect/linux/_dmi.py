"""The firmware's own description of the machine (SMBIOS/DMI): `dmidecode` text, and which values say nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

FIRMWARE, SYSTEM, BOARD, CHASSIS, MEMORY_ARRAY, MEMORY_DEVICE = 0, 1, 2, 3, 16, 17
"""The numbers of the structures, as the SMBIOS standard gives them."""

TITLES = {
    "BIOS Information": FIRMWARE,
    "System Information": SYSTEM,
    "Base Board Information": BOARD,
    "Board Information": BOARD,
    "Chassis Information": CHASSIS,
    "Physical Memory Array": MEMORY_ARRAY,
    "Memory Device": MEMORY_DEVICE,
}

FILLERS = frozenset(
    line.strip()
    for line in """
        none
        null
        n/a
        na
        unknown
        undefined
        unspecified
        invalid
        empty
        other
        default
        default string
        oem
        o.e.m.
        not specified
        not available
        not applicable
        not defined
        not provided
        notprovided
        not present
        not settable
        bad index
        out of spec
        to be filled by o.e.m.
        to be filled by o.e.m
        to be filled by oem
        tbd by oem
        sku
        sku number
        asset tag
        no asset tag
        no asset information
        no enclosure
        no dimm
        no module installed
        system manufacturer
        system product name
        system version
        system serial number
        system sku
        system family
        type1family
        type1productconfigid
        type2 - board product name1
        chassis manufacture
        chassis manufacturer
        chassis version
        chassis serial number
        base board manufacturer
        base board product name
        base board version
        base board serial number
        """.splitlines()
    if line.strip()
)
"""What vendors leave in a field that nobody filled in: lower case, without the brackets around it."""

NUMBERED_FILLER = re.compile(
    r"(asset|manufacturer|sernum|serialnum|serial ?number|partnum|modulepartnumber|assettagnum)[-_ ]?\d*"
    r"|(array|dimm|a)\d+_(manufacturer|partnum(ber)?|sernum|serialnumber|assettagnum)\d*"
    r"|asset-1234567890",
)
NO_SERIAL = re.compile(r"(.)\1*|[0\W_]+|0?1?234567(89?0?)?(abcdef)?|(1234567890)+\d*", re.DOTALL)
"""One character over and over, only noughts and signs, or counting up."""
BOGUS_UUIDS = frozenset(
    {
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "01020304-0506-0708-090a-0b0c0d0e0f10",
    }
)


@dataclass(frozen=True, slots=True)
class Structure:
    """One structure of the table: what kind it is, and its fields that have a single line."""

    kind: int
    fields: Mapping[str, str]

    def get(self, *names: str) -> str | None:
        """The first of these fields that says something."""
        return next((value for name in names if (value := known(self.fields.get(name))) is not None), None)


def known(value: str | None) -> str | None:
    """The value without the white space around it; None where the vendor only left a filler."""
    if value is None:
        return None
    value = " ".join(value.replace("\0", " ").split())
    bare = value.strip("<>()[] ").lower()
    if not bare.strip(".-_ ") or bare in FILLERS or NUMBERED_FILLER.fullmatch(bare):
        return None
    return value


def known_serial(value: str | None) -> str | None:
    """Like `known`, for what tells one machine or part from all others: `0`, `XXXX` and `12345678` do not."""
    value = known(value)
    return None if value is None or NO_SERIAL.fullmatch(value.lower()) else value


def known_uuid(value: str | None) -> str | None:
    """The UUID in lower case; None for one that is no UUID, or that vendors put into every machine."""
    value = (known(value) or "").lower()
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        return None
    return None if value in BOGUS_UUIDS or len(set(value) - {"-"}) == 1 else value


def structures(text: str) -> tuple[Structure, ...]:
    """The structures that `dmidecode` printed, of the kinds that have a name here, old and new layouts."""
    found = []
    for block in re.split(r"^\s*Handle 0x[0-9A-Fa-f]+.*$", text.expandtabs(8), flags=re.MULTILINE)[1:]:
        lines = [line for line in block.splitlines() if line.strip() and not line.strip().startswith("DMI type")]
        if not lines or (kind := TITLES.get(lines[0].strip().removesuffix(" Block"))) is None:
            continue
        # A field stands one step deeper than the title; what stands deeper still belongs to a list.
        depth = min((_indent(line) for line in lines[1:]), default=0)
        pairs = (line.partition(":") for line in lines[1:] if _indent(line) == depth)
        found.append(Structure(kind, {name.strip(): value.strip() for name, colon, value in pairs if colon}))
    return tuple(found)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
