"""A user's check is one file in AYA_HOME/checks/, in Python or SQL; a mistake in one is a failed result that names it."""

import os
from pathlib import Path

import pytest

from aya.db.connection import Connection, rows
from aya.model import CheckResult, Service
from aya.verify.catalogue import catalogue, own_checks, summary
from aya.verify.runner import run_checks
from tests.verify.conftest import Node

PASSES = """
from aya.verify.check import Check, passed
def run(subject):
    yield passed('it', subject.node_name)
check = Check(run)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a user's checks."""
    made = tmp_path / "checks"
    made.mkdir(mode=0o755)
    return made


def results(node: Node, folder: Path, name: str, *, is_here: bool = True) -> list[CheckResult]:
    return [r for r, _ in run_checks(node.subject(is_here=is_here), catalogue(folder.parent, [name]))]


def outcomes(node: Node, folder: Path, name: str, **more: bool) -> list[tuple[str, str, str | None]]:
    return [(r.target, r.outcome.value, r.reason) for r in results(node, folder, name, **more)]


def test_a_file_dropped_in_is_a_check_and_needs_no_folder_to_be_there_before(node: Node, tmp_path: Path) -> None:
    assert [entry.name for entry in catalogue(tmp_path)] == list(own_checks())
    (tmp_path / "checks").mkdir(mode=0o755)
    (tmp_path / "checks" / "mine.py").write_text(PASSES)
    (tmp_path / "checks" / "_private.py").write_text("not Python")
    (tmp_path / "checks" / "README.md").write_text("not a check")
    assert [entry.name for entry in catalogue(tmp_path)] == [*own_checks(), "mine"]
    (result,) = results(node, tmp_path / "checks", "mine")
    assert (result.check, result.target, result.outcome.value, result.evidence) == ("mine", "it", "pass", "ALPHA")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def run(", "SyntaxError"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", "ZeroDivisionError"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("", "defines no check"),
        ("check = 5", "defines no check"),
        ("def check(): pass", "defines no check"),
        ("import os; os._exit(0)", "exit status 0"),
        ("from aya.verify.check import Check\ncheck = Check(lambda subject: 5)", "not iterable"),
        ("from aya.verify.check import Check\ncheck = Check(None)", "not callable"),
        ("\udcff", "cannot be loaded"),
    ],
)
def test_a_broken_python_file_is_a_failed_result_that_names_it(node: Node, folder: Path, text: str, said: str) -> None:
    file = folder / "mine.py"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    ((target, outcome, reason),) = outcomes(node, folder, "mine")
    assert (target, outcome) == (str(file), "fail")
    assert said in str(reason)


def test_a_name_that_another_check_has_is_a_failed_result_and_the_other_runs(node: Node, folder: Path) -> None:
    for name in ("vector_distance.py", "twice.py"):
        (folder / name).write_text(PASSES)
    (folder / "twice.sql").write_text("SELECT true AS ok")
    assert outcomes(node, folder, "vector_distance") == [
        ("vector", "pass", None),
        (
            str(folder / "vector_distance.py"),
            "fail",
            f"{folder / 'vector_distance.py'} was not run: a check of AYA's own has the same name; rename it",
        ),
    ]
    first, second = outcomes(node, folder, "twice")
    assert first[:2] == ("it", "pass")
    assert second[:2] == (str(folder / "twice.sql"), "fail")


def test_a_file_that_others_may_write_is_not_run(node: Node, folder: Path) -> None:
    file = folder / "mine.py"
    file.write_text("raise RuntimeError('it was run')")
    for path, mode in ((file, 0o646), (file, 0o664), (folder, 0o777)):
        before = path.stat().st_mode & 0o777
        path.chmod(mode)
        ((_, outcome, reason),) = outcomes(node, folder, "mine")
        path.chmod(before)
        assert outcome == "fail"
        assert f"others may write {path}" in str(reason)
    if os.geteuid() == 0:
        os.chown(file, 65534, 65534)
        assert "others may write" in str(outcomes(node, folder, "mine")[0][2])


def test_a_folder_that_cannot_be_read_is_a_failed_result(node: Node, tmp_path: Path) -> None:
    (tmp_path / "checks").write_text("a file")
    assert outcomes(node, tmp_path / "checks", "checks") == [
        (str(tmp_path / "checks"), "fail", f"{tmp_path / 'checks'} cannot be read: Not a directory")
    ]


# --- SQL --------------------------------------------------------------------------------------------------------------


