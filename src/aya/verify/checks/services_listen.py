"""Every recorded running service is there: each TCP port of it accepts a connection, and one without a port has its
process.

UDP cannot be asked by connecting; a service with UDP ports only is tested by its process. Of another machine the ports are
tested that the network reaches.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from aya.host.port import accepts
from aya.host.running import running
from aya.model import Outcome
from aya.verify.check import Check, Finding, Subject, failed, passed, skipped
from aya.verify.checks._listeners import RECORDED, place_to_ask, tcp_listeners

CLOCK_MAY_BE_OFF = timedelta(minutes=1)


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per port, or per service that has none."""
    for row in subject.recorded(RECORDED):
        listeners = tcp_listeners(row)
        for listener in listeners:
            yield _of_port(subject, f"{row['service_name']} {listener['address']} port {listener['port']}", listener)
        if not listeners:
            yield _of_process(subject, row)


def _of_port(subject: Subject, target: str, listener: dict[str, Any]) -> Finding:
    address = place_to_ask(subject, target, listener["address"])
    if isinstance(address, Finding):
        return address
    probe = f"connect to {address} port {listener['port']} by TCP"
    answer = accepts(address, listener["port"])
    if answer.outcome is Outcome.OK:
        return passed(target, answer.text, probe=probe)
    return failed(target, answer.reason, probe=probe)


def _of_process(subject: Subject, row: dict[str, Any]) -> Finding:
    name, process_id = row["service_name"], row["process_id"]
    if not subject.is_here:
        return skipped(name, f"it has no TCP port, and its process can only be tested on {subject.node_name} itself")
    if process_id is None:
        return skipped(name, "neither a TCP port nor a process is known of it")
    probe = f"look at process {process_id}"
    process = running(process_id)
    if process is None:
        return failed(name, f"its process {process_id} is gone", probe=probe)
    if process.started_at is None:
        return skipped(name, f"process {process_id} may not be looked at", probe=probe)
    if row["started_at"] is not None and process.started_at > row["started_at"] + CLOCK_MAY_BE_OFF:
        return failed(name, f"its process is gone: {process_id} is another one now, {process.name}", probe=probe)
    return passed(name, f"process {process_id} is {process.name}", probe=probe)


check = Check(run, from_afar=True)
