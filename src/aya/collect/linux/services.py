"""Services: the units of systemd, and every program that waits for connections.

One row per service. A unit and its listening processes are one row under the unit's name (without `.service`); a
listening program outside of any unit has a row under its own name. Such a name depends on nothing but the program
itself, so that it stays when others come and go: `postgres` where it listens on its usual port, else with its first
port, `postgres:5433`, `http.server:8000`; without a port, with its data directory. Process ids are never part of it.

Units count that are loaded and enabled, active or failed; a unit that runs once and ends (`oneshot`) only if it is
enabled or failed, and it is never `running`: it does its work and is `stopped`. A running unit that ends by itself and
is restarted again and again is `failed`. A service behind an open socket unit counts too, `stopped` until it is called.

The time of a start is counted from the kernel's boot time in whole seconds, which an unchanged clock gives equally at
every look (setting the clock moves it).

Sockets whose process may not be seen are listed in `services.unattributed_listeners` of the node and are no rows. To an
ordinary user that is a gap. To root it is not: what is left then belongs to the kernel (NFS, VXLAN) or to a process
that nobody may look into, at this look as at every other, and must not keep stopped services alive for ever.
Unconnected UDP sockets on ephemeral ports are questions of clients and no services. Unix sockets count for well-known
servers only. Command lines are not kept: they may hold secrets.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.json_values import integer, parsed
from aya.collect.linux._listeners import (
    listeners_in_proc,
    listeners_in_ss,
    unix_listeners_in_proc,
)
from aya.collect.listener import Listener
from aya.collect.programs import PROGRAMS, Places, arguments, places, program_name
from aya.host.reading import Call, Command, File, Found, Links, Names, Read
from aya.model import Facts, Gap, Json, Outcome, Service

SYSTEMD_RUNS = "/run/systemd/system"
PROPERTIES = (
    "Id",
    "Description",
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "Type",
    "Restart",
    "MainPID",
    "ExecMainStartTimestamp",
    "FragmentPath",
    "ExecStart",
    "PIDFile",
    "User",
    "Listen",
    "Triggers",
)
SYSTEMCTL = (
    "systemctl",
    "show",
    "--all",
    "--no-pager",
    f"--property={','.join(PROPERTIES)}",
    "*.service",
    "*.socket",
)
SS = ("ss", "-ltnup")
TABLES = ("tcp", "tcp6", "udp", "udp6", "unix")
SOCKETS, SOCKETS_LATER = "/proc/net", "/proc/self/net"
"""Two names of the same tables: asked before and after the open files of processes."""
PROCESS_FILES = ("stat", "status", "cmdline", "comm", "cgroup")
UNIT_STATES = {"active": "running", "reloading": "running", "activating": "running", "deactivating": "running"}
SERVER_SOCKETS = re.compile(r".*/(\.s\.PGSQL\.\d+|[^/]*(mysql|mariadb|redis|valkey|memcached|docker|containerd)[^/]*)")
"""The Unix sockets of which a hidden process is worth knowing: those of servers that may listen on nothing else."""

NEVER_RESTARTS = "no"
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


@dataclass(slots=True, kw_only=True)
class Unit:
    """What systemd says of one unit."""

    properties: dict[str, str]
    listeners: list[Listener] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """A property; None where it is empty."""
        return self.properties.get(name) or None

    @property
    def enabled(self) -> bool:
        """Whether it starts with the machine."""
        return self.get("UnitFileState") in ("enabled", "enabled-runtime")

    @property
    def counts(self) -> bool:
        """Whether it is a service of this machine, and not merely a file on it."""
        if self.get("LoadState") != "loaded":
            return False
        if self.enabled or self.get("ActiveState") == "failed" or self.listeners:
            return True
        return self.get("Type") != "oneshot" and self.get("ActiveState") in UNIT_STATES

    @property
    def status(self) -> str:
        """`running`, `stopped` or `failed`."""
        if self.get("ActiveState") == "failed" or self.get("SubState") == "auto-restart":
            return "failed"
        if self.get("Type") == "oneshot" or self.get("SubState") == "exited":
            return "stopped"
        return UNIT_STATES.get(self.get("ActiveState") or "", "stopped")


# --- systemd ----------------------------------------------------------------------------------------------------------


def _units(text: str) -> dict[str, Unit]:
    """The blocks of `systemctl show`, by unit name; a property that is there several times keeps all its lines."""
    units = {}
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        properties: dict[str, str] = {}
        for line in block.splitlines():
            name, separator, value = line.partition("=")
            if separator and name in PROPERTIES:
                properties[name] = f"{properties[name]}\n{value}" if properties.get(name) else value
        if "Id" in properties:
            units[properties["Id"]] = Unit(properties=properties)
    return units


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


def _moment(text: str | None) -> datetime | None:
    """`Thu 2025-10-09 12:34:56 UTC` (commands run in UTC), or `@seconds`."""
    match = re.fullmatch(
        r"(?:[A-Z][a-z]{2} )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC|@(\d{1,11})(?:\.\d+)?", text or ""
    )
    try:
        if match is None:
            return None
        if match[2]:
            return datetime.fromtimestamp(int(match[2]), UTC)
        return datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _open_through_socket_units(units: dict[str, Unit]) -> Iterable[tuple[int, Unit]]:
    """The ports that systemd keeps open for services, each with its service."""
    for unit in units.values():
        if unit.get("ActiveState") == "active" and unit.get("Listen"):
            for triggered in (unit.get("Triggers") or "").split():
                service = units.get(triggered)
                for port in re.findall(r":(\d{1,5}) \((?:Stream|Datagram)\)", unit.get("Listen") or ""):
                    if service is not None:
                        yield int(port), service


# --- processes --------------------------------------------------------------------------------------------------------


def _ephemeral(text: str | None) -> range:
    bounds = [integer(word) for word in (text or "").split()]
    if len(bounds) != 2 or bounds[0] is None or bounds[1] is None:
        return EPHEMERAL
    return range(bounds[0], bounds[1] + 1)


def _sockets(found: Found, folder: str = SOCKETS) -> list[Listener]:
    ephemeral = _ephemeral(found.text("/proc/sys/net/ipv4/ip_local_port_range"))
    order: Literal["little", "big"] = "big" if parsed(found.text("byte-order")) == "big" else "little"
    sockets = [
        listener
        for table in ("tcp", "tcp6", "udp", "udp6")
        for listener in listeners_in_proc(found.text(f"{folder}/{table}") or "", table[:3], ephemeral, order)
    ]
    return sockets + unix_listeners_in_proc(found.text(f"{folder}/unix") or "")


def _closed_meanwhile(found: Found) -> set[str]:
    """The sockets that were closed while we looked who holds them."""
    if found.text(f"{SOCKETS_LATER}/tcp") is None:
        return set()
    still_open = {listener.inode for listener in _sockets(found, SOCKETS_LATER)}
    return {listener.inode for listener in _sockets(found)} - still_open


def _holders(found: Found) -> dict[str, list[int]]:
    """Which processes hold which socket: inode -> process ids."""
    holders: dict[str, list[int]] = {}
    for path, answer in found.answers().items():
        # A machine has thousands of open files: no pattern is matched against each.
        if answer.outcome is Outcome.OK and answer.data.startswith(b"socket:[") and "/fd/" in path:
            pid = integer(path.split("/")[2])
            if pid is not None:
                holders.setdefault(answer.text[8:-1], []).append(pid)
    return {inode: sorted(set(pids)) for inode, pids in holders.items()}


def _listening_processes(found: Found) -> set[int]:
    holders = _holders(found)
    return {pid for listener in _sockets(found) for pid in holders.get(listener.inode, ())}


def _process(found: Found, pid: int, users: dict[str, str]) -> Process | None:
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


def _users(text: str | None) -> dict[str, str]:
    rows = (line.split(":") for line in (text or "").splitlines())
    return {row[2]: row[0] for row in reversed([row for row in rows if len(row) >= 3])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What turns the ticks of a process into a time."""

    booted: int | None
    up_seconds: int | None
    ticks_per_second: int | None

    def started(self, ticks: int | None) -> datetime | None:
        """When something began that many ticks after boot, in whole seconds."""
        if ticks is None or self.booted is None or not self.ticks_per_second:
            return None
        try:
            return datetime.fromtimestamp(self.booted + ticks // self.ticks_per_second, UTC)
        except (ValueError, OverflowError, OSError):
            return None

    def since(self, moment: datetime | None) -> int | None:
        """How many seconds ago that was."""
        if moment is None or self.booted is None or self.up_seconds is None:
            return None
        try:
            now = datetime.fromtimestamp(self.booted, UTC) + timedelta(seconds=self.up_seconds)
        except (ValueError, OverflowError, OSError):
            return None
        return max(0, int((now - moment).total_seconds()))


def _clock(found: Found) -> Clock:
    booted = re.search(r"^btime (\d{1,11})$", found.text("/proc/stat") or "", re.MULTILINE)
    return Clock(
        booted=int(booted[1]) if booted else None,
        up_seconds=integer((found.line("/proc/uptime") or "").partition(".")[0]),
        ticks_per_second=integer(found.line("clock-ticks")),
    )


# --- rows -------------------------------------------------------------------------------------------------------------


def _distinct(name: str, listeners: list[Listener], data: str | None) -> str:
    """A name that only this server of a program has, whoever else runs."""
    port = next((listener.port for listener in listeners if listener.port is not None), None)
    if port is None:
        socket = next((listener.address for listener in listeners), None)
        return f"{name}:{data or socket}" if data or socket else name
    return name if name in PROGRAMS and port in PROGRAMS[name].ports else f"{name}:{port}"


def _listening(listeners: Iterable[Listener]) -> list[Listener]:
    """Each address once, in a stable order."""
    by_address = {(one.protocol, one.address, one.port): one for one in listeners}
    return sorted(by_address.values(), key=lambda listener: listener.rank)


def _metadata(
    listeners: list[Listener], process: Process | None, unit: Unit | None, user: str | None
) -> dict[str, Json]:
    return {
        "listeners": [listener.as_json() for listener in listeners],
        "program": process.name if process else None,
        "user": user,
        "unit": unit.get("Id") if unit else None,
        "unit_file": unit.get("FragmentPath") if unit else None,
        "unit_type": unit.get("Type") if unit else None,
        "description": unit.get("Description") if unit else None,
        "restart": unit.get("Restart") if unit else None,
        "executable_replaced": process.replaced if process else None,
    }


def _service_of_program(processes: list[Process], listeners: list[Listener], clock: Clock) -> Service:
    # Workers share their sockets with the process that opened them, which is the oldest.
    first = min(processes, key=lambda process: (process.started_ticks or 0, process.pid))
    known = places(first.name, first.argv)
    started = clock.started(first.started_ticks)
    network = next((listener for listener in listeners if listener.protocol != "unix"), None)
    return Service(
        service_name=_distinct(first.name, listeners, known.data),
        service_type=_type(first.name),
        process_id=first.pid,
        port=network.port if network else None,
        bind_address=network.address if network else None,
        executable_path=first.executable,
        config_path=known.config,
        data_path=known.data,
        log_path=known.log,
        pid_file_path=known.pid_file,
        status="running",
        started_at=started,
        uptime_seconds=clock.since(started),
        metadata=_metadata(listeners, first, None, first.user),
    )


def _service_of_unit(unit: Unit, clock: Clock) -> Service:
    name = (unit.get("Id") or "").removesuffix(".service")
    main_pid = integer(unit.get("MainPID"))
    process = next((process for process in unit.processes if process.pid == main_pid), None) or min(
        unit.processes, key=lambda process: (process.started_ticks or 0, process.pid), default=None
    )
    command = re.search(r"path=(.*?) ; argv\[\]=(.*?) ;", unit.get("ExecStart") or "")
    executable = (process.executable if process else None) or (command[1] if command else None)
    argv = process.argv if process else tuple(command[2].split()) if command else ()
    program = process.name if process else program_name(executable, argv, None)
    known = places(program or "", argv) if program else Places()
    listeners = _listening(unit.listeners)
    network = next((listener for listener in listeners if listener.protocol != "unix"), None)
    running = unit.status == "running"
    started = _moment(unit.get("ExecMainStartTimestamp")) or clock.started(process.started_ticks if process else None)
    started = started if running else None
    restart = unit.get("Restart")
    return Service(
        service_name=name,
        service_type=_type(program),
        process_id=(main_pid or (process.pid if process else None)) if running else None,
        port=network.port if network else None,
        bind_address=network.address if network else None,
        executable_path=executable,
        config_path=known.config,
        data_path=known.data,
        log_path=known.log,
        pid_file_path=known.pid_file or unit.get("PIDFile"),
        status=unit.status,
        started_at=started,
        uptime_seconds=clock.since(started),
        auto_start=unit.enabled if unit.get("UnitFileState") else None,
        auto_restart=restart != NEVER_RESTARTS if restart else None,
        metadata=_metadata(listeners, process, unit, unit.get("User") or (process.user if process else None)),
    )


def _type(program: str | None) -> str:
    known = PROGRAMS.get(program or "")
    return known.type if known else "daemon"


# --- the whole --------------------------------------------------------------------------------------------------------


def more(found: Found) -> tuple[Read, ...]:
    """What each listening process is; the units, where systemd runs the machine."""
    reads: list[Read] = [File(f"{SOCKETS_LATER}/{table}", optional=True) for table in TABLES]
    for pid in sorted(_listening_processes(found)):
        reads += [File(f"/proc/{pid}/{name}", optional=True) for name in PROCESS_FILES]
        reads.append(Links(f"/proc/{pid}/exe", optional=True))
    if found.answer(SYSTEMD_RUNS).outcome is Outcome.OK:
        reads.append(Command(SYSTEMCTL))
    if found.text("/proc/net/tcp") is None:
        reads.append(Command(SS, optional=True))
    return tuple(reads)


def parse(found: Found) -> Facts:
    """The services of the machine; see the module's description."""
    clock, users = _clock(found), _users(found.text("/etc/passwd"))
    units = _units(asked(found, " ".join(SYSTEMCTL)))
    holders = _holders(found)
    processes = {
        pid: process for pid in _listening_processes(found) if (process := _process(found, pid, users)) is not None
    }
    closed, kept_open = _closed_meanwhile(found), dict(_open_through_socket_units(units))
    programs: dict[str, tuple[list[Process], list[Listener]]] = {}
    unattributed: list[Listener] = []

    for listener in _sockets(found):
        owners = [processes[pid] for pid in holders.get(listener.inode, ()) if pid in processes]
        # systemd itself holds the sockets of services that it starts on demand: the service owns them.
        owners = [owner for owner in owners if owner.pid != 1] or owners
        unit = next((unit for owner in owners if (unit := _unit_of(owner, units)) is not None), None)
        if unit is None and owners and owners[0].pid == 1 and listener.port in kept_open:
            unit = kept_open[listener.port]
        if unit is not None:
            unit.listeners.append(listener)
            unit.processes += [owner for owner in owners if owner not in unit.processes and owner.pid != 1]
        elif owners:
            if listener.protocol == "unix" and owners[0].name not in PROGRAMS:
                continue
            owner = min(owners, key=lambda process: (process.started_ticks or 0, process.pid))
            of_program = programs.setdefault(f"{owner.pid}", ([], []))
            of_program[0].extend(one for one in owners if one not in of_program[0])
            of_program[1].append(listener)
        elif listener.inode not in closed and (
            listener.protocol != "unix" or SERVER_SOCKETS.fullmatch(listener.address)
        ):
            unattributed.append(listener)
    for listener, name, pid in listeners_in_ss(asked(found, " ".join(SS))):
        if name is None or pid is None:
            unattributed.append(listener)
            continue
        of_program = programs.setdefault(f"{pid}", ([_named_process(name, pid)], []))
        of_program[1].append(listener)

    services: dict[str, Service] = {}
    for unit in units.values():
        if (unit.get("Id") or "").endswith(".service") and unit.counts:
            service = _service_of_unit(unit, clock)
            services[service.service_name] = service
    for group, listeners in _merged(programs):
        service = _service_of_program(group, listeners, clock)
        if service.service_name in services:  # a unit of that name has its own server
            service = replace(service, service_name=f"{service.service_name}:{service.port or service.data_path}")
        services[service.service_name] = service

    unattributed = _listening(unattributed)
    gaps = []
    if unattributed and found.line("user-id") != "0":
        ports = ", ".join(f"{one.protocol} {one.address if one.port is None else one.port}" for one in unattributed)
        gaps.append(Gap(Outcome.DENIED, f"processes behind {ports}: may not be seen"))
    if found.answer(SYSTEMD_RUNS).outcome is Outcome.OK and not _units(asked(found, " ".join(SYSTEMCTL))):
        gaps.append(Gap(Outcome.UNREADABLE, "units: systemctl named none"))
    return Facts(
        services=tuple(services[name] for name in sorted(services)),
        metadata={
            "services": {
                "unattributed_listeners": [
                    listener.as_json() | {"user": users.get(listener.user_id or "", listener.user_id)}
                    for listener in unattributed
                ]
            }
        },
        gaps=tuple(gaps),
    )


def _unit_of(process: Process, units: dict[str, Unit]) -> Unit | None:
    if process.unit is not None:
        # systemd put the process there, so there is such a unit, also if systemctl did not tell of it.
        known = {"Id": process.unit, "LoadState": "loaded", "ActiveState": "active"}
        return units.setdefault(process.unit, Unit(properties=known))
    family = {process.pid, process.parent} - {None, 0, 1}
    return next((unit for unit in units.values() if integer(unit.get("MainPID")) in family), None)


def _named_process(name: str, pid: int) -> Process:
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


def _merged(
    programs: dict[str, tuple[list[Process], list[Listener]]],
) -> list[tuple[list[Process], list[Listener]]]:
    """Processes of one program that would have one name are one service: workers that each opened the same port."""
    merged: dict[str, tuple[list[Process], list[Listener]]] = {}
    for group, listeners in programs.values():
        ordered = _listening(listeners)
        first = min(group, key=lambda process: (process.started_ticks or 0, process.pid))
        name = _distinct(first.name, ordered, places(first.name, first.argv).data)
        known = merged.setdefault(name, ([], []))
        known[0].extend(group)
        known[1].extend(ordered)
    return [(group, _listening(listeners)) for _, (group, listeners) in sorted(merged.items())]


collector = Collector(
    reads=(
        *(File(f"{SOCKETS}/{table}", optional=table == "unix") for table in TABLES),
        Links("/proc/[0-9]*/fd/[0-9]*", optional=True),
        File("/proc/sys/net/ipv4/ip_local_port_range"),
        File("/proc/stat"),
        File("/proc/uptime"),
        File("/etc/passwd"),
        Call("clock-ticks"),
        Call("byte-order"),
        Call("user-id"),
        Names(SYSTEMD_RUNS),
    ),
    more=more,
    parse=parse,
    sections=("services",),
    metadata={
        "services.unattributed_listeners[].protocol": "`tcp`, `udp` or `unix`: a socket whose process may not be seen",
        "services.unattributed_listeners[].address": "address it is bound to, or its path",
        "services.unattributed_listeners[].port": "its port",
        "services.unattributed_listeners[].user": "user that opened it; null for `unix`",
        "services:listeners[].protocol": "`tcp`, `udp` or `unix`",
        "services:listeners[].address": "address it is bound to; for `unix` the path of the socket",
        "services:listeners[].port": "its port; null for `unix`",
        "services:program": "name of the program: its file, or the script or module behind an interpreter",
        "services:user": "user it runs as",
        "services:unit": "its systemd unit",
        "services:unit_file": "file that describes the unit",
        "services:unit_type": "how systemd runs it: `simple`, `forking`, `notify`, `oneshot`, ...",
        "services:description": "description of the unit",
        "services:restart": "restart policy of the unit: `no`, `on-failure`, `always`, ...",
        "services:executable_replaced": "whether its file was replaced since: the new one runs after a restart",
    },
)
