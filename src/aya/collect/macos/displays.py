"""The displays that are connected: model, maker, resolution, scale, refresh rate, which is the main one.

Sources: `system_profiler SPDisplaysDataType` (JSON, property list, text), and the registry: `IOMobileFramebuffer` and
`AppleCLCD2` on Apple's chips, `AppleBacklightDisplay` and `AppleDisplay` on Intel's, which know serial numbers, sizes,
and the resolution that is the display's own.

`resolution` is the display's own where one of them tells it, else what is drawn, which on a scaled display is more than
it has. `ui_resolution` is what it looks like: windows are laid out as if the display had so many points.
"""

import re
from collections.abc import Iterable, Mapping

from aya.collect.collector import Collector, Unreadable
from aya.collect.edid import maker, read_edid
from aya.collect.json_values import dig, integer, words
from aya.collect.macos import _ioreg, _system_profiler
from aya.collect.macos._ioreg import Properties
from aya.collect.macos._system_profiler import Item
from aya.host.reading import Found, Read
from aya.model import Facts, Gap, Json

DISPLAYS = "SPDisplaysDataType"
CLASSES = ("IOMobileFramebuffer", "AppleCLCD2", "AppleBacklightDisplay", "AppleDisplay")

CARD = ("sppci_model", "Chipset Model", "sppci_bus", "Bus", "sppci_device_type", "Type")
GROUP = ("spdisplays_ndrvs", "Displays")
PIXELS = ("_spdisplays_pixels", "Pixels")
OWN_PIXELS = ("spdisplays_pixelresolution", "Resolution")
LOOKS_LIKE = ("_spdisplays_resolution", "spdisplays_resolution", "UI Looks like")
DEPTHS = {"ARGB8888": 8, "ARGB2101010": 10, "CGSThirtytwoBitColor": 8, "CGSThirtyBitColor": 10}

Display = dict[str, Json]


def more(found: Found) -> tuple[Read, ...]:
    """The other forms of what did not answer."""
    others = (read for name in CLASSES for read in _ioreg.alternatives(found, name))
    return (*_system_profiler.alternatives(found, DISPLAYS), *others)


def parse(found: Found) -> Facts:
    """`metadata.displays`: one for each display that is connected."""
    described = _system_profiler.section(found, DISPLAYS)
    registered = [display for name in CLASSES for one in _ioreg.objects(found, name) if (display := _registered(one))]
    listed = [
        _listed(item, card)
        for card in (described.items if described is not None else ())
        for item in card.item(*GROUP).items
        if not _is_connector(item)
    ]
    displays = [_with_own(display, registered) for display in listed] if listed else _distinct(registered)
    gaps: tuple[Gap, ...] = ()
    if described is None and not displays:
        gaps = (_system_profiler.gap(found, DISPLAYS),)
    elif (
        described is not None
        and described.items
        and not any(card.get(*CARD) or card.item(*GROUP).items for card in described.items)
    ):
        gaps = (_system_profiler.not_understood(DISPLAYS),)
    if not displays:
        return Facts(absent=not gaps, gaps=gaps)
    return Facts(metadata={"displays": displays}, gaps=gaps)


def _is_connector(item: Item) -> bool:
    """A connector without a display: "No Display Connected"."""
    return not item.values or "no display connected" in (item.get("Status", "spdisplays_status") or "").lower()


# --- what system_profiler lists


def _is_name(text: str | None) -> bool:
    """`spdisplays_display` is a word of the program for what it has no name for."""
    return bool(text) and not str(text).startswith("spdisplays_")


