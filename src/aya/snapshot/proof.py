"""Whether a snapshot is what it says: its hashes recomputed, its status justified by its checks, and all of it in the log.

The judgement is the same for a snapshot in the database and for one in a file.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aya.errors import SnapshotError
from aya.snapshot.canonical import canonical, digest
from aya.snapshot.document import KIND, SCHEMA_VERSION

COUNTED = {"pass": "tests_passed", "fail": "tests_failed", "skipped": "tests_skipped"}
NOT_UNDERSTOOD = (ValueError, TypeError, KeyError, AttributeError, RecursionError, SnapshotError)
"""What arbitrary JSON in the place of what is expected ends in."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a snapshot consists of."""

    manifest: Mapping[str, Any]
    """Its columns, as they are logged."""
    state: bytes
    """The state document."""
    nodes: bytes
    """The hash of each node's state, as a JSON object."""
    checks: bytes
    """The results that vouch for it, as a JSON array."""


def examine(evidence: Evidence) -> Iterator[str]:
    """Everything that does not fit together, the most basic first."""
    manifest = evidence.manifest
    for what, data, column in (
        ("state", evidence.state, "state_hash"),
        ("list of nodes", evidence.nodes, "nodes_hash"),
        ("list of results", evidence.checks, "checks_hash"),
    ):
        found = digest(data)
        if found != manifest.get(column):
            yield f"the hash of its {what} is {found}, not {manifest.get(column)} as it says"
    try:
        yield from _content(evidence)
    except NOT_UNDERSTOOD as error:
        yield f"what is in it cannot be understood: {type(error).__name__}: {error}"


def _content(evidence: Evidence) -> Iterator[str]:
    document, nodes, checks = (json.loads(part) for part in (evidence.state, evidence.nodes, evidence.checks))
    if canonical(document) != evidence.state:
        yield "its state is not canonical JSON"
    states: Mapping[str, Any] = {}
    if isinstance(document, dict) and document.get("kind") == KIND:
        states = document["nodes"]
        if document.get("schema_version") != SCHEMA_VERSION:
            yield f"its state is of version {document.get('schema_version')}; this AYA reads {SCHEMA_VERSION}"
    for name in sorted(states.keys() | nodes.keys()):
        if name not in states or name not in nodes:
            yield f"node {name} is only in its {'state' if name in states else 'list of nodes'}"
        elif (found := digest(canonical(states[name]))) != nodes[name]:
            yield f"the hash of the state of node {name} is {found}, not {nodes[name]} as it says"
    yield from _status(evidence.manifest, nodes, checks)


def _status(
    manifest: Mapping[str, Any], nodes: Mapping[str, str], checks: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    counts = Counter(check["outcome"] for check in checks)
    for outcome, column in COUNTED.items():
        if counts[outcome] != manifest[column]:
            yield f"{counts[outcome]} of its results are {outcome}, not {manifest[column]} as it says"
    seen = manifest.get("change_number")
    passed = [check for check in checks if check["outcome"] == "pass"]
    vouching = [
        check["node_name"]
        for check in passed
        if check.get("state_hash") == nodes.get(check["node_name"], "")
        and seen is not None
        and check.get("change_number", seen + 1) <= seen
    ]
    justified = "verified"
    if counts["fail"]:
        justified = "failed"
    elif not passed:
        justified = "unverified"
    elif (
        counts["skipped"] or manifest["partial_reasons"] or len(vouching) < len(passed) or set(vouching) != nodes.keys()
    ):
        justified = "partial"
    if manifest["verification_status"] != justified:
        yield f"it says {manifest['verification_status']}, but its results make it {justified}"
