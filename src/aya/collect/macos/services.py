"""Services of a Mac: the jobs of launchd, and every program that waits for connections.

One row per service. A job and what it listens on are one row under the job's label; a listening program outside of any
job has a row under its own name, `postgres`, `uvicorn:8765`, as on every system. A job that launchd has loaded counts,
running or not; it is `failed` where it ended with an error and was not started again. Apple's own jobs, hundreds that
come and go as they are called for, count where they are started with the machine, or listen. Programs in windows and the
single runs of a job that is started for each caller are no services.

The machine's jobs are shown to everybody, those of a person only to him. An ordinary user sees only his own open files:
`netstat` shows the sockets of everybody with the process, and `ps` its program, so that no listener stays without an
owner; if one does, that is a gap for him, and `unattributed` for root. Only TCP is looked at. Command lines and the
environment of jobs are not kept: they may hold secrets.

Whether a process runs under Rosetta 2 is what the kernel says of it (`P_TRANSLATED`), not what its file would allow.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.json_values import integer
from aya.collect.listener import Listener, each_once
from aya.collect.macho import HEAD_BYTES, architectures_of_program
from aya.collect.macos import _rosetta, _uptime
from aya.collect.macos._launchd import APPLE, FILES, LIST, PRINT, Job, JobFile, job_files, jobs_in_list, jobs_in_print
from aya.collect.macos._lsof import (
    LSOF,
    LSOF_TABLE,
    NETSTAT,
    Holder,
    holders_in_fields,
    holders_in_netstat,
    holders_in_table,
)
from aya.collect.macos._ps import ARGUMENTS, AUX, PS, Process, arguments_in, processes_in, processes_in_aux
from aya.collect.macos._sysctl import question, variables
from aya.collect.programs import PROGRAMS, Places, arguments, places, program_name, service_name, service_type
from aya.host.reading import Call, Command, Found, Head, Read
from aya.model import Facts, Gap, Json, Outcome, Service

UPTIME = "uptime"
MOST_PROGRAMS = 200
"""Of how many programs the architecture is read."""


# --- what was answered ------------------------------------------------------------------------------------------------


def _jobs(found: Found) -> dict[str, Job]:
    return jobs_in_print(asked(found, " ".join(PRINT))) | jobs_in_list(asked(found, " ".join(LIST)))


def _processes(found: Found) -> dict[int, Process]:
    return processes_in(asked(found, " ".join(PS))) or processes_in_aux(asked(found, " ".join(AUX)))


def _holders(found: Found) -> list[Holder]:
    """Every socket that waits, with the process that holds it where one source or another shows it."""
    by_lsof = list(holders_in_fields(asked(found, " ".join(LSOF)))) or list(
        holders_in_table(asked(found, " ".join(LSOF_TABLE)))
    )
    known = {holder.listener.inode for holder in by_lsof}
    others = holders_in_netstat(asked(found, " ".join(NETSTAT)))
    return by_lsof + [holder for holder in others if holder.listener.inode not in known]


def _argv(found: Found, processes: Mapping[int, Process]) -> dict[int, tuple[str, ...]]:
    told = {pid: process.argv for pid, process in processes.items() if process.argv}
    return told | arguments_in(asked(found, " ".join(ARGUMENTS)), processes)


def _now(found: Found) -> datetime | None:
    """When the machine was asked: its boot time and how long it has been up."""
    booted = re.search(r"\bsec = (\d{1,11})\b", variables(found, "kern").get("kern.boottime", ""))
    up_s = _uptime.seconds(found.line(UPTIME))
    try:
        return datetime.fromtimestamp(int(booted[1]) + up_s, UTC) if booted and up_s is not None else None
    except (ValueError, OverflowError, OSError):
        return None


# --- what belongs together --------------------------------------------------------------------------------------------


def _job_of(pid: int, jobs: Mapping[int, Job], processes: Mapping[int, Process]) -> Job | None:
    """The job that a process belongs to: its own, or that of the process that started it."""
    for _ in range(8):
        if pid in jobs:
            return jobs[pid]
        parent = processes[pid].parent if pid in processes else None
        if parent in (None, 0, 1):
            return None
        pid = parent or 0
    return None


def _counts(job: Job, file: JobFile | None, listening: bool) -> bool:
    """Whether a job is a service of this machine; see the module's description."""
    if listening or not job.label.startswith(APPLE):
        return True
    return file is None or file.starts


