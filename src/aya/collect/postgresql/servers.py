"""Which PostgreSQL servers run on a machine, and by which ways each can be reached.

The machine's own answers only: processes that are postmasters, the lock files of their data folders and sockets where
readable, Unix sockets named `.s.PGSQL.PORT`, listening TCP ports. Where there is no /proc, the usual folders of
sockets.
"""

import os.path
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from aya.db.observed import Route
from aya.host.reading import File, Files, Found, Links, Names, Read

POSTMASTERS = frozenset({"postgres", "postmaster", "edb-postgres"})
NOT_SERVING = frozenset({"--single", "--boot", "--check", "--version", "-V", "--help", "-?", "--describe-config", "-C"})
SOCKET = re.compile(r"(?P<folder>.+)/\.s\.PGSQL\.(?P<port>\d{1,5})$")
USUAL_FOLDERS = ("/tmp", "/var/run/postgresql", "/run/postgresql")
LISTENING_SOCKET, LISTENING_TCP = "00010000", "0A"
LOOPBACK = {
    "00000000": "127.0.0.1",
    "0100007F": "127.0.0.1",
    "00000000000000000000000000000000": "::1",
    "00000000000000000000000001000000": "::1",
}
"""Addresses in /proc/net/tcp by which a program on this machine is reached through the loopback interface."""

