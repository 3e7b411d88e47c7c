"""Test whether what is recorded of this machine is so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from aya.collect.postgresql.run import reachable_servers
from aya.db.connection import Connection, rows, translated
from aya.errors import NotFound
from aya.model import CheckResult
from aya.operations.context import Context
from aya.operations.operation import Scope, operation
from aya.verify.check import Subject
from aya.verify.runner import checks, run_checks, store


@dataclass(frozen=True, slots=True)
class Verified:
    """The results of the checks, and their numbers in `check_results`."""

    results: tuple[CheckResult, ...]
    ids: tuple[int, ...]


@operation("POST /verifications", command="verify", scope=Scope.VERIFY, tool=True)
def verify(
    context: Context, *, only: Annotated[Sequence[str], "Only these checks; all when none is named."] = ()
) -> Verified:
    """Run the checks, all or those named, on this node, and store what they showed."""
    checks(only)
    with context.database.connect(autocommit=True) as connection:
        subject = _subject(context, connection)
        results = run_checks(subject, only, context.progress)
        ids = store(connection, subject.node_id, results, every_check=not only)
    return Verified(tuple(result for result, _ in results), tuple(ids))


def _subject(context: Context, connection: Connection) -> Subject:
    name = context.settings.node
    with translated(doing=f"looking for node {name}"):
        node = rows(connection, "SELECT id FROM system_nodes WHERE node_name = %(name)s", {"name": name})
    if not node:
        raise NotFound(f"No node named {name} is recorded.", remedy="`aya up` records this machine.")
    servers = reachable_servers(
        context.host, [url.get_secret_value() for url in context.settings.postgres_urls], context.redactor
    )
    return Subject(name, node[0]["id"], connection, context.host, servers, context.redactor)
