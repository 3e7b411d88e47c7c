"""What `ethtool` says of a network card."""

import re

from aya.model import Json


def read_ethtool(text: str) -> dict[str, Json]:
    """Negotiated and possible speeds in Mbit/s, duplex and port; None where the card does not say."""
    speed = re.search(r"^\s*Speed: (\d{1,7})Mb/s", text, re.MULTILINE)
    duplex = re.search(r"^\s*Duplex: (Full|Half)", text, re.MULTILINE)
    port = re.search(r"^\s*Port: (\S.*?)\s*$", text, re.MULTILINE)
    link = re.search(r"^\s*Link detected: (yes|no)", text, re.MULTILINE)
    modes = re.search(r"^\s*Supported link modes:(.*?)(?=^\s*\w[^\n]*:)", text, re.MULTILINE | re.DOTALL)
    speeds = {int(mode) for mode in re.findall(r"\b(\d{1,7})base", modes[1])} if modes else set()
    return {
        "speed": int(speed[1]) if speed else None,
        "duplex": duplex[1].lower() if duplex else None,
        "state": {"yes": "up", "no": "down"}[link[1]] if link else None,
        "port": port[1] if port and port[1] not in ("Other", "None") and "Unknown" not in port[1] else None,
        "supported_speeds_mbps": sorted(speeds) or None,
    }
