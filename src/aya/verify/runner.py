"""Run the checks on a node and keep one row for each thing they tested."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import orjson

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.model import CheckOutcome, CheckResult
from aya.verify.catalogue import Entry
from aya.verify.check import Subject
from aya.verify.confinement import Tested, confined

EXCERPT_CHARACTERS = 2000


def run_checks(
    subject: Subject, entries: Iterable[Entry], progress: Callable[[str], None] = lambda _: None
) -> list[tuple[CheckResult, str]]:
    """Run the checks; each result comes with the SHA-256 of everything that came back."""
    results: list[tuple[CheckResult, str]] = []
    for entry in entries:
        progress(f"checking {entry.name}")
        results += (_result(entry.name, tested, subject) for tested in confined(entry, subject))
    return results


def _result(name: str, tested: Tested, subject: Subject) -> tuple[CheckResult, str]:
    finding = tested.finding
    result = CheckResult(
        check=name,
        node_name=subject.node_name,
        target=finding.target,
        outcome=finding.outcome,
        reason=finding.reason,
        probe=finding.probe,
        evidence=finding.evidence[:EXCERPT_CHARACTERS],
        started_at=tested.started_at,
        duration_ms=tested.duration_ms,
    )
    return result, sha256(finding.evidence.encode()).hexdigest()


def store(
    connection: Connection,
    node_id: int,
    results: Sequence[tuple[CheckResult, str]],
    *,
    every_check: bool = True,
    state_hash: str | None = None,
    state_problem: str | None = None,
    change_number: int | None = None,
) -> list[int]:
    """Keep the results; returns their numbers. When every check was run and passed, the node is verified as of now.

    `state_hash` is the state of the node that they vouch for, or `state_problem` why they vouch for none;
    `change_number` the newest change that it had seen.
    """
    given = [
        {
            "check_name": result.check,
            "target": result.target,
            "outcome": result.outcome.value,
            "reason": result.reason,
            "probe": result.probe,
            "evidence": result.evidence,
            "evidence_hash": evidence_hash,
            "started_at": result.started_at,
            "duration_ms": result.duration_ms,
        }
        for result, evidence_hash in results
    ]
    parameters = {
        "node_id": node_id,
        "results": orjson.dumps(given).decode(),
        "state_hash": state_hash,
        "state_problem": state_problem,
        "change_number": change_number,
    }
    with translated(doing="storing the results of checks"), connection.transaction():
        stored = rows(connection, query("insert_check_results"), parameters)
        if every_check and results and all(result.outcome is CheckOutcome.PASS for result, _ in results):
            connection.execute("UPDATE system_nodes SET last_verified = now() WHERE id = %s", (node_id,))
    return [row["id"] for row in stored]
