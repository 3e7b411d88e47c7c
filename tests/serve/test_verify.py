"""`aya verify` as scripts and CI systems call it: exit codes, JUnit XML, other nodes, checks of one's own, Ctrl-C."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from tests.serve.command import Command

DONE, FAILED, USAGE, ATTENTION, INTERRUPTED = 0, 1, 2, 3, 130


@pytest.fixture
def folder(aya: Command) -> Iterator[Path]:
    """The folder of the user's checks; empty again afterwards."""
    folder = aya.home / "checks"
    folder.mkdir(mode=0o755)
    yield folder
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def test_the_results_are_written_as_junit_xml_as_well(aya: Command, folder: Path, tmp_path: Path) -> None:
    (folder / "mine.sql").write_text(
        "SELECT 'good <&> \"quoted\"' AS target, true AS ok, NULL AS reason, E'\\x1b[31m' AS said "
        "UNION ALL SELECT 'bad', false, E'because\\x07', '' UNION ALL SELECT 'unknown', NULL, 'nobody knows', ''"
    )
    file = tmp_path / "jünit.xml"
    done = aya("verify", "--only", "mine", "--junit", str(file), "--json")
    assert done.code == ATTENTION
    root = ElementTree.parse(file).getroot()
    (suite,) = root
    for element in (root, suite):
        assert {name: element.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
            "tests": "3",
            "failures": "1",
            "skipped": "1",
            "errors": "0",
        }
    assert suite.get("name") == "STRANGER"
    cases = list(suite)
    assert [case.get("classname") for case in cases] == ["mine"] * 3
    assert [case.get("name") for case in cases] == [result["target"] for result in done.document]
    assert [[child.tag for child in case] for case in cases] == [
        ["system-out"],
        ["failure", "system-out"],
        ["skipped", "system-out"],
    ]
    assert [child.get("message") for case in cases for child in case if child.tag != "system-out"] == [
        "because\\x07",
        "nobody knows",
    ]
    assert "SELECT 'good" in str(cases[0][0].text)


def test_a_file_that_cannot_be_written_is_an_error_after_the_results(aya: Command, tmp_path: Path) -> None:
    done = aya("verify", "--only", "vector_distance", "--junit", str(tmp_path / "no" / "such.xml"))
    assert done.code == FAILED
    assert "1 passed" in done.out
    assert "such.xml" in done.err


def test_each_result_says_what_was_run(aya: Command) -> None:
    (result,) = aya("verify", "--only", "write_read_back", "--json").document
    assert "INSERT INTO aya.probe_rows" in result["probe"]
    assert "vouch for the state" in aya("verify", "--only", "write_read_back").out
    shown = aya("show", "checks", "--match", "write_read_back", "--json").document[0]
    assert "INSERT INTO aya.probe_rows" in shown["probe"]
    assert len(shown["state_hash"]) == 64


def test_a_broken_check_of_ones_own_is_a_failed_result_and_is_listed(aya: Command, folder: Path) -> None:
    (folder / "broken.py").write_text("def run(")
    (folder / "fine.sql").write_text("-- All is well.\nSELECT true AS ok\n")
    done = aya("verify", "--only", "broken", "--only", "fine", "--json")
    assert done.code == ATTENTION
    assert [(r["check"], r["outcome"]) for r in done.document] == [("broken", "fail"), ("fine", "pass")]
    assert str(folder / "broken.py") in done.document[0]["reason"]
    listed = aya("verify", "--list")
    assert listed.code == DONE
    assert "All is well." in listed.out
    assert {"broken", "fine", "vector_distance"} <= {e["name"] for e in aya("verify", "--list", "--json").document}


def test_another_recorded_node_is_tested_as_far_as_the_network_shows_it(aya: Command) -> None:
    psql = ("db", "psql", "--as", "writer", "-qc")
    assert aya(*psql, "INSERT INTO system_nodes (node_name, node_role) VALUES ('FAR', 'client')").code == DONE
    try:
        results = aya("verify", "--node", "FAR", "--json")
        assert results.code == DONE
        assert {result["node_name"] for result in results.document} == {"FAR"}
        assert {result["outcome"] for result in results.document} == {"skipped"}
        assert "only be tested on FAR itself" in results.document[0]["reason"]
        nobody = aya("verify", "--node", "NOBODY")
        assert nobody.code == USAGE
        assert "STRANGER" in nobody.err
    finally:
        aya(*psql, "DELETE FROM system_nodes WHERE node_name = 'FAR'")


def test_this_machine_is_known_under_the_name_it_was_recorded_with(aya: Command) -> None:
    done = aya("verify", "--node", "STRANGER", "--only", "files_exist", "--json", AYA_NODE="ANOTHER")
    assert "skipped" not in {result["outcome"] for result in done.document}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
def test_a_check_that_hangs_does_not_outlive_the_command(
    aya: Command, folder: Path, tmp_path: Path, how: signal.Signals
) -> None:
    told = tmp_path / "told"
    (folder / "hangs.py").write_text(
        "import os, pathlib, time\nfrom aya.verify.check import Check\ndef run(subject):\n"
        f"    pathlib.Path({str(told)!r}).write_text(str(os.getpid()))\n    time.sleep(1000)\n    yield\ncheck = Check(run)\n"
    )
    limit = "60" if how is signal.SIGINT else "1"
    with aya.start("verify", "--only", "hangs", AYA_CHECK_LIMIT_S=limit) as process:
        while not (told.exists() and told.read_text()):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(how)
        process.communicate(timeout=60)
    assert process.returncode == (INTERRUPTED if how is signal.SIGINT else -how)
    deadline = time.monotonic() + 30
    while psutil.pid_exists(int(told.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(told.read_text()))
