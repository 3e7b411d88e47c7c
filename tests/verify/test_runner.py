"""Checks are files; one that breaks is a failed result; what they showed is kept with its evidence."""

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

import aya.verify.checks
from aya.db.connection import rows
from aya.errors import NotFound
from aya.model import CheckOutcome, CheckResult, Service
from aya.verify.runner import checks, run_checks, store
from tests.verify.conftest import Node

ADDED = "added_by_a_test"
HEAD = "from aya.verify.check import Check, failed, passed\n"


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file dropped in among the checks; the test writes it."""
    monkeypatch.setattr(aya.verify.checks, "__path__", [*aya.verify.checks.__path__, str(tmp_path)])
    yield tmp_path / f"{ADDED}.py"
    sys.modules.pop(f"{aya.verify.checks.__name__}.{ADDED}", None)


def shown(node: Node, *only: str) -> list[CheckResult]:
    return [result for result, _ in run_checks(node.subject(), only)]


def test_a_file_dropped_in_is_a_check(node: Node, added: Path) -> None:
    added.write_text(HEAD + "def run(subject):\n    yield passed('it', subject.node_name)\ncheck = Check(run)\n")
    (result,) = shown(node, ADDED)
    assert (result.check, result.target, result.outcome, result.evidence) == (ADDED, "it", CheckOutcome.PASS, "ALPHA")


@pytest.mark.parametrize(
    ("body", "outcomes"),
    [
        ("    raise ValueError('at once')\n", ["fail"]),
        ("    yield passed('one')\n    raise ValueError('at once')\n    yield\n", ["pass", "fail"]),
        ("    return iter(1 // 0 for _ in 'x')\n", ["fail"]),
        ("    yield passed('one')\n    subject.recorded('SELECT at once')\n", ["pass", "fail"]),
    ],
)
def test_a_check_that_breaks_is_a_failed_result_and_ends_no_other(
    node: Node, added: Path, body: str, outcomes: list[str]
) -> None:
    added.write_text(HEAD + "def run(subject):\n" + body + "check = Check(run)\n")
    node.has(Service(service_name="dark"))
    results = shown(node)
    assert [r.outcome.value for r in results if r.check == ADDED] == outcomes
    assert "the check itself broke" in str(next(r.reason for r in results if r.check == ADDED and r.reason))
    assert [r.outcome.value for r in results if r.check == "services_listen"] == ["skipped"]


def test_a_check_that_does_not_exist_is_refused_and_those_that_do_are_named() -> None:
    with pytest.raises(NotFound) as error:
        checks(["vector_distance", "nonsense"])
    assert "nonsense" in error.value.message
    assert "vector_distance" in error.value.remedy


def test_results_are_stored_with_the_hash_of_the_whole_evidence(node: Node, added: Path) -> None:
    evidence = "x" * 5000 + "\0é"
    added.write_text(HEAD + f"def run(subject):\n    yield failed('t', 'why', {evidence!r})\ncheck = Check(run)\n")
    results = run_checks(node.subject(), [ADDED])
    numbers = store(node.connection, node.id, results)
    (row,) = rows(node.connection, "SELECT * FROM check_results WHERE id = ANY (%(ids)s)", {"ids": numbers})
    assert (row["check_name"], row["target"], row["outcome"], row["reason"]) == (ADDED, "t", "fail", "why")
    assert row["evidence"] == "x" * 2000
    assert row["evidence_hash"] == sha256(("x" * 5000 + "\\x00é").encode()).hexdigest()
    assert row["node_id"] == node.id


def last_verified(node: Node) -> object:
    return rows(node.connection, "SELECT last_verified FROM system_nodes WHERE id = %(id)s", {"id": node.id})[0][
        "last_verified"
    ]


def test_a_node_counts_as_verified_only_when_every_check_ran_and_passed(node: Node, added: Path) -> None:
    some = run_checks(node.subject(), ["vector_distance"])
    store(node.connection, node.id, some, every_check=False)
    assert last_verified(node) is None
    store(node.connection, node.id, [])
    assert last_verified(node) is None
    store(node.connection, node.id, run_checks(node.subject()))
    verified_at = last_verified(node)
    assert verified_at is not None
    added.write_text(HEAD + "def run(subject):\n    yield failed('t', 'why')\ncheck = Check(run)\n")
    store(node.connection, node.id, run_checks(node.subject()))
    assert last_verified(node) == verified_at