reads: tuple[Read, ...] = (
    Files("/proc/[0-9]*/cmdline", optional=True),
    File("/proc/net/unix"),
    File("/proc/net/tcp", optional=True),
    File("/proc/net/tcp6", optional=True),
    File("/etc/passwd", optional=True),
    *(Names(f"{folder}/.s.PGSQL.*", optional=True) for folder in USUAL_FOLDERS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """One server of this machine: where it can be reached, and whose it is."""

    port: int
    socket_folders: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    """Loopback addresses that it listens on."""
    owner_uid: int | None = None
    owner_name: str | None = None
    process_id: int | None = None
    data_directory: str | None = None

    @property
    def label(self) -> str:
        """What to call it while its own name is not known."""
        return f"{next(iter(self.socket_folders + self.hosts), f'process {self.process_id}')}:{self.port}"

    def routes(self, own_uid: int, own_name: str | None) -> tuple[Route, ...]:
        """The ways to try, best first: the socket as the server's owner where we are root, as ourselves, then TCP.

        Few, because every refusal is a line in the server's log.
        """
        identity = self.owner_uid if own_uid == 0 else None
        name = self.owner_name if own_uid == 0 and self.owner_uid is not None else own_name
        roles = tuple(dict.fromkeys(role for role in (name, "postgres") if role))
        sockets = [(folder, role, identity) for folder in self.socket_folders for role in roles]
        tcp = [(host, "postgres", None) for host in self.hosts[:1]]
        return tuple(
            Route(host=host, port=self.port, user=role, effective_uid=uid) for host, role, uid in sockets + tcp
        )


def more(found: Found) -> tuple[Read, ...]:
    """What to ask about each postmaster and socket that was found."""
    return (
        *(
            read
            for pid, _ in _postmasters(found)
            for read in (
                File(f"/proc/{pid}/status", optional=True),
                # A postmaster's working folder is its data folder, whatever its options, files or container say.
                Links(f"/proc/{pid}/cwd", optional=True),
                File(f"/proc/{pid}/cwd/postmaster.pid", optional=True),
            )
        ),
        *(File(f"{folder}/.s.PGSQL.{port}.lock", optional=True) for folder, port in _sockets(found)),
    )


def parse(found: Found) -> tuple[ServerAddress, ...]:
    """The servers of this machine, by port and folder. `found` holds the answers to `reads` and `more`."""
    names = _user_names(found.text("/etc/passwd") or "")
    sockets = list(_sockets(found))
    locks = {place: _lock(found.text(f"{place[0]}/.s.PGSQL.{place[1]}.lock")) for place in sockets}
    postmasters = dict(_postmasters(found))
    status = {pid: _status(found.text(f"/proc/{pid}/status") or "") for pid in postmasters}
    servers: list[ServerAddress] = []
    taken: set[tuple[str, int]] = set()
    known: dict[int, list[tuple[str, int]]] = {}
    ports: dict[int, int] = {}
    for pid, argv in sorted(postmasters.items()):
        if status[pid][0] in postmasters:
            continue  # a child that has not named itself yet
        lock = _lock(found.text(f"/proc/{pid}/cwd/postmaster.pid"))
        known[pid] = [place for place in sockets if (own := locks[place]) and own[0] == pid]
        ports[pid] = lock[1] if lock else known[pid][0][1] if known[pid] else _named_port(argv) or 5432
    rivals = Counter(port for pid, port in ports.items() if not known[pid])
    for pid, port in ports.items():
        uid = status[pid][1]
        hosts = _listening(found, port, uid)
        free = [place for place in sockets if place[1] == port and locks[place] is None]
        # Which of several servers has which of these sockets may not be seen: then each socket stands for one, below.
        untold = bool(free) and not known[pid] and rivals[port] > 1
        if untold and not hosts:
            continue
        mine = known[pid] or ([] if untold else free)
        taken.update(mine)
        servers.append(
            ServerAddress(
                port=port,
                socket_folders=tuple(folder for folder, _ in mine),
                hosts=hosts,
                owner_uid=uid,
                owner_name=names.get(uid) if uid is not None else None,
                process_id=pid,
                data_directory=found.line(f"/proc/{pid}/cwd") or _named_folder(postmasters[pid]),
            )
        )
    # Sockets of servers whose processes may not be seen.
    servers += (
        ServerAddress(port=port, socket_folders=(folder,)) for folder, port in sockets if (folder, port) not in taken
    )
    return tuple(sorted(servers, key=lambda server: (server.port, server.socket_folders, server.process_id or 0)))


def _postmasters(found: Found) -> Iterable[tuple[int, list[str]]]:
    for path, text in found.matches("/proc/[0-9]*/cmdline"):
        argv = text.split("\0")
        if os.path.basename(argv[0]) in POSTMASTERS and not NOT_SERVING.intersection(argv):
            yield int(path.split("/")[2]), [argument for argument in argv if argument]


def _sockets(found: Found) -> list[tuple[str, int]]:
    kernel = found.text("/proc/net/unix")
    if kernel is not None:
        fields = (line.split(None, 7) for line in kernel.splitlines()[1:])
        paths = [f[7] for f in fields if len(f) == 8 and f[3] == LISTENING_SOCKET]
    else:
        paths = [path for folder in USUAL_FOLDERS for path, _ in found.matches(f"{folder}/.s.PGSQL.*")]
    matches = (SOCKET.match(path) for path in paths)
    return sorted({(m["folder"], int(m["port"])) for m in matches if m and 0 < int(m["port"]) < 65536})


def _named_folder(argv: list[str]) -> str | None:
    for option, value in pairwise([*argv, ""]):
        folder = value if option == "-D" else option[2:] if option.startswith("-D") else ""
        if folder.startswith("/"):
            return os.path.normpath(folder)
    return None


def _named_port(argv: list[str]) -> int | None:
    port = None
    for option, value in pairwise([*argv, ""]):
        text = {"-p": f"port={value}", "-c": value}.get(option, option.lstrip("-"))
        if named := re.fullmatch(r"(?:port=|p)(\d{1,5})", text):
            port = int(named[1])
    return port if port is not None and 0 < port < 65536 else None


def _lock(text: str | None) -> tuple[int, int] | None:
    """Process and port out of a `postmaster.pid` or a socket's lock file."""
    lines = (text or "").split("\n")
    try:
        return int(lines[0]), int(lines[3])
    except (IndexError, ValueError):
        return None


def _status(text: str) -> tuple[int | None, int | None]:
    """Parent process and effective user of a process."""
    parent = re.search(r"^PPid:\s*(\d+)", text, re.M)
    user = re.search(r"^Uid:\s*\d+\s+(\d+)", text, re.M)
    return int(parent[1]) if parent else None, int(user[1]) if user else None


def _user_names(passwd: str) -> dict[int, str]:
    fields = (line.split(":") for line in passwd.splitlines())
    return {int(f[2]): f[0] for f in fields if len(f) > 2 and f[2].isdigit()}


def _listening(found: Found, port: int, uid: int | None) -> tuple[str, ...]:
    hosts = set()
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in (found.text(name) or "").splitlines()[1:]:
            fields = line.split()
            if len(fields) < 8 or fields[3] != LISTENING_TCP or (uid is not None and fields[7] != str(uid)):
                continue
            address, _, hex_port = fields[1].partition(":")
            if hex_port == f"{port:04X}" and address in LOOPBACK:
                hosts.add(LOOPBACK[address])
    return tuple(sorted(hosts))
