"""The PostgreSQL servers that a node is recorded with, and its databases: opened, or the finding that says why not."""

from collections.abc import Iterator

from aya.db.observed import NotObserved, Observed
from aya.model import Outcome
from aya.verify.check import Finding, Subject, failed, skipped

RECORDED = "SELECT instance FROM postgresql_instances WHERE node_id = %(node)s AND is_active ORDER BY 1"
DATABASES = (
    "SELECT datname::text AS name FROM pg_database "
    "WHERE datallowconn AND has_database_privilege(oid, 'CONNECT') ORDER BY 1"
)


def recorded(subject: Subject) -> list[str]:
    """The instances of the node that are recorded as running."""
    return [row["instance"] for row in subject.recorded(RECORDED)]


def opened(subject: Subject, instance: str, probe: str) -> Observed | Finding:
    """A connection to an instance; or that it failed, or why it could not be tested."""
    if instance not in subject.servers:
        if not subject.is_here:
            return skipped(instance, "no URL among the option postgres_urls leads to it", probe=probe)
        return failed(
            instance, "it is recorded as running, but no such server is found on the machine now", probe=probe
        )
    try:
        return subject.servers[instance]()
    except NotObserved as error:
        return not_answered(instance, error, probe)


def not_answered(target: str, error: NotObserved, probe: str) -> Finding:
    """A server or question that was not answered: being refused is no failure of it."""
    if error.outcome in (Outcome.DENIED, Outcome.UNSUPPORTED):
        return skipped(target, error.reason, probe=probe)
    return failed(target, error.reason, probe=probe)


def each_database(subject: Subject, probe: str) -> Iterator[tuple[str, Observed] | Finding]:
    """A connection to each database of each instance, with `instance/database`; closed when the next is asked for."""
    for instance in recorded(subject):
        server = opened(subject, instance, probe)
        if isinstance(server, Finding):
            yield server
            continue
        with server:
            try:
                names = [row["name"] for row in server.rows(DATABASES)]
            except NotObserved as error:
                yield not_answered(instance, error, probe)
                continue
            for name in names:
                target = f"{instance}/{name}"
                try:
                    with server.elsewhere(name) as database:
                        yield target, database
                except NotObserved as error:
                    yield not_answered(target, error, probe)