def more(found: Found) -> tuple[Read, ...]:
    """The head of each program that serves, and other forms where the first gave nothing."""
    reads: list[Read] = []
    if not asked(found, " ".join(LSOF)):
        reads.append(Command(LSOF_TABLE, optional=True))
    processes = _processes(found)
    if not processes:
        reads.append(Command(AUX, optional=True))
    pids = [pid for holder in _holders(found) if (pid := holder.pid) is not None]
    pids += [job.pid for job in _jobs(found).values() if job.pid is not None]
    programs = dict.fromkeys(processes[pid].program for pid in pids if pid in processes)
    paths = [program for program in programs if program.startswith("/")]
    return (*reads, *(Head(path, HEAD_BYTES, optional=True) for path in paths[:MOST_PROGRAMS]))


# --- rows -------------------------------------------------------------------------------------------------------------


class Rows:
    """Makes rows out of what was answered."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.processes = _processes(found)
        self.argv = _argv(found, self.processes)
        self.machine = _rosetta.machine(found)
        self.now = _now(found)

    def of_job(self, job: Job, file: JobFile | None, held: list[Holder]) -> Service:
        """A job of launchd, with what its processes listen on."""
        process = self.processes.get(job.pid or 0)
        argv = arguments(self.argv.get(job.pid or 0, ())) or (file.argv if file else ())
        path = self._path(process) or (file.program if file else None)
        program = program_name(path, argv, None) if path or argv else (held[0].command if held else None)
        known = places(program or "", argv) if program else Places()
        if known == Places() and file is not None and program:
            known = places(program, file.argv)
        started = process.started if process else None
        return self._row(
            name=job.label,
            program=program,
            process=process,
            pid=job.pid,
            path=path,
            known=known,
            held=held,
            status=job.status,
            started=started,
            log=file.text("StandardErrorPath") or file.text("StandardOutPath") if file else None,
            auto_start=file.starts if file else None,
            auto_restart=file.restart != "no" if file else None,
            user=process.user if process else file.text("UserName") if file else None,
            metadata={
                "unit": job.label,
                "unit_file": file.path if file else None,
                "unit_type": file.kind if file else None,
                "restart": file.restart if file else None,
                "exit_status": job.exit_status,
                "working_directory": file.text("WorkingDirectory") if file else None,
            },
        )

    def of_program(self, pid: int | None, held: list[Holder]) -> Service:
        """A program outside of launchd."""
        process = self.processes.get(pid or 0)
        argv = arguments(self.argv.get(pid or 0, ()))
        path = self._path(process)
        program = program_name(path, argv, held[0].command if held else None) or "unknown"
        known = places(program, argv)
        return self._row(
            name=service_name(program, each_once(one.listener for one in held), known.data),
            program=program,
            process=process,
            pid=pid,
            path=path,
            known=known,
            held=held,
            status="running",
            started=process.started if process else None,
            log=None,
            auto_start=None,
            auto_restart=None,
            user=process.user if process else held[0].user if held else None,
            metadata={},
        )

    @staticmethod
    def _path(process: Process | None) -> str | None:
        return process.program if process and process.program.startswith("/") else None

    def _row(
        self,
        *,
        name: str,
        program: str | None,
        process: Process | None,
        pid: int | None,
        path: str | None,
        known: Places,
        held: list[Holder],
        status: str,
        started: datetime | None,
        log: str | None,
        auto_start: bool | None,
        auto_restart: bool | None,
        user: str | None,
        metadata: dict[str, Json],
    ) -> Service:
        listeners = each_once(one.listener for one in held)
        first = listeners[0] if listeners else None
        architecture, mode = self._how_it_runs(process, path)
        lasted = int((self.now - started).total_seconds()) if self.now and started else None
        return Service(
            service_name=name,
            service_type=service_type(program),
            process_id=pid,
            port=first.port if first else None,
            bind_address=first.address if first else None,
            executable_path=path,
            config_path=known.config,
            data_path=known.data,
            log_path=known.log or log,
            pid_file_path=known.pid_file,
            status=status,
            started_at=started if status == "running" else None,
            uptime_seconds=max(0, lasted) if lasted is not None and status == "running" else None,
            auto_start=auto_start,
            auto_restart=auto_restart,
            metadata={
                "listeners": [listener.as_json() for listener in listeners],
                "program": program,
                "user": user,
                "architecture": architecture,
                "runtime_mode": mode,
                **metadata,
            },
        )

    def _how_it_runs(self, process: Process | None, path: str | None) -> tuple[str | None, str | None]:
        head = self.found.answers().get(f"head {path}")
        built_for = architectures_of_program(head.data) if head is not None else ()
        if process is not None and process.translated:
            return "x86_64", "Rosetta 2"
        if process is not None and process.translated is False and self.machine == "ARM64":
            return "ARM64", "native"
        return _rosetta.how_it_runs(built_for, self.machine) if process is not None else (None, None)


# --- the whole --------------------------------------------------------------------------------------------------------


def parse(found: Found) -> Facts:
    """The services of the machine; see the module's description."""
    rows, jobs, files = Rows(found), _jobs(found), job_files(found)
    by_pid = {job.pid: job for job in jobs.values() if job.pid is not None}
    held_by_job: dict[str, list[Holder]] = {}
    held_by_program: dict[int, list[Holder]] = {}
    unattributed: list[Listener] = []
    for holder in _holders(found):
        if holder.pid is None:
            unattributed.append(holder.listener)
            continue
        job = _job_of(holder.pid, by_pid, rows.processes)
        if job is not None:
            held_by_job.setdefault(job.label, []).append(holder)
        else:
            held_by_program.setdefault(holder.pid, []).append(holder)
    services: dict[str, Service] = {}
    for job in jobs.values():
        if _counts(job, files.get(job.label), job.label in held_by_job):
            services[job.label] = rows.of_job(job, files.get(job.label), held_by_job.get(job.label, []))
    for pid, held in _merged(rows, held_by_program | _known_servers(found, rows, by_pid, held_by_program)):
        service = rows.of_program(pid, held)
        services.setdefault(service.service_name, service)
    unattributed = each_once(unattributed)
    return Facts(
        services=tuple(services[name] for name in sorted(services)),
        metadata={
            "services": {
                "unattributed_listeners": [listener.as_json() for listener in unattributed],
            }
        },
        observed=_translated(rows),
        gaps=tuple(_gaps(found, jobs, unattributed)),
    )