def _listed(item: Item, card: Item) -> Display:
    vendor = _hexadecimal(item.get("_spdisplays_display-vendor-id"))
    number = _hexadecimal(item.get("_spdisplays_display-serial-number", "_spdisplays_display-serial-number2"))
    product = _hexadecimal(item.get("_spdisplays_display-product-id"))
    own = _size(item.get(*OWN_PIXELS))
    year = item.number("_spdisplays_display-year")
    return {
        "card": next((name for name in (card.get("sppci_model", "Chipset Model"), card.name) if _is_name(name)), None),
        "manufacturer": _maker(vendor),
        "model": item.name if _is_name(item.name) else None,
        "product_code": f"{product:04x}" if product and product < 0x10000 else None,
        "serial_number": item.get("spdisplays_display-serial-number", "Display Serial Number"),
        "serial_code": number or None,
        "made_in": year if year and year > 1990 else None,
        "resolution": own or _size(item.get(*PIXELS)) or _size(item.get(*LOOKS_LIKE)),
        "ui_resolution": _size(item.get(*LOOKS_LIKE)),
        "refresh_millihertz": _millihertz(item.get(*LOOKS_LIKE)) or _millihertz(item.get("Resolution", "Refresh Rate")),
        "width_mm": None,
        "height_mm": None,
        "framebuffer_bits_per_color": _depth(item),
        "main": _shown(item, item.flag("spdisplays_main", "Main Display")),
        "mirror": item.flag("spdisplays_mirror", "Mirror"),
        "online": item.flag("spdisplays_online", "Online"),
        "built_in": _built_in(item),
        "connection": _connection(item),
        "kind": _kind(item.get("spdisplays_display_type", "Display Type")),
    }


def _shown(item: Item, main: bool | None) -> bool | None:
    """Only the main display says that it is; one that says as much as others and not this is not."""
    return main if main is not None else False if item.get("spdisplays_online", "Online") else None


def _size(text: str | None) -> str | None:
    """`3840x2160` of `3840 x 2160 (2160p/4K UHD 1)`, `spdisplays_2560x1600Retina`, `1920 x 1080 @ 60.00Hz`."""
    parts = re.search(r"(?<!\d)(\d{3,5}) ?x ?(\d{3,5})(?!\d)", text or "")
    return f"{parts[1]}x{parts[2]}" if parts else None


def _millihertz(text: str | None) -> int | None:
    """`… @ 59.94Hz`, `@ 60 Hz`; a rate of 0 Hz is what panels without one say."""
    parts = re.search(r"(?<![\d.])(\d{1,4})(?:[.,](\d{1,3}))? ?(?:Hz|Hertz)\b", text or "")
    return (int(parts[1]) * 1000 + int((parts[2] or "").ljust(3, "0"))) or None if parts else None


def _depth(item: Item) -> int | None:
    """Bits for each colour of what is drawn: `30-Bit Color (ARGB2101010)`, `CGSThirtyBitColor`."""
    said = item.get("spdisplays_depth", "Framebuffer Depth", "Pixel Depth", "Depth") or ""
    return next((bits for word, bits in DEPTHS.items() if word in said), None)


def _built_in(item: Item) -> bool | None:
    connection = _connection(item)
    kind = (item.get("spdisplays_display_type", "Display Type") or "").lower()
    if "built-in" in kind or connection == "internal" or item.flag("spdisplays_builtin", "Built-In"):
        return True
    return False if connection or item.get("spdisplays_connection_type") or item.name != "Color LCD" else None


def _connection(item: Item) -> str | None:
    """internal, displayport, hdmi, ...: in small letters, without Apple's prefix."""
    said = item.get("spdisplays_connection_type", "Connection Type")
    return said.removeprefix("spdisplays_").removesuffix("_dongletype").lower() if said else None


def _kind(text: str | None) -> str | None:
    """The kind of panel, in small letters: `built-in retina lcd`."""
    return (
        re.sub(r"[-_ ]+", " ", text.removeprefix("spdisplays_").replace("retinaLCD", "retina LCD")).lower()
        if text
        else None
    )


def _hexadecimal(text: str | None) -> int | None:
    return int(text, 16) if text and re.fullmatch(r"(0x)?[0-9a-fA-F]{1,16}", text) else None


def _maker(number: int | None) -> str | None:
    """The maker by the number that stands in the display's EDID; Apple's own panels have 0x610."""
    if number is None or not 0 < number < 0x8000:
        return None
    letters = maker(number)
    return letters if letters.isalnum() else None


# --- what the registry knows


