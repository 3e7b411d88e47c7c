"""Who waits for connections on a Mac: `lsof`, in its form for programs and in the one for people, and `netstat`."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from aya.collect.listener import Listener

LSOF = ("lsof", "-nP", "-iTCP", "-sTCP:LISTEN", "-F", "pcnPtTuL")
LSOF_TABLE = ("lsof", "-nP", "-iTCP", "-sTCP:LISTEN")
NETSTAT = ("netstat", "-anv", "-p", "tcp")
PLACE = re.compile(r"(?P<address>\*|\[[0-9a-fA-F:.%\w]+\]|[0-9a-fA-F:.%]+?)[:.](?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A socket that waits, and the process that holds it, as far as it is shown."""

    listener: Listener
    pid: int | None
    command: str | None = None
    user: str | None = None


def holders_in_fields(text: str) -> Iterator[Holder]:
    """`lsof -F`: a line for each field, named by its first letter; `p` begins a process, `f` a file of it."""
    pid: int | None = None
    command = user = family = protocol = None
    for line in text.splitlines():
        field, value = line[:1], line[1:]
        match field:
            case "p":
                pid = int(value) if value.isdecimal() and len(value) < 10 else None
                command = user = family = protocol = None
            case "c":
                command = value
            case "L":
                user = value
            case "t":
                family = value
            case "P":
                protocol = value.lower()
            case "n" if protocol in (None, "tcp"):
                listener = _listener(value, family)
                if listener is not None and pid is not None:
                    yield Holder(listener=listener, pid=pid, command=command, user=user)


def holders_in_table(text: str) -> Iterator[Holder]:
    """The table of `lsof`: command, process, user, descriptor, family, ..., `TCP`, place, `(LISTEN)`."""
    for line in text.splitlines():
        row = re.fullmatch(r"(\S+)\s+(\d{1,9})\s+(\S+)\s.*?\s(IPv[46])\s.*\sTCP\s+(\S+)\s+\(LISTEN\)\s*", line[:4096])
        listener = _listener(row[5], row[4]) if row else None
        if row and listener is not None:
            # Blanks in names are shown as `\\x20`.
            command = row[1].replace("\\x20", " ")
            yield Holder(listener=listener, pid=int(row[2]), command=command, user=row[3])


def holders_in_netstat(text: str) -> Iterator[Holder]:
    """`netstat -anv`, which shows the sockets of everybody. The process stands under `pid`, or after its name."""
    after_state: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["Proto"] and "(state)" in words:
            after_state = words[words.index("(state)") + 1 :]
        if len(words) < 6 or not words[0].startswith("tcp") or "LISTEN" not in words:
            continue
        listener = _listener(words[3], "IPv4" if words[0] == "tcp4" else "IPv6")
        rest = words[words.index("LISTEN") + 1 :]
        pid, command = None, None
        if "pid" in after_state and len(rest) > after_state.index("pid"):
            told = rest[after_state.index("pid")]
            pid = int(told) if told.isdecimal() and len(told) < 10 else None
        elif named := re.search(r"(\S+):(\d{1,9})\b", " ".join(rest)):
            pid, command = int(named[2]), named[1]
        if listener is not None:
            yield Holder(listener=listener, pid=pid or None, command=command)


def _listener(place: str, family: str | None) -> Listener | None:
    """`*:5432`, `127.0.0.1:5432`, `[::1]:5432`, and `127.0.0.1.5432` as netstat writes it."""
    match = PLACE.fullmatch(place)
    if match is None or int(match["port"]) > 65535:
        return None
    address = match["address"].strip("[]").partition("%")[0]
    if address == "*":
        address = "0.0.0.0" if family == "IPv4" else "::"
    try:
        plain = str(ipaddress.ip_address(address))
    except ValueError:
        return None
    return Listener(protocol="tcp", address=plain, port=int(match["port"]), inode=f"{plain}:{match['port']}")
