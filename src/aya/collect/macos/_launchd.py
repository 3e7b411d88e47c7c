"""Jobs of launchd: what `launchctl` lists, and what their files say."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aya.collect.json_values import dig, items, words
from aya.collect.macos import _plist
from aya.host.reading import Files, Found, Read
from aya.model import Json

LIST = ("launchctl", "list")
PRINT = ("launchctl", "print", "system")
FOLDERS = {
    "/Library/LaunchDaemons": "daemon",
    "/System/Library/LaunchDaemons": "daemon",
    "/Library/LaunchAgents": "agent",
    "/System/Library/LaunchAgents": "agent",
    "/Users/*/Library/LaunchAgents": "agent",
}
"""Where the files of jobs lie. A daemon runs for the machine, an agent for each person who logs in."""

FILES: tuple[Read, ...] = tuple(Files(f"{folder}/*.plist", optional=True) for folder in FOLDERS)

LISTED = re.compile(r"(?P<pid>\d{1,9}|-)[ \t]+(?P<status>-?\d{1,5})[ \t]+(?P<label>\S.*?)\s*")
PRINTED = re.compile(r"\s+(?P<pid>\d{1,9})\s+(?P<status>-?\d{1,5}|-|\(pe\))\s+(?P<label>\S+)\s*")
INSTANCE = re.compile(r"application\..*|.*\.[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}|.*\.anonymous\..*")
"""Windows of people, and single runs of a job that is started for each caller: they are no services."""
APPLE = "com.apple."


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job that is loaded."""

    label: str
    pid: int | None
    exit_status: int | None
    """How it ended last; negative for the signal that ended it."""

    @property
    def status(self) -> str:
        """`running`; `failed` where it ended with an error and was not started again; else `stopped`."""
        if self.pid is not None:
            return "running"
        return "failed" if self.exit_status else "stopped"


def jobs_in_list(text: str) -> dict[str, Job]:
    """`launchctl list`, by label, without what is no service."""
    return {job.label: job for job in _jobs(text, LISTED) if not INSTANCE.fullmatch(job.label)}


def jobs_in_print(text: str) -> dict[str, Job]:
    """The services in `launchctl print system`: everybody may see them."""
    block = re.search(r"^\tservices = \{\n(.*?)^\t\}", text, re.MULTILINE | re.DOTALL)
    jobs = _jobs(block[1], PRINTED) if block else ()
    return {job.label: job for job in jobs if not INSTANCE.fullmatch(job.label)}


def _jobs(text: str, row: re.Pattern[str]) -> Iterator[Job]:
    for line in text.splitlines():
        match = row.fullmatch(line) if len(line) < 1024 else None
        if match is not None:
            pid = int(match["pid"]) if match["pid"] != "-" else 0
            status = match["status"]
            exit_status = int(status) if status.lstrip("-").isdecimal() else None
            yield Job(label=match["label"], pid=pid or None, exit_status=exit_status)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """What the file of a job says. Its environment and command line stay where they are: they may hold secrets."""

    label: str
    path: str
    kind: str
    told: Mapping[str, Any]

    @property
    def argv(self) -> tuple[str, ...]:
        """What it starts."""
        arguments = tuple(word for word in items(dig(dict(self.told), "ProgramArguments")) if isinstance(word, str))
        program = words(self.told.get("Program"))
        return arguments or ((program,) if program else ())

    @property
    def program(self) -> str | None:
        """The path of the program it starts."""
        return words(self.told.get("Program")) or (self.argv[0] if self.argv else None)

    @property
    def starts(self) -> bool:
        """Whether it is started with the machine, and not only when it is called for."""
        return self.told.get("RunAtLoad") is True or self.restart in ("always", "on conditions")

    @property
    def restart(self) -> str:
        """`always`, `on conditions`, or `no`."""
        keep = self.told.get("KeepAlive")
        return "always" if keep is True else "on conditions" if isinstance(keep, dict) and keep else "no"

    def text(self, key: str) -> str | None:
        """A text in it."""
        return words(self.told.get(key))


def job_files(found: Found) -> dict[str, JobFile]:
    """The files of jobs by label; the machine's own come before those of people."""
    files: dict[str, JobFile] = {}
    for folder, kind in FOLDERS.items():
        for path, text in found.matches(f"{folder}/*.plist"):
            told: Json = _plist.plain(_plist.parsed(text.encode("utf-8", "surrogateescape")))
            if isinstance(told, dict) and (label := words(told.get("Label"))):
                files.setdefault(label, JobFile(label=label, path=path, kind=kind, told=told))
    return files
