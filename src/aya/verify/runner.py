"""Run the checks on a node and keep one row for each thing they tested.

A check that breaks is itself a failed result; it never ends the others.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256

import orjson

from aya.collect.runner import storable
from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import AyaError, NotFound
from aya.model import CheckOutcome, CheckResult
from aya.registry import discover
from aya.verify.check import Check, Finding, Subject

EXCERPT_CHARACTERS = 2000


def checks(only: Iterable[str] = ()) -> dict[str, Check]:
    """The checks by name, or those named. Raises NotFound that names what exists."""
    found = discover("aya.verify.checks", Check, "check")
    wanted = list(only)
    for name in wanted:
        if name not in found:
            raise NotFound(f"There is no check named {name}.", remedy=f"There are: {', '.join(found)}.")
    return {name: check for name, check in found.items() if not wanted or name in wanted}


def run_checks(
    subject: Subject, only: Iterable[str] = (), progress: Callable[[str], None] = lambda _: None
) -> list[tuple[CheckResult, str]]:
    """Run the checks; each result comes with the SHA-256 of everything that came back."""
    results: list[tuple[CheckResult, str]] = []
    for name, check in checks(only).items():
        progress(name)
        results += _run(name, check, subject)
    return results


def _run(name: str, check: Check, subject: Subject) -> list[tuple[CheckResult, str]]:
    results: list[tuple[CheckResult, str]] = []
    findings = _findings(check, subject)
    while True:
        started_at, started = datetime.now(UTC), time.monotonic()
        try:
            finding = next(findings, None)
        except AyaError as error:
            finding = Finding("", CheckOutcome.FAIL, "", error.message)
        except Exception as error:  # noqa: BLE001 - a broken check is a result, and the other checks go on
            finding = Finding("", CheckOutcome.FAIL, "", f"the check itself broke: {type(error).__name__}: {error}")
        if finding is None:
            return results
        evidence = storable(finding.evidence)
        result = CheckResult(
            check=name,
            node_name=subject.node_name,
            target=storable(finding.target),
            outcome=finding.outcome,
            reason=storable(finding.reason) if finding.reason else None,
            evidence=evidence[:EXCERPT_CHARACTERS],
            started_at=started_at,
            duration_ms=round((time.monotonic() - started) * 1000),
        )
        results.append((result, sha256(evidence.encode()).hexdigest()))


def _findings(check: Check, subject: Subject) -> Iterator[Finding]:
    """What a check finds, begun only when it is asked for, so that a check may break at once as well."""
    yield from check.run(subject)


def store(
    connection: Connection, node_id: int, results: Sequence[tuple[CheckResult, str]], *, every_check: bool = True
) -> list[int]:
    """Keep the results; returns their numbers. When every check was run and passed, the node is verified as of now."""
    given = [
        {
            "node_id": node_id,
            "check_name": result.check,
            "target": result.target,
            "outcome": result.outcome.value,
            "reason": result.reason,
            "evidence": result.evidence,
            "evidence_hash": evidence_hash,
            "started_at": result.started_at,
            "duration_ms": result.duration_ms,
        }
        for result, evidence_hash in results
    ]
    with translated(doing="storing the results of checks"), connection.transaction():
        stored = rows(connection, query("insert_check_results"), {"results": orjson.dumps(given).decode()})
        if every_check and results and all(result.outcome is CheckOutcome.PASS for result, _ in results):
            connection.execute("UPDATE system_nodes SET last_verified = now() WHERE id = %s", (node_id,))
    return [row["id"] for row in stored]
