"""Services: the units of systemd, and every program that waits for connections.

One row per service. A unit and its listening processes are one row under the unit's name (without `.service`); a
listening program outside of any unit has a row under its own name. Such a name depends on nothing but the program
itself, so that it stays when others come and go: `postgres` where it listens on its usual port, else with its first
port, `postgres:5433`, `http.server:8000`; without a port, with its data directory. Process ids are never part of it.

Units count that are loaded and enabled, active or failed; a unit that runs once and ends (`oneshot`) only if it is
enabled or failed, and it is never `running`: it does its work and is `stopped`. A running unit that ends by itself and
is restarted again and again is `failed`. A service behind an open socket unit counts too, `stopped` until it is called.

Where systemd was not asked for properties, the units are those that `systemctl` lists: type, restarts and times are then
not known. Who listens is then told by `ss` or `netstat`.

The time of a start is counted from the kernel's boot time in whole seconds, which an unchanged clock gives equally at
every look (setting the clock moves it).

Sockets whose process may not be seen are listed in `services.unattributed_listeners` of the node and are no rows. To an
ordinary user that is a gap. To root it is not: what is left then belongs to the kernel (NFS, VXLAN) or to a process
that nobody may look into, at this look as at every other, and must not keep stopped services alive for ever.
Unconnected UDP sockets on ephemeral ports are questions of clients and no services. Unix sockets count for well-known
servers only. Command lines are not kept: they may hold secrets.
"""

import re
from dataclasses import replace

from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.json_values import integer
from aya.collect.linux import _clock
from aya.collect.linux._clock import Clock, read_clock
from aya.collect.linux._listeners import listeners_in_netstat, listeners_in_ss
from aya.collect.linux._processes import (
    PROCESS_FILES,
    SOCKETS,
    SOCKETS_LATER,
    SYSTEMD_RUNS,
    TABLES,
    Process,
    closed_meanwhile,
    holders,
    listening_processes,
    named_process,
    read_process,
    sockets,
    users_in,
)
from aya.collect.linux._systemd import (
    LIST_FILES,
    LIST_SOCKETS,
    LISTS,
    SYSTEMCTL,
    Unit,
    moment,
    open_through_socket_units,
    units_in,
    units_listed,
)
from aya.collect.listener import Listener, each_once
from aya.collect.programs import PROGRAMS, Places, places, program_name, service_name, service_type
from aya.host.reading import Call, Command, File, Found, Links, Names, Read
from aya.model import Facts, Gap, Json, Outcome, Service

SS = ("ss -ltnup", "ss -ltnp", "ss -ltnu", "ss -ltn")
NETSTAT = ("netstat -tulpn", "netstat -tlpn", "netstat -tuln", "netstat -tln")
"""The tables of who waits for connections, the one that says most first."""
SERVER_SOCKETS = re.compile(r".*/(\.s\.PGSQL\.\d+|[^/]*(mysql|mariadb|redis|valkey|memcached|docker|containerd)[^/]*)")
"""The Unix sockets of which a hidden process is worth knowing: those of servers that may listen on nothing else."""

