"""Every recorded running service is there: each TCP port of it accepts a connection, and one without a port has its
process.

UDP cannot be asked by connecting; a service with UDP ports only is tested by its process.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from aya.host.port import accepts
from aya.host.running import running
from aya.model import Outcome
from aya.verify.check import Check, Finding, Subject, failed, passed, skipped

RECORDED = (
    "SELECT service_name, process_id, started_at, coalesce(metadata -> 'listeners', '[]') AS listeners FROM services "
    "WHERE node_id = %(node)s AND is_present AND status = 'running' ORDER BY 1"
)

CLOCK_MAY_BE_OFF = timedelta(minutes=1)


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per port, or per service that has none."""
    for row in subject.recorded(RECORDED):
        name = row["service_name"]
        listeners = [item for item in row["listeners"] if str(item.get("protocol", "")).startswith("tcp")]
        for listener in listeners:
            target = f"{name} {listener['address']} port {listener['port']}"
            answer = accepts(listener["address"], listener["port"])
            yield passed(target, answer.text) if answer.outcome is Outcome.OK else failed(target, answer.reason)
        if listeners:
            continue
        if row["process_id"] is None:
            yield skipped(name, "neither a TCP port nor a process is known of it")
            continue
        yield _of_process(row)


def _of_process(row: dict[str, Any]) -> Finding:
    name, process_id = row["service_name"], row["process_id"]
    process = running(process_id)
    if process is None:
        return failed(name, f"its process {process_id} is gone")
    if process.started_at is None:
        return skipped(name, f"process {process_id} may not be looked at")
    if row["started_at"] is not None and process.started_at > row["started_at"] + CLOCK_MAY_BE_OFF:
        return failed(name, f"its process is gone: {process_id} is another one now, {process.name}")
    return passed(name, f"process {process_id} is {process.name}")


check = Check(run)
