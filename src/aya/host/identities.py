"""Names by which people and one machine are known, and made-up ones that can stand for them in a recording.

A made-up name has the form of the real one, letter for letter and digit for digit, and is the same all over one recording, so
that what is read in it still fits together. Which one it is depends on a key that nobody keeps.
"""

import hmac
import re
from collections.abc import Iterable
from hashlib import sha256

SHORTEST = 3
"""A shorter name is in too many other words."""
COMMON = {
    "root", "admin", "administrator", "user", "users", "guest", "localhost", "localdomain", "local", "nobody", "daemon",
    "debian", "ubuntu", "centos", "fedora", "postgres", "none", "unknown", "default", "system", "home", "test", "server",
    "linux", "macos", "mac", "apple", "cpu", "gpu", "disk", "name", "host", "node", "model", "version", "status",
}  # fmt: skip
"""Words that are no secret, and stand for other things."""
MAC_ADDRESS = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])")
NO_ADDRESS = {"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"}
ORDINARY_USERS = range(500, 60000)
HOME = re.compile(r"(?<![\w/])/(?:home|Users)/([A-Za-z0-9_][\w.-]{0,63})(?![\w.-])")
NO_HOMES = {"Shared", "Guest", "linuxbrew"}


class Disguise:
    """Replaces names by made-up ones."""

    def __init__(self, names: Iterable[str], key: bytes) -> None:
        self._key = key
        wanted = {
            name for one in names if (name := one.strip()) and len(name) >= SHORTEST and name.lower() not in COMMON
        }
        # The longest first: a host name may begin with that of a user.
        words = "|".join(re.escape(name) for name in sorted(wanted, key=lambda name: (-len(name), name)))
        self._names = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])", re.IGNORECASE) if words else None

    def text(self, text: str) -> str:
        """The text with every known name, and every MAC address, replaced."""
        if self._names is not None:
            text = self._names.sub(lambda found: self._made_up(found[0]), text)
        return MAC_ADDRESS.sub(lambda found: self._made_up_address(found[0]), text)

    def _made_up(self, name: str) -> str:
        """Letters for letters, hexadecimal digits for those of a UUID, digits for digits; the rest stays."""
        digits = iter(self._stream(name.lower()))
        hexadecimal = re.fullmatch(r"[0-9A-Fa-f-]{12,}", name) is not None
        made = []
        for sign in name:
            number = next(digits)
            if hexadecimal and sign != "-":
                made.append("0123456789abcdef"[number % 16])
            elif sign.isascii() and sign.isdigit():
                made.append("0123456789"[number % 10])
            elif sign.isalpha():
                made.append("abcdefghijklmnopqrstuvwxyz"[number % 26])
            else:
                made.append(sign)
        text = "".join(made)
        return text.upper() if name.isupper() else text

    def _made_up_address(self, address: str) -> str:
        """The maker's half stays: it tells the kind of card."""
        if address.lower() in NO_ADDRESS:
            return address
        made = address[:9] + ":".join(f"{number:02x}" for number in self._stream(address.lower())[:3])
        return made.upper() if address.isupper() else made

    def _stream(self, name: str) -> bytes:
        """Chance that a name always gets: as many bytes as it has letters, and more."""
        blocks = range(len(name) // 32 + 1)
        return b"".join(
            hmac.new(self._key, f"{block}:{name}".encode("utf-8", "surrogatepass"), sha256).digest() for block in blocks
        )


def people(texts: Iterable[str]) -> set[str]:
    """Names of people's accounts, and their full names, in the text of `/etc/passwd` and in paths below /home and /Users."""
    found: set[str] = set()
    for text in texts:
        for line in text.splitlines():
            parts = line.split(":")
            if len(parts) == 7 and parts[2].isascii() and parts[2].isdigit() and int(parts[2][:9]) in ORDINARY_USERS:
                found.update((parts[0], parts[4].split(",")[0]))
        found.update(match[1] for match in HOME.finditer(text) if match[1] not in NO_HOMES)
    return found
