"""Every recorded running service is there: each TCP port of it accepts a connection, and one without a port has its
process.

UDP cannot be asked by connecting; a service with UDP ports only is tested by its process.
"""

from collections.abc import Iterator

from aya.host.local import read_file
from aya.host.port import accepts
from aya.model import Outcome
from aya.verify.check import Check, Finding, Subject, failed, passed, skipped

RECORDED = (
    "SELECT service_name, process_id, coalesce(metadata -> 'listeners', '[]') AS listeners FROM services "
    "WHERE node_id = %(node)s AND is_present AND status = 'running' ORDER BY 1"
)


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
        process = read_file(f"/proc/{row['process_id']}/comm")
        if process.outcome is Outcome.OK:
            yield passed(name, f"process {row['process_id']} is {process.text.strip()}")
        else:
            yield failed(name, f"its process {row['process_id']} is gone")


check = Check(run)
