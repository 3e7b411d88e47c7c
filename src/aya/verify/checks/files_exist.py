"""Every recorded file and folder of a running service or server exists: its program, configuration, data and log.

A path that may not be looked at is skipped, not passed.
"""

from collections.abc import Iterator

from aya.host.local import look_up
from aya.model import Outcome
from aya.verify.check import Check, Finding, Subject, failed, passed, skipped

RECORDED = """
SELECT DISTINCT path FROM (
    SELECT unnest(ARRAY[executable_path, config_path, data_path, log_path, pid_file_path]) AS path
    FROM services WHERE node_id = %(node)s AND is_present AND status = 'running'
    UNION ALL
    SELECT unnest(ARRAY[data_directory, config_file, hba_file])
    FROM postgresql_instances WHERE node_id = %(node)s AND is_active
    UNION ALL
    SELECT unnest(ARRAY[install_path, executable_path])
    FROM software_versions WHERE node_id = %(node)s AND is_active
) paths
WHERE path LIKE '/%%' ORDER BY path
"""


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per path."""
    for row in subject.recorded(RECORDED):
        path = row["path"]
        found, probe = look_up(path), f"stat({path!r})"
        if found.outcome is Outcome.OK:
            yield passed(path, found.text, probe=probe)
        elif found.outcome is Outcome.DENIED:
            yield skipped(path, found.reason, probe=probe)
        elif found.outcome is Outcome.ABSENT:
            yield failed(path, "it is not there now", probe=probe)
        else:
            yield failed(path, found.reason, probe=probe)


check = Check(run)