def _translated(rows: Rows) -> dict[str, Json]:
    """The programs that run under Rosetta 2 now, whether they serve or not; nothing where `ps` does not tell."""
    told = [process for process in rows.processes.values() if process.translated is not None]
    if rows.machine != "ARM64" or not told:
        return {}
    return {"translated_programs": sorted({process.program for process in told if process.translated})}


def _known_servers(
    found: Found, rows: Rows, by_pid: Mapping[int, Job], listening: Mapping[int, list[Holder]]
) -> dict[int, list[Holder]]:
    """Well-known servers among the processes, where nobody could tell who listens."""
    if _holders(found):
        return {}
    servers = {}
    for pid, process in rows.processes.items():
        name = program_name(Rows._path(process), arguments(rows.argv.get(pid, ())), None)
        above = rows.processes.get(process.parent or 0)
        titled = process.program.endswith(":")  # a part of a server that wrote what it does over its command line
        from_same = titled or (above is not None and above.program == process.program)
        if name in PROGRAMS and not from_same and pid not in listening and _job_of(pid, by_pid, rows.processes) is None:
            servers[pid] = list[Holder]()
    return servers


def _merged(rows: Rows, programs: Mapping[int, list[Holder]]) -> list[tuple[int, list[Holder]]]:
    """Processes that would have one name are one service: workers that share a port with who started them."""
    merged: dict[str, tuple[int, list[Holder]]] = {}
    for pid, held in sorted(programs.items()):
        name = rows.of_program(pid, held).service_name
        first, known = merged.get(name, (pid, []))
        merged[name] = (first, known + held)
    return list(merged.values())


