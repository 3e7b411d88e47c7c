"""`aya drift` and `aya retention` as people and scripts call them."""

import pytest

from aya.db.connection import Connection
from aya.model import Outcome
from aya.operations.context import Context
from tests.drift.fleet import node, recorded
from tests.drift.test_drift import aya
from tests.serve.command import Command

__all__ = ["aya"]


@pytest.fixture
def command(aya: Context) -> Command:
    return Command.at(aya.settings.home)


def test_few_nodes_are_shown_side_by_side_and_the_odd_one_is_marked(command: Command, writer: Connection) -> None:
    recorded(writer, node("ALPHA"), node("BETA"), node("AIR", {"work_mem": "65536"}))
    done = command("drift")
    assert done.code == 3
    head, row = done.out.split("settings\n")[1].splitlines()[:2]
    assert head.split() == ["what", "AIR", "ALPHA", "BETA"]
    assert row.split() == ["work_mem", "←", "64", "MB", "4", "MB", "4", "MB"]
    assert done.out.rstrip().endswith("1 difference between 3 nodes.")


def test_many_nodes_are_shown_by_who_is_alone(command: Command, writer: Connection) -> None:
    recorded(writer, *(node(f"N{n}") for n in range(6)), node("AIR", {"work_mem": "65536"}))
    done = command("drift", "--section", "settings")
    assert done.code == 3
    assert "64 MB on AIR" in done.out
    assert "4 MB on 6 nodes" in done.out


def test_no_drift_ends_well(command: Command, writer: Connection) -> None:
    recorded(writer, node("ALPHA"), node("BETA"))
    done = command("drift")
    assert (done.code, done.out.strip()) == (0, "No difference is known between 2 nodes.")


def test_what_is_not_known_is_said_and_ends_with_3(command: Command, writer: Connection) -> None:
    recorded(writer, node("ALPHA"), node("BETA", {"work_mem": "1"}), node("AIR", outcome=Outcome.DENIED))
    done = command("drift")
    assert done.code == 3
    assert "never known" in done.out
    assert "postgresql.settings ended denied: permission denied" in done.out
    assert next(line for line in done.out.splitlines() if line.startswith("work_mem")).split()[1:3] == ["not", "known"]
    document = command("drift", "--json").document
    assert [one["node"] for one in document["unknown"]] == ["AIR"]


def test_bad_requests_are_told_what_there_is(command: Command, writer: Connection) -> None:
    recorded(writer, node("ALPHA"))
    for arguments in (("drift", "GAMMA"), ("drift", "--section", "moods"), ("drift", "--baseline", "GAMMA"),
                      ("retention", "--keep", "soon"), ("retention", "--only", "moods")):  # fmt: skip
        done = command(*arguments)
        assert done.code == 2, arguments
        assert len(done.err.splitlines()) >= 2, arguments


def test_retention_only_shows_until_it_is_told_to_apply(command: Command, writer: Connection) -> None:
    for _ in range(3):
        recorded(writer, node("ALPHA"))
    shown = command("retention", "--keep", "0s", "--only", "runs", "--json").document
    assert (shown["applied"], [share["rows"] > 0 for share in shown["shares"]]) == (False, [True, True])
    done = command("retention", "--keep", "0s", "--only", "runs", "--apply")
    assert (done.code, "rows were let go." in done.out) == (0, True)
    assert "Nothing is old enough to go." in command("retention", "--keep", "0s", "--only", "runs").out
