"""Look at this machine and record what was found."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from aya.collect.postgresql.run import collect_servers
from aya.collect.runner import collect_machine, put_together
from aya.model import NodeState
from aya.operations.context import Context
from aya.operations.operation import operation
from aya.record.recorder import Recorded, record
from aya.redaction import Redactor, passing_redactor


@dataclass(frozen=True, slots=True)
class Collection:
    """What was found, and what recording it changed; `recorded` is None for a dry run."""

    state: NodeState
    recorded: Recorded | None


def look(context: Context, redactor: Redactor) -> NodeState:
    """Run every collector on this machine and its PostgreSQL servers. Records nothing and needs no database."""
    started_at = datetime.now(UTC)
    settings = context.settings
    machine = collect_machine(context.host, redactor, context.progress)
    # After the machine: connecting to a server may for a moment change who the whole process is.
    servers = collect_servers(
        context.host,
        [url.get_secret_value() for url in settings.postgres_urls],
        redactor,
        context.progress,
    )
    return put_together(settings.node, settings.node_role, (*machine, *servers), started_at)


@operation(command="collect", writes=True)
def collect(
    context: Context, *, dry_run: Annotated[bool, "Only look and show; record nothing, need no database."] = False
) -> Collection:
    """Look, and record in one transaction what was found; with `dry_run` only look, and leave no trace."""
    if dry_run:
        return Collection(look(context, passing_redactor(context.secrets_folder)), None)
    state = look(context, context.redactor)
    context.progress("recording")
    with context.database.connect() as connection:
        recorded = record(connection, [state], payload_limit_bytes=context.settings.payload_limit_bytes)
    return Collection(state, recorded[0])