def test_each_row_of_a_select_is_a_finding(node: Node, folder: Path) -> None:
    node.has(
        Service(service_name="a"),
        Service(service_name="b", status="stopped"),
        Service(service_name="c", status="failed"),
    )
    statement = (
        "-- Every service runs.\n--\n-- Or says why.\nSELECT service_name AS target, "
        "CASE s.status WHEN 'running' THEN true WHEN 'stopped' THEN false END AS ok, "
        "'it is ' || s.status AS reason, s.status, 5 % 3 AS number\nFROM services s JOIN system_nodes n ON n.id = node_id "
        "WHERE node_name = current_setting('aya.node') AND service_name LIKE '%' ORDER BY 1 -- %s\n"
    )
    (folder / "mine.sql").write_text("\ufeff" + statement, encoding="utf-8")
    a, b, c = results(node, folder, "mine")
    assert (a.target, a.outcome.value, a.reason, a.evidence) == (
        "a",
        "pass",
        None,
        '{"status": "running", "number": 2}',
    )
    assert (b.target, b.outcome.value, b.reason) == ("b", "fail", "it is stopped")
    assert (c.target, c.outcome.value, c.reason) == ("c", "skipped", "it is failed")
    assert a.probe == statement
    (entry,) = catalogue(folder.parent, ["mine"])
    assert (entry.about, summary(entry.about)) == ("Every service runs.\n\nOr says why.", "Every service runs.")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT true AS ok", [("", "pass", None)]),
        ("VALUES (true)", "no boolean column `ok`, but column1"),
        ("SELECT 1 AS ok", "no boolean column"),
        ("SELECT", "no boolean column `ok`, but nothing"),
        ("SELECT false AS ok, NULL AS target", [("", "fail", "its column ok is false")]),
        ("SELECT NULL::boolean AS ok", [("", "skipped", "its column ok is NULL: it is not known")]),
        ("SELECT true AS ok WHERE false", []),
        ("TABLE no_such_table", 'relation "no_such_table" does not exist'),
        ("SELEC true", "syntax error"),
        ("", "EMPTY_QUERY"),
        ("-- nothing but a comment", "EMPTY_QUERY"),
        ("SELECT true AS ok; SELECT true AS ok", "cannot insert multiple commands into a prepared statement"),
        ("COMMIT; DELETE FROM services", "cannot insert multiple commands"),
        ("DELETE FROM services RETURNING true AS ok", "read-only transaction"),
        ("WITH gone AS (DELETE FROM services RETURNING 1) SELECT true AS ok", "read-only transaction"),
        ("SELECT true AS ok FROM pg_read_file('/etc/passwd')", "permission denied"),
        ("SELECT true AS ok, repeat('x', 100000) FROM generate_series(1, 1000000)", "larger than 4,194,304 bytes"),
        ("SELECT true AS ok, repeat('x', 50000000)", "characters of evidence are too many"),
        ("SET work_mem = '1MB'", "didn't produce"),
        ("SELECT true AS ok FROM pg_sleep(100)", "did not end within 2 s"),
    ],
)
def test_a_select_only_reads_and_says_what_is_wrong_with_it(
    node: Node, folder: Path, admin: Connection, statement: str, expected: str | list[tuple[str, str, str | None]]
) -> None:
    node.has(Service(service_name="a"))
    (folder / "mine.sql").write_text(statement)
    subject = node.subject(check_limit_s=2 if "sleep" in statement else 60)
    found = [(r.target, r.outcome.value, r.reason) for r, _ in run_checks(subject, catalogue(folder.parent, ["mine"]))]
    if isinstance(expected, str):
        assert found[-1][:2] == (str(folder / "mine.sql"), "fail")
        assert expected in str(found[-1][2])
    else:
        assert found == expected
    assert len(rows(admin, "SELECT FROM services")) == 1


def test_a_select_also_tests_other_nodes_and_a_python_file_only_if_it_says_so(node: Node, folder: Path) -> None:
    (folder / "asked.sql").write_text("SELECT current_setting('aya.node') AS target, true AS ok")
    (folder / "here.py").write_text(PASSES)
    (folder / "afar.py").write_text(PASSES.replace("Check(run)", "Check(run, from_afar=True)"))
    assert outcomes(node, folder, "asked", is_here=False) == [("ALPHA", "pass", None)]
    assert outcomes(node, folder, "here", is_here=False) == [("", "skipped", "it can only be tested on ALPHA itself")]
    assert outcomes(node, folder, "afar", is_here=False) == [("it", "pass", None)]


def test_listing_runs_nothing_and_shows_what_cannot_be_read(folder: Path) -> None:
    (folder / "mine.py").write_text('"""Mine. It does\nthis."""\nraise RuntimeError\n')
    (folder / "broken.py").write_text("def run(")
    (folder / "silent.sql").write_text("SELECT true AS ok")
    about = {entry.name: entry.about for entry in catalogue(folder.parent)}
    assert about["mine"] == "Mine. It does\nthis."
    assert about["broken"].startswith("cannot be read:")
    assert about["silent"] == "says nothing of itself"
    assert about["vector_distance"].startswith("The vector extension")