def _registered(one: Properties) -> Display | None:
    """A display as its driver describes it; None where there is none behind it."""
    if isinstance(edid := one.get("IODisplayEDID"), str):
        return _by_edid(edid)
    attributes = one.get("DisplayAttributes")
    product = dig(attributes, "ProductAttributes")
    name = words(dig(product, "ProductName"))
    if not isinstance(product, dict):
        return None
    across, down = (
        integer(dig(attributes, "NativeFormatHorizontalPixels")),
        integer(dig(attributes, "NativeFormatVerticalPixels")),
    )
    width, height = integer(one.get("DisplayWidth")), integer(one.get("DisplayHeight"))
    if name is None and not (width and height):
        return None
    number = integer(dig(product, "LegacyManufacturerID"))
    year = integer(dig(product, "YearOfManufacture"))
    code = integer(dig(product, "ProductID"))
    return {
        "card": None,
        "manufacturer": _maker(number) or words(dig(product, "ManufacturerID")),
        "model": name,
        "product_code": f"{code:04x}" if code and code < 0x10000 else None,
        "serial_number": words(dig(product, "AlphanumericSerialNumber")),
        "serial_code": integer(dig(product, "SerialNumber")) or None,
        "made_in": year if year and year > 1990 else None,
        "resolution": f"{across}x{down}" if across and down else f"{width}x{height}" if width and height else None,
        "ui_resolution": None,
        "refresh_millihertz": None,
        "width_mm": (integer(dig(attributes, "MaxHorizontalImageSize")) or 0) * 10 or None,
        "height_mm": (integer(dig(attributes, "MaxVerticalImageSize")) or 0) * 10 or None,
        "framebuffer_bits_per_color": None,
        "main": None,
        "mirror": None,
        "online": None,
        "built_in": None if name else True,
        "connection": None,
        "kind": None,
    }


def _by_edid(text: str) -> Display | None:
    try:
        edid = read_edid(bytes.fromhex(text))
    except (Unreadable, ValueError):
        return None
    return {
        "card": None,
        "manufacturer": edid.manufacturer,
        "model": edid.model,
        "product_code": edid.product_code,
        "serial_number": edid.serial_number,
        "serial_code": None,
        "made_in": edid.made_in,
        "resolution": edid.resolution,
        "ui_resolution": None,
        "refresh_millihertz": edid.refresh_millihertz,
        "width_mm": edid.width_mm,
        "height_mm": edid.height_mm,
        "framebuffer_bits_per_color": None,
        "main": None,
        "mirror": None,
        "online": None,
        "built_in": edid.model == "Color LCD" or None,
        "connection": None,
        "kind": None,
    }


OWN = ("manufacturer", "product_code", "serial_number", "serial_code", "made_in", "width_mm", "height_mm")


def _with_own(display: Display, registered: Iterable[Display]) -> Display:
    """A listed display with what the registry knows of it: the one with its serial number, else the only one so named."""
    known = list(registered)
    same = [one for one in known if one["serial_code"] and one["serial_code"] == display["serial_code"]]
    same = same or [one for one in known if one["model"] and one["model"] == display["model"]]
    if len(_distinct(same)) != 1:
        return display
    one = same[0]
    own = {key: one[key] for key in OWN if display[key] is None}
    return display | own | {"resolution": one["resolution"] or display["resolution"]}


def _distinct(displays: Iterable[Display]) -> list[Display]:
    """Each once: a driver is found under its class, and under the one it is derived from."""
    found: list[Display] = []
    for display in displays:
        if display not in found:
            found.append(display)
    return found


KEYS: Mapping[str, str] = {
    "card": "the GPU it hangs on",
    "manufacturer": "who made it; three letters where only those are known",
    "model": "the name it gives itself",
    "product_code": "the maker's number of the model, hexadecimal",
    "serial_number": "its serial number",
    "serial_code": "the number that stands in it where a serial number should be",
    "made_in": "year it was made in, or year of the model",
    "resolution": "its own resolution, pixels: 3840x2160; where that is not known, what is drawn",
    "ui_resolution": "what it looks like, points: 1920x1080",
    "refresh_millihertz": "refresh rate, thousandths of a hertz",
    "width_mm": "width of the picture, millimetres",
    "height_mm": "height of the picture, millimetres",
    "framebuffer_bits_per_color": "bits for each colour of what is drawn",
    "main": "whether it is the main display",
    "mirror": "whether it shows the same as another",
    "online": "whether it is in use",
    "built_in": "whether it is part of the machine",
    "connection": "internal, displayport, hdmi, ...",
    "kind": "the kind of panel, as macOS names it",
}

collector = Collector(
    reads=(_system_profiler.question(DISPLAYS), *(_ioreg.question(name) for name in CLASSES)),
    more=more,
    parse=parse,
    metadata={f"displays[].{key}": meaning for key, meaning in KEYS.items()},
)
