"""What checks showed is kept with what was run, its evidence, and the state that it is of."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from aya.db.connection import Connection, rows
from aya.errors import NotFound
from aya.model import CheckOutcome, Service
from aya.operations.context import Context
from aya.operations.verification import verify
from aya.record.recorder import record
from aya.snapshot.canonical import canonical, digest
from aya.snapshot.document import read_document
from aya.verify.catalogue import catalogue
from aya.verify.runner import run_checks, store
from tests.record.states import collected, identified, state
from tests.verify.conftest import NO_HOME, Node

HEAD = "from aya.verify.check import Check, failed, passed, skipped\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An AYA_HOME with a folder of checks that is its owner's alone."""
    (tmp_path / "checks").mkdir(mode=0o755)
    return tmp_path


def test_a_check_that_does_not_exist_is_refused_and_those_that_do_are_named(home: Path) -> None:
    (home / "checks" / "mine.sql").write_text("SELECT true AS ok")
    with pytest.raises(NotFound) as error:
        catalogue(home, ["vector_distance", "nonsense"])
    assert "nonsense" in error.value.message
    assert "vector_distance" in error.value.remedy
    assert "mine" in error.value.remedy


def test_results_are_stored_with_what_was_run_and_the_hash_of_the_whole_evidence(node: Node, home: Path) -> None:
    evidence = "x" * 5000 + "\0é"
    body = f"    yield failed('t', 'why', {evidence!r}, probe='SELECT 1')\n"
    (home / "checks" / "mine.py").write_text(f"{HEAD}def run(subject):\n{body}check = Check(run)\n")
    numbers = store(node.connection, node.id, run_checks(node.subject(), catalogue(home, ["mine"])))
    (row,) = rows(node.connection, "SELECT * FROM check_results WHERE id = ANY (%(ids)s)", {"ids": numbers})
    assert (row["check_name"], row["target"], row["outcome"], row["reason"]) == ("mine", "t", "fail", "why")
    assert row["probe"] == "SELECT 1"
    assert row["evidence"] == "x" * 2000
    assert row["evidence_hash"] == sha256(("x" * 5000 + "\\x00é").encode()).hexdigest()
    assert row["node_id"] == node.id


def test_secrets_in_what_a_check_says_or_prints_are_stored_nowhere(node: Node, home: Path) -> None:
    secret = "postgresql://u:hunter2@h/d"
    said = repr(secret)
    body = f"    print({said})\n    yield failed({said}, {said}, {said}, probe={said})\n    raise OSError({said})\n"
    (home / "checks" / "mine.py").write_text(f"{HEAD}def run(subject):\n{body}check = Check(run)\n")
    results = run_checks(node.subject(), catalogue(home, ["mine"]))
    store(node.connection, node.id, results)
    assert len(results) == 2
    stored = rows(node.connection, "SELECT c::text AS text FROM check_results c")
    assert all("redacted" in row["text"] for row in stored)
    assert not any("hunter2" in row["text"] for row in stored)


def last_verified(node: Node) -> object:
    return rows(node.connection, "SELECT last_verified FROM system_nodes WHERE id = %(id)s", {"id": node.id})[0][
        "last_verified"
    ]


def test_a_node_counts_as_verified_only_when_every_check_ran_and_passed(node: Node, home: Path) -> None:
    some = run_checks(node.subject(), catalogue(NO_HOME, ["vector_distance"]))
    store(node.connection, node.id, some, every_check=False)
    assert last_verified(node) is None
    store(node.connection, node.id, [])
    assert last_verified(node) is None
    store(node.connection, node.id, run_checks(node.subject(), catalogue(NO_HOME)))
    verified_at = last_verified(node)
    assert verified_at is not None
    (home / "checks" / "mine.sql").write_text("SELECT false AS ok")
    store(node.connection, node.id, run_checks(node.subject(), catalogue(home)))
    assert last_verified(node) == verified_at


# --- the state that results vouch for ---------------------------------------------------------------------------------


