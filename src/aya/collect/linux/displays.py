"""The displays that are connected: who made them, how large they are, and the resolution that is theirs.

Read from the kernel's connectors (`/sys/class/drm`) and from what the display says of itself there (EDID), so no
program that draws needs to run. The resolution is the display's preferred one, not what is shown at the moment:
that is known only to the program that draws.
"""

import re

from aya.collect.collector import Collector, Unreadable
from aya.collect.edid import Edid, read_edid
from aya.host.reading import Files, Found
from aya.model import Facts, Gap, Json, Outcome

DRM = "/sys/class/drm/card*-*"


def parse(found: Found) -> Facts:
    """`metadata.displays`: one for each connector that has a display."""
    displays, gaps = [], []
    for path, status in found.matches(f"{DRM}/status"):
        if status.strip() != "connected":
            continue
        folder = path.removesuffix("/status")
        card, _, connector = folder.rpartition("/")[2].partition("-")
        edid = None
        data = found.answer(f"{folder}/edid").data
        if data:
            try:
                edid = read_edid(data)
            except Unreadable as error:
                gaps.append(Gap(Outcome.UNREADABLE, f"{folder}/edid: {error}"))
        first_mode = re.match(r"\d{1,5}x\d{1,5}", found.text(f"{folder}/modes") or "")
        displays.append(_display(card, connector, edid, first_mode[0] if first_mode else None))
    if not displays:
        return Facts(absent=not found.gaps())
    return Facts(metadata={"displays": displays}, gaps=tuple(gaps))


def _display(card: str, connector: str, edid: Edid | None, first_mode: str | None) -> dict[str, Json]:
    return {
        "connector": connector,
        "card": card,
        "manufacturer": edid.manufacturer if edid else None,
        "model": edid.model if edid else None,
        "product_code": edid.product_code if edid else None,
        "serial_number": edid.serial_number if edid else None,
        "made_in": edid.made_in if edid else None,
        # The kernel puts the preferred mode first.
        "resolution": (edid.resolution if edid else None) or first_mode,
        "refresh_millihertz": edid.refresh_millihertz if edid else None,
        "width_mm": edid.width_mm if edid else None,
        "height_mm": edid.height_mm if edid else None,
        "bits_per_color": edid.bits_per_color if edid else None,
        "hdr": edid.hdr if edid else None,
    }


collector = Collector(
    reads=(Files(f"{DRM}/status"), Files(f"{DRM}/edid"), Files(f"{DRM}/modes")),
    parse=parse,
    metadata={
        "displays[].connector": "the connector it hangs on: DP-1, HDMI-A-1, eDP-1, Virtual-1",
        "displays[].card": "the graphics card of the connector",
        "displays[].manufacturer": "who made it; three letters where only those are known",
        "displays[].model": "the name it gives itself",
        "displays[].product_code": "the maker's number of the model, hexadecimal",
        "displays[].serial_number": "its serial number",
        "displays[].made_in": "year it was made in, or year of the model",
        "displays[].resolution": "the resolution it prefers, pixels: 3840x2160",
        "displays[].refresh_millihertz": "refresh rate of that resolution, thousandths of a hertz",
        "displays[].width_mm": "width of the picture, millimetres",
        "displays[].height_mm": "height of the picture, millimetres",
        "displays[].bits_per_color": "bits for each colour",
        "displays[].hdr": "whether it can show high dynamic range",
    },
)