def _gaps(found: Found, jobs: Mapping[str, Job], unattributed: list[Listener]) -> Iterable[Gap]:
    if not jobs:
        yield _gap(found, "jobs of launchd", (LIST, PRINT))
    if not any(_answered(found, command) for command in (LSOF, LSOF_TABLE, NETSTAT)):
        yield _gap(found, "listeners", (LSOF, LSOF_TABLE, NETSTAT))
    if unattributed and integer(found.line("user-id")) != 0:
        ports = ", ".join(f"{one.protocol} {one.port}" for one in unattributed)
        yield Gap(Outcome.DENIED, f"processes behind {ports}: may not be seen")


def _answered(found: Found, command: tuple[str, ...]) -> bool:
    answer = found.answers().get(" ".join(command))
    if answer is None:
        return False
    # `lsof` ends with 1 and says nothing where nobody listens.
    return answer.outcome is Outcome.OK or (command[0] == "lsof" and answer.exit_status == 1 and not answer.errors)


def _gap(found: Found, what: str, commands: tuple[tuple[str, ...], ...]) -> Gap:
    answers = [found.answers()[name] for name in map(" ".join, commands) if name in found.answers()]
    told = next((answer for answer in answers if answer.outcome is not Outcome.ABSENT), None)
    if told is None:
        return Gap(Outcome.UNSUPPORTED, f"{what}: there is no {commands[0][0]}")
    outcome = Outcome.UNREADABLE if told.outcome is Outcome.OK else told.outcome
    return Gap(outcome, f"{what}: {told.reason or f'{commands[0][0]} named none'}")


collector = Collector(
    reads=(
        *(Command(command, optional=True) for command in (LIST, PRINT, LSOF, NETSTAT, PS, ARGUMENTS, (UPTIME,))),
        *FILES,
        *_rosetta.READS,
        question("kern"),
        Call("user-id", optional=True),
    ),
    more=more,
    parse=parse,
    sections=("services",),
    metadata={
        "services.unattributed_listeners[].protocol": "`tcp`: a socket whose process may not be seen",
        "services.unattributed_listeners[].address": "address it is bound to",
        "services.unattributed_listeners[].port": "its port",
        "observed.translated_programs": "programs that run under Rosetta 2, at the last look",
        "services:listeners[].protocol": "`tcp`",
        "services:listeners[].address": "address it is bound to",
        "services:listeners[].port": "its port",
        "services:program": "name of the program: its file, or the script or module behind an interpreter",
        "services:user": "user it runs as",
        "services:architecture": "architecture of the running process: `ARM64`, `x86_64`",
        "services:runtime_mode": "`native` or `Rosetta 2`",
        "services:unit": "its label in launchd",
        "services:unit_file": "file that describes the job",
        "services:unit_type": "`daemon` (for the machine) or `agent` (for each person who logs in)",
        "services:restart": "whether launchd starts it again: `always`, `on conditions`, `no`",
        "services:exit_status": "how it ended last time; negative for the signal that ended it",
        "services:working_directory": "folder it is started in",
    },
)
