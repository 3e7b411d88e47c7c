"""`aya import` and `aya claims` as people and scripts call them."""

from pathlib import Path

import pytest

from aya.db.database import Database
from aya.operations.context import Context
from tests.claims.conftest import FLEET
from tests.serve.command import Command


@pytest.fixture
def command(context: Context, database: Database) -> Command:
    return Command.at(context.settings.home)


def test_a_document_without_a_fault_ends_well_and_its_nodes_are_shown(command: Command, fleet: Path) -> None:
    done = command("import", str(fleet), "--as", "document")
    assert done.code == 0, done
    assert "describes gamma, delta, eta" in done.out
    shown = command("show", "gamma").out
    memory = next(line for line in shown.splitlines() if line.startswith("ram_gb"))
    assert (
        memory.split(maxsplit=1)[1].strip()
        == f"32 (claimed, line {FLEET.splitlines().index('| Memory | 32 GB |') + 1})"
    )
    assert command("show", "omega").code == 2


def test_what_is_contradicted_is_shown_with_line_evidence_and_rule_and_ends_with_3(
    command: Command, fleet: Path
) -> None:
    fleet.write_text(FLEET.replace("48 hours", "60+ hours") + "\n```\npsql --password=Hunter2Hunter2\n```\n")
    done = command("import", str(fleet))
    assert done.code == 3
    assert f"on line {len(fleet.read_text().splitlines()) - 1}" in done.out
    (line,) = [line for line in command("claims", "gamma", "--contradicted").out.splitlines() if "Uptime" in line]
    for told in ("gamma", "Uptime: 60+ hours", "contradicted", "it is 48 hours", "durations"):
        assert told in line
    (claim,) = command("claims", "--contradicted", "--json").document
    assert (claim["verdict"], claim["rule"], claim["node"]) == ("contradicted", "durations", "gamma")
    everything = command("claims", "--json").document
    assert {one["verdict"] for one in everything} == {"contradicted", "confirmed", "unverifiable"}
    assert "Hunter2" not in str(everything)


def test_bad_requests_are_told_what_to_do(command: Command, fleet: Path, tmp_path: Path) -> None:
    for arguments in (
        ("import", str(fleet), "--as", "picture"),
        ("claims", "omega"),
        ("import", str(tmp_path / "none.md")),
    ):
        done = command(*arguments)
        assert done.code in (1, 2), arguments
        assert done.err.startswith("error:")
        assert len(done.err.splitlines()) == 2
