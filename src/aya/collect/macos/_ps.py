"""The processes of a Mac, as `ps` lists them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

PS = ("ps", "-axww", "-o", "pid=,ppid=,flags=,user=,lstart=,comm=")
ARGUMENTS = ("ps", "-axww", "-o", "pid=,args=")
TRANSLATED = 0x20000
"""P_TRANSLATED: the process runs under Rosetta 2 (sys/proc.h)."""

ROW = re.compile(
    r"\s*(?P<pid>\d{1,9})\s+(?P<parent>\d{1,9})\s+(?P<flags>[0-9a-fA-F]{1,8})\s+(?P<user>\S+)\s+"
    r"(?P<started>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})\s+(?P<program>\S.*?)\s*"
)
LONGEST_LINE = 16384

AUX = ("ps", "aux")
"""How people record it: without parents and flags, and with the command line in place of the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process. `program` is the path it was started from, as far as it is known."""

    pid: int
    parent: int | None
    user: str | None
    program: str
    started: datetime | None
    translated: bool | None
    """Whether it runs under Rosetta 2."""
    argv: tuple[str, ...] = ()


def processes_in(text: str) -> dict[int, Process]:
    """The processes by id. The times are in UTC, in which programs are asked here."""
    processes = {}
    for line in text.splitlines():
        match = ROW.fullmatch(line) if len(line) <= LONGEST_LINE else None
        if match is not None:
            processes[int(match["pid"])] = Process(
                pid=int(match["pid"]),
                parent=int(match["parent"]),
                user=match["user"],
                program=match["program"],
                started=_moment(match["started"]),
                translated=bool(int(match["flags"], 16) & TRANSLATED),
            )
    return processes


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.strptime(text, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if moment.timestamp() > 0 else None


def arguments_in(text: str, wanted: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The command lines of these processes, cut at blanks: `ps` does not show where one argument ends."""
    chosen = set(wanted)
    lines = {}
    for line in text.splitlines():
        pid, _, rest = line.strip().partition(" ")
        if pid.isdecimal() and len(pid) < 10 and int(pid) in chosen:
            lines[int(pid)] = tuple(rest.split())
    return lines


def processes_in_aux(text: str) -> dict[int, Process]:
    """The processes in `ps aux`; the first word of the command line is the program."""
    processes = {}
    for line in text.splitlines():
        words = line[:LONGEST_LINE].split(maxsplit=10)
        if len(words) == 11 and words[1].isdecimal() and len(words[1]) < 10:
            argv = tuple(words[10].split())
            processes[int(words[1])] = Process(
                pid=int(words[1]),
                parent=None,
                user=words[0],
                program=argv[0],
                started=None,
                translated=None,
                argv=argv,
            )
    return processes