@pytest.fixture
def here(node: Node, context: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    """AYA on a machine that is the node ALPHA, without what runs beside the test."""
    monkeypatch.setattr("aya.operations.verification._this_node", lambda context, connection: node.id)
    monkeypatch.setattr("aya.operations.verification.reachable_servers", lambda *_: {})
    return Context(context.settings.model_copy(update={"node": "ALPHA"}))


def state_hash(connection: Connection) -> str:
    return digest(canonical(read_document(connection)["nodes"]["ALPHA"]))


def kept(node: Node) -> list[tuple[str | None, str | None, int | None]]:
    found = rows(node.connection, "SELECT DISTINCT state_hash, state_problem, change_number FROM check_results")
    return [(row["state_hash"], row["state_problem"], row["change_number"]) for row in found]


def newest_change(node: Node) -> int | None:
    number: int | None = rows(node.connection, "SELECT max(id) AS id FROM change_log")[0]["id"]
    return number


def test_results_vouch_for_the_recorded_state_of_that_node_and_no_other(node: Node, here: Context) -> None:
    record(
        node.connection, [state(identified(None, "m2"), collected(services=(Service(service_name="b"),)), name="BETA")]
    )
    done = verify(here, only=["vector_distance"])
    assert kept(node) == [(state_hash(node.connection), None, newest_change(node))]
    assert (done.state_hash, done.state_problem) == (state_hash(node.connection), None)


CHANGE = "UPDATE services SET status = 'stopped'"
BACK = "UPDATE services SET status = 'running'"
ELSEWHERE = "UPDATE system_nodes SET model_name = 'x' WHERE node_name = 'BETA'"
OBSERVED = "UPDATE services SET process_id = 7"


@pytest.mark.parametrize(
    ("meanwhile", "vouches"), [((CHANGE,), False), ((CHANGE, BACK), False), ((ELSEWHERE,), True), ((OBSERVED,), True)]
)
def test_results_vouch_for_no_state_when_the_node_changed_while_the_checks_ran(
    node: Node, here: Context, monkeypatch: pytest.MonkeyPatch, meanwhile: tuple[str, ...], vouches: bool
) -> None:
    node.has(Service(service_name="dark"))
    record(node.connection, [state(identified(None, "m2"), name="BETA")])
    before, seen = state_hash(node.connection), newest_change(node)
    run: Callable[..., object] = run_checks

    def changing(*arguments: object) -> object:
        results = run(*arguments)
        for statement in meanwhile:
            node.connection.execute(statement.encode())
        return results

    monkeypatch.setattr("aya.operations.verification.run_checks", changing)
    done = verify(here, only=["vector_distance"])
    ((hashed, problem, number),) = kept(node)
    assert number == seen
    assert (hashed == before) is vouches
    assert (problem is None) is vouches
    if not vouches:
        assert hashed is None
        assert "ALPHA" in str(problem)
    assert done.state_hash == hashed


def test_results_vouch_for_no_state_that_cannot_be_written_down(node: Node, here: Context, admin: Connection) -> None:
    node.has(Service(service_name="twice"))
    admin.execute("DROP INDEX idx_services_unique_present")
    try:
        admin.execute("INSERT INTO services (node_id, service_name) SELECT node_id, service_name FROM services")
        verify(here, only=["vector_distance"])
    finally:
        admin.execute("DELETE FROM services")
        admin.execute(
            "CREATE UNIQUE INDEX idx_services_unique_present ON services (node_id, service_name) WHERE is_present"
        )
    ((hashed, problem, _),) = kept(node)
    assert hashed is None
    assert "twice" in str(problem)


def test_the_database_refuses_a_result_that_vouches_and_explains_why_it_does_not(node: Node) -> None:
    import psycopg

    for values in (f"'{'0' * 64}', 'but'", "'no hash', NULL"):
        with pytest.raises(psycopg.errors.CheckViolation):
            node.connection.execute(
                "INSERT INTO check_results (node_id, check_name, outcome, started_at, duration_ms, state_hash, state_problem) "
                f"VALUES ({node.id}, 'x', 'pass', now(), 1, {values})".encode()
            )


# --- another node than this machine -----------------------------------------------------------------------------------


def test_of_another_node_only_what_the_network_shows_is_tested_and_the_rest_is_skipped(node: Node) -> None:
    node.has(Service(service_name="cron", process_id=1))
    results = run_checks(node.subject(is_here=False), catalogue(NO_HOME))
    assert {result.outcome for result, _ in results} == {CheckOutcome.SKIPPED}
    reasons = {result.check: result.reason for result, _ in results}
    assert reasons["files_exist"] == "it can only be tested on ALPHA itself"
    assert "can only be tested on ALPHA itself" in str(reasons["services_listen"])


def test_whether_a_node_is_this_machine_is_told_by_its_identity_and_not_its_name(
    writer: Connection, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aya.operations.collection import look
    from aya.operations.verification import _subject

    monkeypatch.setattr("aya.operations.collection.collect_servers", lambda *_: ())
    monkeypatch.setattr("aya.operations.verification.reachable_servers", lambda *_: {})
    named = Context(context.settings.model_copy(update={"node": "MINE"}))
    if look(named, named.redactor).identity.startswith("name:"):
        pytest.skip("this machine has no identity but its name")
    record(writer, [look(named, named.redactor), state(identified(None, "another machine"), name="OTHER")])
    for own_name in ("MINE", "OTHER", "RENAMED"):
        as_named = Context(context.settings.model_copy(update={"node": own_name}))
        assert _subject(as_named, writer, "MINE").is_here
        assert not _subject(as_named, writer, "OTHER").is_here
