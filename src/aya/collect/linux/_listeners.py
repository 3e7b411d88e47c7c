"""Who waits for connections: the sockets of the kernel (/proc/net), and the table that `ss` prints."""

import ipaddress
import re
from typing import Literal

from aya.collect.listener import Listener

TCP_LISTENS, UDP_UNCONNECTED = "0A", "07"
UNIX_ACCEPTS = 0x10000


def listeners_in_proc(
    text: str, protocol: str, ephemeral: range, byte_order: Literal["little", "big"] = "little"
) -> list[Listener]:
    """The waiting sockets in /proc/net/{tcp,tcp6,udp,udp6}.

    An unconnected UDP socket on an ephemeral port is somebody's question under way, not a service.
    """
    found = []
    for line in text.splitlines()[1:]:
        columns = line.split()
        if len(columns) < 10 or columns[3] != (TCP_LISTENS if protocol == "tcp" else UDP_UNCONNECTED):
            continue
        address, _, port = columns[1].partition(":")
        try:
            number, place = int(port, 16), _address(address, byte_order)
        except ValueError:
            continue
        if not columns[2].endswith(":0000") or (protocol == "udp" and number in ephemeral):
            continue
        found.append(Listener(protocol=protocol, address=place, port=number, inode=columns[9], user_id=columns[7]))
    return found


def _address(text: str, byte_order: Literal["little", "big"]) -> str:
    """An address of /proc/net: words of four bytes, each in the byte order of the machine."""
    if len(text) not in (8, 32):
        raise ValueError(text)
    words = [bytes.fromhex(text[start : start + 8]) for start in range(0, len(text), 8)]
    packed = b"".join(word[::-1] if byte_order == "little" else word for word in words)
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def unix_listeners_in_proc(text: str) -> list[Listener]:
    """The named Unix sockets in /proc/net/unix that accept connections."""
    found = []
    for line in text.splitlines()[1:]:
        columns = line.split(maxsplit=7)
        if len(columns) < 8 or not re.fullmatch(r"[0-9A-Fa-f]{1,8}", columns[3]):
            continue
        if int(columns[3], 16) & UNIX_ACCEPTS and columns[7].startswith("/"):
            found.append(Listener(protocol="unix", address=columns[7], port=None, inode=columns[6]))
    return found


def listeners_in_ss(text: str) -> list[tuple[Listener, str | None, int | None]]:
    """The rows of `ss -l`, each with the name and process id of its first owner, where it is named."""
    found: list[tuple[Listener, str | None, int | None]] = []
    for line in text.splitlines():
        # Asked for one protocol, it does not name it.
        columns = (f"tcp {line}" if line.startswith("LISTEN") else line).split(maxsplit=6)
        if len(columns) < 5 or columns[0] not in ("tcp", "udp") or columns[1] not in ("LISTEN", "UNCONN"):
            continue
        owner = re.search(r'\(\("(.*?)",pid=(\d{1,9}),', line)
        if listener := _printed(columns[0], columns[4], f"ss {len(found)}"):
            found.append((listener, owner[1] if owner else None, int(owner[2]) if owner else None))
    return found


def listeners_in_netstat(text: str) -> list[tuple[Listener, str | None, int | None]]:
    """The same of `netstat -tulpn`: `tcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN 812/sshd`."""
    found: list[tuple[Listener, str | None, int | None]] = []
    for line in text.splitlines():
        row = re.match(r"(tcp|udp)6? +\d+ +\d+ +(\S+) +\S+:\* +(LISTEN)?(.*)", line)
        if row is None or (row[1] == "tcp") != (row[3] is not None):
            continue
        owner = re.search(r"(?:^|\s)(\d{1,9})/([^\s:]+)", row[4])
        if listener := _printed(row[1], row[2], f"netstat {len(found)}"):
            found.append((listener, owner[2] if owner else None, int(owner[1]) if owner else None))
    return found


def _printed(protocol: str, place: str, inode: str) -> Listener | None:
    address, _, port = place.rpartition(":")
    if not port.isascii() or not port.isdecimal() or len(port) > 5:
        return None
    address = address.strip("[]").partition("%")[0]
    return Listener(protocol=protocol, address="::" if address == "*" else address, port=int(port), inode=inode)
