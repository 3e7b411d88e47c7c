"""What --json says of a look at a machine: one document, complete."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from aya.model import FACT_TYPES, NodeState
from aya.record.recorder import count_facts

if TYPE_CHECKING:
    from aya.operations.collection import Collection
    from aya.operations.context import Context
    from aya.operations.up import Up


def up_json(up: "Up", context: "Context") -> dict[str, Any]:
    """The document of `aya up --json`."""
    counts = Counter(result.outcome.value for result in up.verified.results)
    return {
        "node": up.collection.state.node_name,
        "home": str(context.settings.home),
        "url": context.database.url() if context.database.is_embedded else None,
        "server_started": up.server_started,
        "migrated": up.migrated,
        "collection": _run_json(up.collection),
        "checks": {
            "passed": counts["pass"],
            "failed": counts["fail"],
            "skipped": counts["skipped"],
            "results": up.verified.results,
        },
        "snapshot": up.snapshot,
        "snapshot_taken": up.snapshot_taken,
        "sealed": up.sealed,
        "seal_problem": up.seal_problem or None,
    }


def collection_json(collection: "Collection") -> dict[str, Any]:
    """The document of `aya collect --json`: what was found; recorded or not."""
    state = collection.state
    return _run_json(collection) | {
        "state": {
            "node": merged_node(state),
            **{fact_type.SECTION: [fact for _, fact in state.rows(fact_type.SECTION)] for fact_type in FACT_TYPES},
            "measurements": [m for collected in state.collected for m in collected.facts.measurements],
        }
    }


def _run_json(collection: "Collection") -> dict[str, Any]:
    state = collection.state
    return {
        "node_name": state.node_name,
        "node_role": state.node_role,
        "identity": state.identity,
        "collected_at": state.collected_at,
        "duration_ms": state.duration_ms,
        "recorded": collection.recorded,
        "outcomes": [
            {
                "collector": c.collector,
                "target": c.target,
                "outcome": c.outcome,
                "reason": c.reason,
                "duration_ms": c.duration_ms,
                "facts": count_facts(c),
            }
            for c in state.collected
        ],
    }


def merged_node(state: NodeState) -> dict[str, Any]:
    """The node as all collectors together found it: columns, metadata, and what was observed."""
    columns: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    observed: dict[str, Any] = {}
    for collected in state.collected:
        columns |= {
            name: getattr(collected.facts.node, name) for name in collected.owns if not name.startswith("metadata.")
        }
        metadata |= collected.facts.metadata
        observed |= collected.facts.observed
    return columns | {"metadata": metadata | {"observed": observed}}
