"""`aya docs` as people and scripts call it."""

from datetime import datetime
from pathlib import Path

import httpx2

from aya.db.database import Database
from aya.errors import ExitCode
from tests.serve.command import Command


def test_documents_by_command_and_by_rest(
    database: Database, here: Command, client: httpx2.Client, tmp_path: Path
) -> None:
    file = tmp_path / "plan.md"
    file.write_text("# Plan\npassword: hunter22\n")
    added = here("docs", "add", str(file), "--category", "master_plan", "--json")
    assert (added.code, added.document[0]["secret_lines"]) == (ExitCode.DONE, [2])
    file.write_text("# Plan B\n")
    assert "new version" in here("docs", "scan").out
    listed = here("docs", "list", "--json").document
    asked = client.get("/api/v1/documentation").json()
    for one in (listed[0], asked[0]):
        one["updated_at"] = datetime.fromisoformat(one["updated_at"])
    assert listed == asked
    number = listed[0]["id"]
    assert here("docs", "show", str(number)).out == "# Plan B\n"
    shown = here("docs", "diff", str(number))
    assert shown.code == ExitCode.ATTENTION
    assert "-# Plan\n" in shown.out
    assert "hunter22" not in shown.out + added.out
    assert client.get(f"/api/v1/documentation_files/{number}/diff").json()["lines"] == shown.out.splitlines()
    file.unlink()
    missing = here("docs", "scan")
    assert (missing.code, "missing" in missing.out) == (ExitCode.ATTENTION, True)
    assert here("docs", "add", str(tmp_path / "none.md")).code == ExitCode.ATTENTION
