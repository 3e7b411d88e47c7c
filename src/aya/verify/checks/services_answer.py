"""Every recorded service whose protocol is known answers in it: an SSH server names itself, a PostgreSQL server answers a
startup packet, a web server or API answers `GET /health` with a status below 500.

The protocol is known by the program, the kind of service, or the usual port. A PostgreSQL server may be asked through its
Unix socket. Nobody logs in, so each question to a PostgreSQL server may leave one line in its log.
"""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from aya.host.protocol import PROTOCOLS
from aya.model import Outcome
from aya.verify.check import Check, Finding, Subject, failed, passed
from aya.verify.checks._listeners import RECORDED, place_to_ask, tcp_listeners

BY_PROGRAM = {
    "sshd": "ssh",
    "ssh": "ssh",
    "dropbear": "ssh",
    "postgres": "postgresql",
    "postmaster": "postgresql",
    "postgresql": "postgresql",
    "pgbouncer": "postgresql",
}
BY_TYPE = {"web": "http", "api": "http"}
BY_PORT = {22: "ssh", 80: "http", 443: "https", 5432: "postgresql"}
THROUGH_TLS = {443, 8443}


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per place where a service of a known protocol listens."""
    for row in subject.recorded(RECORDED):
        for listener in tcp_listeners(row):
            port = listener["port"]
            if protocol := _protocol(row, port):
                target = f"{row['service_name']} {listener['address']} port {port}"
                address = place_to_ask(subject, target, listener["address"])
                yield address if isinstance(address, Finding) else _asked(target, protocol, address, port)
        if subject.is_here and _protocol(row, None) == "postgresql":
            for folder, port in _sockets(row):
                yield _asked(f"{row['service_name']} {folder}", "postgresql", folder, port)


def _protocol(row: dict[str, Any], port: int | None) -> str | None:
    named = (row["program"], row["service_name"].partition(":")[0].removesuffix(".service"))
    protocol = next((BY_PROGRAM[name] for name in named if name in BY_PROGRAM), BY_TYPE.get(row["service_type"] or ""))
    if protocol == "http" and port in THROUGH_TLS:
        return "https"
    return protocol or (BY_PORT.get(port) if port is not None else None)


def _sockets(row: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for listener in row["listeners"]:
        path = PurePath(str(listener.get("address", "")))
        number = path.name.removeprefix(".s.PGSQL.")
        if listener.get("protocol") == "unix" and number != path.name and number.isdigit():
            yield str(path.parent), int(number)


def _asked(target: str, protocol: str, address: str, port: int) -> Finding:
    ask, called = PROTOCOLS[protocol]
    probe = f"{called} at {address} port {port}"
    answer = ask(address, port)
    said = answer.data.decode("utf-8", errors="backslashreplace")
    if answer.outcome is Outcome.OK:
        return passed(target, said, probe=probe)
    return failed(target, answer.reason, said, probe=probe)


check = Check(run, from_afar=True)