NEVER_RESTARTS = "no"


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
        service_name=service_name(first.name, listeners, known.data),
        service_type=service_type(first.name),
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
    listeners = each_once(unit.listeners)
    network = next((listener for listener in listeners if listener.protocol != "unix"), None)
    running = unit.status == "running"
    started = moment(unit.get("ExecMainStartTimestamp")) or clock.started(process.started_ticks if process else None)
    started = started if running else None
    restart = unit.get("Restart")
    return Service(
        service_name=name,
        service_type=service_type(program or name),
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


# --- the whole --------------------------------------------------------------------------------------------------------


def more(found: Found) -> tuple[Read, ...]:
    """What each listening process is; the units, where systemd runs the machine."""
    reads: list[Read] = [File(f"{SOCKETS_LATER}/{table}", optional=True) for table in TABLES]
    for pid in sorted(listening_processes(found)):
        reads += [File(f"/proc/{pid}/{name}", optional=True) for name in PROCESS_FILES]
        reads.append(Links(f"/proc/{pid}/exe", optional=True))
    if found.answer(SYSTEMD_RUNS).outcome is Outcome.OK:
        reads.append(Command(SYSTEMCTL))
    if found.text("/proc/net/tcp") is None:
        others = (*SS, *NETSTAT, *LISTS, *LIST_FILES, *LIST_SOCKETS)
        reads += [Command(tuple(command.split()), optional=True) for command in others]
    return tuple(reads)


def _printed(found: Found) -> list[tuple[Listener, str | None, int | None]]:
    """Who listens, with name and process id, in the table that says most."""
    tables = [listeners_in_ss(asked(found, command)) for command in SS]
    tables += [listeners_in_netstat(asked(found, command)) for command in NETSTAT]
    return next((table for table in tables if table), [])


def parse(found: Found) -> Facts:
    """The services of the machine; see the module's description."""
    clock, users = read_clock(found), users_in(found.text("/etc/passwd"))
    units = units_in(asked(found, " ".join(SYSTEMCTL))) or units_listed(found)
    by_socket = holders(found)
    processes = {
        pid: process for pid in listening_processes(found) if (process := read_process(found, pid, users)) is not None
    }
    closed, kept_open = closed_meanwhile(found), dict(open_through_socket_units(units))
    programs: dict[str, tuple[list[Process], list[Listener]]] = {}
    unattributed: list[Listener] = []

    for listener in sockets(found):
        owners = [processes[pid] for pid in by_socket.get(listener.inode, ()) if pid in processes]
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
    for listener, name, pid in _printed(found):
        if name is None or pid is None:
            unattributed.append(listener)
            continue
        if unit := _unit_of_printed(name, pid, units):
            unit.listeners.append(listener)
            continue
        of_program = programs.setdefault(f"{pid}", ([named_process(name, pid)], []))
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

    unattributed = each_once(unattributed)
    gaps = []
    if unattributed and found.line("user-id") != "0":
        ports = ", ".join(f"{one.protocol} {one.address if one.port is None else one.port}" for one in unattributed)
        gaps.append(Gap(Outcome.DENIED, f"processes behind {ports}: may not be seen"))
    if found.answer(SYSTEMD_RUNS).outcome is Outcome.OK and not units:
        gaps.append(Gap(Outcome.UNREADABLE, "units: systemctl named none"))
    answer = found.answer(f"{SOCKETS}/tcp")
    if answer.outcome not in (Outcome.OK, Outcome.ABSENT) and not _printed(found):
        gaps.append(Gap(answer.outcome, f"who listens: {answer.reason}"))
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


def _unit_of_printed(name: str, pid: int, units: dict[str, Unit]) -> Unit | None:
    """The unit of a process of which a table names no more: the one that runs it, else the one of its name."""
    by_process = next((unit for unit in units.values() if integer(unit.get("MainPID")) == pid), None)
    by_name = units.get(f"{name}.service")
    return by_process or (by_name if by_name and by_name.status == "running" and not by_name.get("MainPID") else None)


def _merged(
    programs: dict[str, tuple[list[Process], list[Listener]]],
) -> list[tuple[list[Process], list[Listener]]]:
    """Processes of one program that would have one name are one service: workers that each opened the same port."""
    merged: dict[str, tuple[list[Process], list[Listener]]] = {}
    for group, listeners in programs.values():
        ordered = each_once(listeners)
        first = min(group, key=lambda process: (process.started_ticks or 0, process.pid))
        name = service_name(first.name, ordered, places(first.name, first.argv).data)
        known = merged.setdefault(name, ([], []))
        known[0].extend(group)
        known[1].extend(ordered)
    return [(group, each_once(listeners)) for _, (group, listeners) in sorted(merged.items())]


collector = Collector(
    reads=(
        *(File(f"{SOCKETS}/{table}", optional=True) for table in TABLES),
        Links("/proc/[0-9]*/fd/[0-9]*", optional=True),
        File("/proc/sys/net/ipv4/ip_local_port_range", optional=True),
        *_clock.READS,
        File("/etc/passwd", optional=True),
        Call("byte-order", optional=True),
        Call("user-id", optional=True),
        Names(SYSTEMD_RUNS, optional=True),
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
