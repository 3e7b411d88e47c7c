"""Every recorded PostgreSQL server answers a query now.

Connects to each active instance of the node and lets it say its version; it must be the server that was recorded.
"""

from collections.abc import Iterator

from aya.db.observed import NotObserved
from aya.verify.check import Check, Finding, Subject, failed, passed
from aya.verify.checks._instances import not_answered, opened

RECORDED = "SELECT instance, server_version FROM postgresql_instances WHERE node_id = %(node)s AND is_active ORDER BY 1"
PROBE = "SELECT current_setting('server_version') AS version, 6 * 7 AS answer"


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per instance."""
    for row in subject.recorded(RECORDED):
        instance = row["instance"]
        server = opened(subject, instance, PROBE)
        if isinstance(server, Finding):
            yield server
            continue
        try:
            with server:
                said = server.rows(PROBE)[0]
        except NotObserved as error:
            yield not_answered(instance, error, PROBE)
            continue
        version = said["version"].split()[0]
        if said["answer"] != 42 or version != row["server_version"]:
            reason = f"recorded as {row['server_version']}, it says {version}"
            yield failed(instance, reason, str(said), probe=PROBE)
        else:
            yield passed(instance, str(said), probe=PROBE)


check = Check(run, from_afar=True)
