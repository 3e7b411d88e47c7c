"""Deliver states of other nodes, and of other machines, with the token of one node: none is recorded.

They go over real HTTP to a served AYA. Afterwards every row of state is as it was before, and no run was added.
"""

from collections.abc import Callable

from aya.db.connection import rows
from aya.operations.context import Context
from aya.operations.tokens import create_token
from aya.record.recorder import record
from bench._laboratory import Laboratory
from soak._trial import Outcome, Trial
from tests.delivery.elsewhere import elsewhere
from tests.delivery.forged import beta, deliver_forged
from tests.record.states import whole

TABLES = ("system_nodes", "postgresql_configuration", "services", "software_versions", "network_interfaces")
TABLES += ("postgresql_instances", "collection_runs", "performance_metrics", "aya.deliveries")


def run(lab: Laboratory, times: int, seed: int, progress: Callable[[str], None]) -> Outcome:
    """Deliver so many forged states."""
    lab.empty()
    with lab.context.database.connect() as writer:
        record(writer, [whole()])
        record(writer, [beta()])
    before = _everything(lab.context)
    token = create_token(lab.context, "agent-alpha", scope=["collect"], node="ALPHA").token

    def tell(number: int) -> None:
        if number % 100 == 0:
            progress(f"{number} delivered")

    with elsewhere(Context(lab.context.settings.model_copy(update={"rate_per_s": 0}))) as port:
        statuses = deliver_forged(port, token, times, seed=seed, progress=tell)
    accepted = sum(times for status, times in statuses.items() if not 400 <= status < 500)
    failures = [f"{accepted} were answered with {sorted(statuses)}"] if accepted else []
    after = _everything(lab.context)
    failures += [f"{table} is not as it was" for table in TABLES if before[table] != after[table]]
    said = ", ".join(f"{times} x {status}" for status, times in sorted(statuses.items()))
    return Outcome(f"{times} forged states, {accepted} accepted ({said})", tuple(failures))


def _everything(context: Context) -> dict[str, list[object]]:
    with context.database.connect() as connection:
        return {
            table: [row["row"] for row in rows(connection, f"SELECT to_jsonb(t) AS row FROM {table} t ORDER BY 1")]
            for table in TABLES
        }


trial = Trial(run, times=1_000)
