"""Look at a machine, this one or another, and record what was found."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

from aya.collect.postgresql.run import collect_servers
from aya.collect.runner import collect_machine, put_together
from aya.host.address import opened, plain
from aya.host.recorded import RecordedHost
from aya.model import Collected, NodeState, Outcome
from aya.operations.context import Context
from aya.operations.operation import operation
from aya.record.recorder import Recorded, record
from aya.redaction import Redactor, passing_redactor


@dataclass(frozen=True, slots=True)
class Collection:
    """What was found, and what recording it changed; `recorded` is None for a dry run."""

    state: NodeState
    recorded: Recorded | None


def look(context: Context, redactor: Redactor, address: str | None = None) -> NodeState:
    """Run every collector on this machine and its PostgreSQL servers, or on the machine at an address (see
    `aya.host.address`). Records nothing and needs no database.
    """
    if address is not None:
        return _look_elsewhere(context, redactor, address)
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


def _look_elsewhere(context: Context, redactor: Redactor, address: str) -> NodeState:
    """A machine that is not this one: its servers are not asked, and the role set for this node is not its own.

    A row `host` among the outcomes says how it was looked at, for good.
    """
    started_at, started = datetime.now(UTC), time.monotonic()
    context.progress(f"opening {address}")
    with opened(address) as host:
        notices = host.manifest.notices if isinstance(host, RecordedHost) else ()
        way = Collected(
            collector="host", target=plain(address), outcome=Outcome.OK, reason="; ".join(notices)[:2000] or None
        )
        machine = collect_machine(host, redactor, context.progress)
    way = replace(way, duration_ms=round((time.monotonic() - started) * 1000))
    return put_together(context.settings.node, None, (way, *machine), started_at)


@operation(command="collect", writes=True)
def collect(
    context: Context,
    *,
    dry_run: Annotated[bool, "Only look and show; record nothing, need no database."] = False,
    host: Annotated[str | None, "Another machine: recorded:DIR, recorded:FILE.tar.gz or ssh:user@host[:port]."] = None,
) -> Collection:
    """Look, and record in one transaction what was found; with `dry_run` only look, and leave no trace.

    Raises UsageError for a recording that cannot be used, and HostError for a machine that cannot be reached.
    """
    if dry_run:
        return Collection(look(context, passing_redactor(context.secrets_folder), host), None)
    state = look(context, context.redactor, host)
    # Not needed by a dry run, and slow to import.
    from aya.claims.store import judge_again

    context.progress("recording")
    with context.database.connect() as connection:
        recorded = record(connection, [state], payload_limit_bytes=context.settings.payload_limit_bytes)
        judge_again(connection, [recorded[0].node_name])
    return Collection(state, recorded[0])
