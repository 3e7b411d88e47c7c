"""Every recorded PostgreSQL server answers a query now.

Connects to each active instance of the node and lets it say its version and system identifier; it must be the server
that was recorded.
"""

from collections.abc import Iterator

from aya.db.observed import NotObserved
from aya.model import Outcome
from aya.verify.check import Check, Finding, Subject, failed, passed, skipped

RECORDED = "SELECT instance, server_version FROM postgresql_instances WHERE node_id = %(node)s AND is_active ORDER BY 1"


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per instance."""
    for row in subject.recorded(RECORDED):
        instance = row["instance"]
        if instance not in subject.servers:
            yield failed(instance, "it is recorded as running, but no such server is found on the machine now")
            continue
        try:
            with subject.servers[instance]() as server:
                said = server.rows("SELECT current_setting('server_version') AS version, 6 * 7 AS answer")[0]
        except NotObserved as error:
            refused = error.outcome is Outcome.DENIED
            yield skipped(instance, error.reason) if refused else failed(instance, error.reason)
            continue
        version = said["version"].split()[0]
        if said["answer"] != 42 or version != row["server_version"]:
            yield failed(instance, f"recorded as {row['server_version']}, it says {version}", str(said))
        else:
            yield passed(instance, str(said))


check = Check(run)
