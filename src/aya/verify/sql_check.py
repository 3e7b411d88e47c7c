"""A check that is one SELECT: a user's file `AYA_HOME/checks/NAME.sql`.

    -- Every replica is at most a minute behind.
    SELECT application_name AS target, replay_lag_ms < 60000 AS ok, 'it is far behind' AS reason, replay_lag_ms
    FROM replication_status r JOIN system_nodes n ON n.id = r.node_id
    WHERE n.node_name = current_setting('aya.node') AND r.side = 'primary' AND r.is_active

The comment at its top is its docstring. Each row is a finding: `ok` says how it ended (true: passed, false: failed, NULL:
could not be tested), `target` what was tested, `reason` why it failed or was skipped; every other column is evidence.
`target` and `reason` may be left out. No row means that there was nothing to test.

It runs on AYA's own database under the role that may only read, in a read-only transaction that is rolled back, with a time
limit. `current_setting('aya.node')` is the name of the node that is verified.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aya.db.connection import stream_read_only
from aya.errors import ConfigurationError, DatabaseError
from aya.verify.check import Check, Finding, Subject, failed, passed, skipped


def sql_check(file: Path) -> Check:
    """The check that a file of SQL is. Raises ConfigurationError when it is not text."""
    try:
        statement = file.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error

    def run(subject: Subject) -> Iterator[Finding]:
        try:
            for row in stream_read_only(subject.database, statement, settings={"aya.node": subject.node_name}):
                yield _finding(file, statement, row)
        except DatabaseError as error:
            raise ConfigurationError(f"{file}: {error.message}") from error

    return Check(run, from_afar=True)


def leading_comment(text: str) -> str:
    """The comment lines at the top of a file of SQL, without their dashes."""
    lines = []
    for line in text.lstrip().splitlines():
        if not line.startswith("--"):
            break
        lines.append(line[2:].removeprefix(" "))
    return "\n".join(lines).strip()


def _finding(file: Path, statement: str, row: dict[str, Any]) -> Finding:
    if "ok" not in row or not isinstance(row["ok"], bool | None):
        raise ConfigurationError(f"{file} gives no boolean column `ok`, but {', '.join(row) or 'nothing'}.")
    target = "" if row.get("target") is None else str(row["target"])
    reason = None if row.get("reason") is None else str(row["reason"])
    further = {name: value for name, value in row.items() if name not in ("ok", "target", "reason")}
    evidence = json.dumps(further, ensure_ascii=False, default=str) if further else ""
    if row["ok"]:
        return passed(target, evidence, probe=statement)
    if row["ok"] is None:
        return skipped(target, reason or "its column ok is NULL: it is not known", probe=statement)
    return failed(target, reason or "its column ok is false", evidence, probe=statement)
