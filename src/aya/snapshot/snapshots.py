"""Take, list, read and verify snapshots."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import computed_field

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import Conflict, NotFound, UsageError
from aya.model import CheckOutcome, CheckResult
from aya.snapshot.canonical import canonical, digest
from aya.snapshot.document import KIND, SCHEMA_VERSION, Document, read_document


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot without its document."""

    id: int
    snapshot_name: str
    snapshot_type: str | None
    description: str | None
    verification_status: str | None
    tests_passed: int | None
    tests_failed: int | None
    tests_skipped: int | None
    schema_version: int
    state_hash: str | None
    state_bytes: int | None
    nodes: list[str]
    created_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Verification:
    """What recomputing a snapshot showed."""

    snapshot_name: str
    state_hash: str
    problems: tuple[str, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def intact(self) -> bool:
        """Whether the snapshot is what it was when it was taken."""
        return not self.problems


def status_of(results: Sequence[CheckResult]) -> str:
    """`verified` only if checks ran and all passed; `partial` if some could not run; `failed` if one failed."""
    outcomes = {result.outcome for result in results}
    if CheckOutcome.FAIL in outcomes:
        return "failed"
    if CheckOutcome.PASS not in outcomes:
        return "unverified"
    return "partial" if CheckOutcome.SKIPPED in outcomes else "verified"


def create(
    connection: Connection,
    name: str,
    *,
    created_by: str,
    snapshot_type: str = "manual",
    description: str | None = None,
    results: Sequence[CheckResult] = (),
    result_ids: Sequence[int] = (),
    document: Document | None = None,
) -> Snapshot:
    """Store the state as it is now, or `document` that was just read, and let it carry the results of checks run on it.

    Raises UsageError when the name is empty, Conflict when it is taken.
    """
    if not name.strip() or len(name) > 200 or "\0" in name:
        raise UsageError("A snapshot needs a name of 1 to 200 characters.")
    document = document or read_document(connection)
    data = canonical(document)
    counts = {kind: sum(result.outcome is kind for result in results) for kind in CheckOutcome}
    with translated(doing=f"taking snapshot {name}"), connection.transaction():
        stored = rows(
            connection,
            query("insert_snapshot"),
            {
                "name": name,
                "type": snapshot_type,
                "description": description,
                "status": status_of(results),
                "passed": counts[CheckOutcome.PASS],
                "failed": counts[CheckOutcome.FAIL],
                "skipped": counts[CheckOutcome.SKIPPED],
                "schema_version": SCHEMA_VERSION,
                "json": data.decode(),
                "canonical": data,
                "hash": digest(data),
                "created_by": created_by,
                "results": list(result_ids),
            },
        )
        if not stored:
            raise Conflict(f"There is already a snapshot named {name}.", remedy="Choose another name.")
    return get(connection, name)


def listing(connection: Connection) -> list[Snapshot]:
    """All snapshots, newest first."""
    return [Snapshot(**row) for row in rows(connection, query("list_snapshots"), {"name": None})]


def get(connection: Connection, name: str) -> Snapshot:
    """One snapshot by name. Raises NotFound that names what exists."""
    found = rows(connection, query("list_snapshots"), {"name": name})
    if not found:
        names = [snapshot.snapshot_name for snapshot in listing(connection)][:10]
        raise NotFound(
            f"There is no snapshot named {name}.",
            remedy=f"There are: {', '.join(names)}." if names else "There is none yet: `aya snapshot create NAME`.",
        )
    return Snapshot(**found[0])


def read(connection: Connection, name: str) -> Document:
    """The state document of a snapshot, out of the bytes that were hashed."""
    get(connection, name)
    document: Document = json.loads(_stored(connection, name)["bytes"])
    return document


def verify(connection: Connection, name: str) -> Verification:
    """Recompute everything about a snapshot that can be recomputed."""
    snapshot = get(connection, name)
    stored = _stored(connection, name)
    problems: list[str] = []
    data, found = stored["bytes"], ""
    if data is None:
        problems.append("it has no canonical bytes")
    else:
        found = digest(data)
        if found != snapshot.state_hash:
            problems.append(f"the hash of its bytes is {found}, not {snapshot.state_hash} as stored")
        problems += _document_problems(data, stored["state_json"])
    counted = (stored["passed"], stored["failed"], stored["skipped"])
    if counted != (snapshot.tests_passed, snapshot.tests_failed, snapshot.tests_skipped):
        problems.append(f"its check rows count {counted}, not what it says (passed, failed, skipped)")
    if snapshot.verification_status == "verified" and (counted[0] == 0 or counted[1] or counted[2]):
        problems.append("it says verified, but its checks do not")
    return Verification(name, found, tuple(problems))


def _document_problems(data: bytes, state_json: Any) -> list[str]:
    try:
        document = json.loads(data)
    except ValueError as error:
        return [f"its bytes are not JSON: {error}"]
    problems = []
    if canonical(document) != data:
        problems.append("its bytes are not canonical JSON")
    if document.get("kind") != KIND:
        problems.append(f"it is not a state document but {document.get('kind')!r}")
    if orjson.dumps(document, option=orjson.OPT_SORT_KEYS) != orjson.dumps(state_json, option=orjson.OPT_SORT_KEYS):
        problems.append("its queryable form (state_json) differs from the bytes that were hashed")
    return problems


def _stored(connection: Connection, name: str) -> dict[str, Any]:
    with translated(doing=f"reading snapshot {name}"):
        return rows(connection, query("read_snapshot"), {"name": name})[0]
