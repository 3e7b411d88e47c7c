"""The units of systemd, as `systemctl` shows and lists them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aya.collect.asked import asked
from aya.collect.linux._processes import Process
from aya.collect.listener import Listener
from aya.host.reading import Found

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
LISTS = (
    "systemctl list-units --all",
    "systemctl --all",
    "systemctl list-units",
    "systemctl",
    "systemctl list-units --type=service --all",
    "systemctl list-units --type=service",
)
LIST_FILES = ("systemctl list-unit-files", "systemctl list-unit-files --type=service")
LIST_SOCKETS = ("systemctl list-sockets",)
LINE = re.compile(r"^[●○×*↻ ]*(\S+\.(?:service|socket)) +(\S+) +(\S+) +(\S+) *(.*?)\s*$", re.MULTILINE)
"""A unit in a list: name, how it was loaded, state, finer state, description."""
FILE = re.compile(r"^(\S+\.(?:service|socket)) +([a-z-]+)\b", re.MULTILINE)
SOCKET = re.compile(r"^(\S+):(\d{1,5}) +(\S+\.socket) +(\S+\.service)", re.MULTILINE)
UNIT_STATES = {"active": "running", "reloading": "running", "activating": "running", "deactivating": "running"}


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
        # A list does not tell types: what is active without running has done its work.
        done = self.get("Type") == "oneshot" or (self.get("Type") is None and self.get("SubState") == "exited")
        return not done and self.get("ActiveState") in UNIT_STATES

    @property
    def status(self) -> str:
        """`running`, `stopped` or `failed`."""
        if self.get("ActiveState") == "failed" or self.get("SubState") == "auto-restart":
            return "failed"
        if self.get("Type") == "oneshot" or self.get("SubState") == "exited":
            return "stopped"
        return UNIT_STATES.get(self.get("ActiveState") or "", "stopped")


def units_in(text: str) -> dict[str, Unit]:
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


def units_listed(found: Found) -> dict[str, Unit]:
    """The units in the lists that people read, where nobody asked for their properties."""
    lines = next((lines for command in LISTS if (lines := LINE.findall(asked(found, command)))), [])
    states = dict(row for command in LIST_FILES for row in FILE.findall(asked(found, command)))
    units = {}
    for name, loaded, active, sub, description in lines:
        properties = {"Id": name, "LoadState": loaded, "ActiveState": active, "SubState": sub}
        properties["Description"] = description
        # An instance is enabled by its template: getty@tty1.service by getty@.service.
        properties["UnitFileState"] = states.get(name) or states.get(re.sub(r"@.*(?=\.\w+$)", "@", name), "")
        units[name] = Unit(properties=properties)
    for address, port, _, service in (row for command in LIST_SOCKETS for row in SOCKET.findall(asked(found, command))):
        if service in units and int(port) < 65536:
            place = address.strip("[]")
            units[service].listeners.append(
                Listener(protocol="tcp", address=place, port=int(port), inode=f"{place}:{port}")
            )
    return units


def moment(text: str | None) -> datetime | None:
    """A time as systemd writes it: `Thu 2025-10-09 12:34:56 UTC` (commands run in UTC), or `@seconds`."""
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


def open_through_socket_units(units: dict[str, Unit]) -> Iterable[tuple[int, Unit]]:
    """The ports that systemd keeps open for services, each with its service."""
    for unit in units.values():
        if unit.get("ActiveState") == "active" and unit.get("Listen"):
            for triggered in (unit.get("Triggers") or "").split():
                service = units.get(triggered)
                for port in re.findall(r":(\d{1,5}) \((?:Stream|Datagram)\)", unit.get("Listen") or ""):
                    if service is not None:
                        yield int(port), service
