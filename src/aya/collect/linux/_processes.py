"""The processes that wait for connections: their sockets, who holds them, and what each process is."""

import re
from dataclasses import dataclass
from typing import Literal

from aya.collect.json_values import integer, parsed
from aya.collect.linux._listeners import listeners_in_proc, unix_listeners_in_proc
from aya.collect.listener import Listener
from aya.collect.programs import arguments, program_name
from aya.host.reading import Found
from aya.model import Outcome

SYSTEMD_RUNS = "/run/systemd/system"
"""A folder that is there where systemd runs the machine."""
TABLES = ("tcp", "tcp6", "udp", "udp6", "unix")
SOCKETS, SOCKETS_LATER = "/proc/net", "/proc/self/net"
"""Two names of the same tables: asked before and after the open files of processes."""
PROCESS_FILES = ("stat", "status", "cmdline", "comm", "cgroup")
EPHEMERAL = range(32768, 61000)
"""The ports Linux lends to clients, where /proc/sys/net/ipv4/ip_local_port_range does not say otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process that listens."""

    pid: int
    parent: int | None
    name: str
    executable: str | None
    replaced: bool
    argv: tuple[str, ...]
    user: str | None
    unit: str | None
    started_ticks: int | None


def _ephemeral(text: str | None) -> range:
    bounds = [integer(word) for word in (text or "").split()]
    if len(bounds) != 2 or bounds[0] is None or bounds[1] is None:
        return EPHEMERAL
    return range(bounds[0], bounds[1] + 1)


def sockets(found: Found, folder: str = SOCKETS) -> list[Listener]:
    """The sockets that wait for connections or datagrams."""
    ephemeral = _ephemeral(found.text("/proc/sys/net/ipv4/ip_local_port_range"))
    order: Literal["little", "big"] = "big" if parsed(found.text("byte-order")) == "big" else "little"
    of_network = [
        listener
        for table in ("tcp", "tcp6", "udp", "udp6")
        for listener in listeners_in_proc(found.text(f"{folder}/{table}") or "", table[:3], ephemeral, order)
    ]
    return of_network + unix_listeners_in_proc(found.text(f"{folder}/unix") or "")


def closed_meanwhile(found: Found) -> set[str]:
    """The sockets that were closed while we looked who holds them."""
    if found.text(f"{SOCKETS_LATER}/tcp") is None:
        return set()
    still_open = {listener.inode for listener in sockets(found, SOCKETS_LATER)}
    return {listener.inode for listener in sockets(found)} - still_open


def holders(found: Found) -> dict[str, list[int]]:
    """Which processes hold which socket: inode -> process ids."""
    by_socket: dict[str, list[int]] = {}
    for path, answer in found.answers().items():
        # A machine has thousands of open files: no pattern is matched against each.
        if answer.outcome is Outcome.OK and answer.data.startswith(b"socket:[") and "/fd/" in path:
            pid = integer(path.split("/")[2])
            if pid is not None:
                by_socket.setdefault(answer.text[8:-1], []).append(pid)
    return {inode: sorted(set(pids)) for inode, pids in by_socket.items()}


def listening_processes(found: Found) -> set[int]:
    """The processes that hold a socket that waits."""
    by_socket = holders(found)
    return {pid for listener in sockets(found) for pid in by_socket.get(listener.inode, ())}


def read_process(found: Found, pid: int, users: dict[str, str]) -> Process | None:
    """What a process is; None where it is gone by now."""
    folder = f"/proc/{pid}"
    comm, stat = found.line(f"{folder}/comm"), found.text(f"{folder}/stat") or ""
    argv = arguments((found.text(f"{folder}/cmdline") or "").rstrip("\0").split("\0"))
    link = found.line(f"{folder}/exe")
    executable = (link or "").removesuffix(" (deleted)") or None
    name = program_name(executable, argv, comm)
    if name is None:
        return None
    after_name = stat.rpartition(")")[2].split()  # the name may hold blanks and brackets
    user = re.search(r"^Uid:\s+\d+\s+(\d+)", found.text(f"{folder}/status") or "", re.MULTILINE)
    return Process(
        pid=pid,
        parent=integer(after_name[1]) if len(after_name) > 19 else None,
        name=name,
        executable=executable,
        replaced=link is not None and link.endswith(" (deleted)"),
        argv=argv,
        user=users.get(user[1], user[1]) if user else None,
        # In a container, the path of a process may name services of the machine outside.
        unit=_unit_in_cgroup(found.text(f"{folder}/cgroup")) if SYSTEMD_RUNS in found.answers() else None,
        started_ticks=integer(after_name[19]) if len(after_name) > 19 else None,
    )


def users_in(text: str | None) -> dict[str, str]:
    """The names of users by their numbers, of /etc/passwd."""
    rows = (line.split(":") for line in (text or "").splitlines())
    return {row[2]: row[0] for row in reversed([row for row in rows if len(row) >= 3])}


def _unit_in_cgroup(text: str | None) -> str | None:
    """The system service a process belongs to: the first `.service` on its path. User managers are none."""
    for line in (text or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" or controllers == "name=systemd":
            service = next((part for part in path.split("/") if part.endswith(".service")), None)
            if service is not None and not service.startswith("user@"):
                return service
    return None


def named_process(name: str, pid: int) -> Process:
    """A process of which only the name is known."""
    return Process(
        pid=pid,
        parent=None,
        name=name,
        executable=None,
        replaced=False,
        argv=(),
        user=None,
        unit=None,
        started_ticks=None,
    )
