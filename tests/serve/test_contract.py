"""What others script against: one JSON document, four exit codes, quiet streams."""

import json
from pathlib import Path
from typing import Any

import pytest

from aya.db.migrate import migration_names
from aya.operations.show import sections
from tests.serve.command import Command, Done
from tests.serve.conftest import Installed

DONE, FAILED, USAGE, ATTENTION = 0, 1, 2, 3


def test_up_makes_everything_and_says_so_in_one_document(installed: Installed) -> None:
    first = installed.first
    assert first.code in (DONE, ATTENTION), first.err
    told = first.document
    assert told["node"] == "STRANGER"
    assert told["server_started"] is True
    assert told["migrated"]["applied"] == migration_names()
    assert told["collection"]["recorded"]["inserted"] > 100
    assert told["checks"]["passed"] > 0
    assert told["snapshot"]["snapshot_name"] == "baseline"
    assert told["snapshot_taken"] is True
    # Partial: a collector may be denied something on the machine that is tested on.
    assert (told["snapshot"]["verification_status"] in ("verified", "partial")) is (first.code == DONE)


def test_the_url_that_up_tells_is_one_for_psql(installed: Installed, aya: Command) -> None:
    assert aya("db", "url").out.strip() == installed.first.document["url"]
    done = aya("db", "psql", "--as", "reader", "-Atc", "SELECT node_name, current_user FROM v_system_overview")
    assert (done.code, done.out, done.err) == (0, "STRANGER|aya_sql\n", "")


@pytest.mark.parametrize("section", sections())
def test_every_section_is_shown_as_rows_and_as_json(aya: Command, section: str) -> None:
    rows = aya("show", section, "--json").document
    assert isinstance(rows, list)
    plain = aya("show", section)
    assert plain.code == DONE
    assert plain.err == ""
    if section != "node":
        assert len(plain.out.splitlines()) == max(len(rows), 0) + 1


def test_show_takes_nodes_and_a_text_that_rows_hold(aya: Command) -> None:
    every = aya("show", "settings", "--node", "STRANGER", "--json").document
    some = aya("show", "settings", "--match", "WORK_MEM", "--json").document
    assert {row["setting_name"] for row in some} >= {"work_mem", "maintenance_work_mem"}
    assert 0 < len(some) < len(every)
    nothing = aya("show", "settings", "--match", "no such thing")
    assert (nothing.code, nothing.out) == (DONE, "Nothing under settings holds no such thing.\n")


COMMANDS: list[tuple[tuple[str, ...], set[int]]] = [
    (("collect",), {DONE}),
    (("collect", "--dry-run"), {DONE}),
    (("show",), {DONE}),
    (("verify", "--only", "vector_distance"), {DONE}),
    (("doctor",), {DONE}),
    (("settings",), {DONE}),
    (("db", "start"), {DONE}),
    (("db", "status"), {DONE}),
    (("db", "url", "--as", "reader"), {DONE}),
    (("db", "migrate"), {DONE}),
    (("query", "SELECT * FROM v_system_overview"), {DONE}),
    (("query", "TABLE postgresql_configuration", "--limit", "2"), {ATTENTION}),
    (("snapshot", "list"), {DONE}),
    (("snapshot", "show", "baseline"), {DONE}),
    (("snapshot", "verify", "baseline"), {DONE}),
    (("snapshot", "diff", "baseline", "baseline"), {DONE}),
    (("snapshot", "diff", "baseline"), {DONE, ATTENTION}),
]


@pytest.mark.parametrize(("arguments", "codes"), COMMANDS, ids=[" ".join(arguments) for arguments, _ in COMMANDS])
def test_every_command_prints_one_document_and_nothing_else(
    aya: Command, arguments: tuple[str, ...], codes: set[int]
) -> None:
    done = aya(*arguments, "--json")
    assert done.code in codes, done.err
    assert isinstance(done.document, dict | list)
    assert done.err == ""


WRONG: list[tuple[tuple[str, ...], int]] = [
    (("nonsense",), USAGE),
    (("show", "nonsense"), USAGE),
    (("show", "--nonsense"), USAGE),
    (("show", "--node", "NOBODY"), USAGE),
    (("snapshot", "show"), USAGE),
    (("snapshot", "show", "no such"), USAGE),
    (("snapshot", "verify", "no such"), USAGE),
    (("snapshot", "diff", "no such"), USAGE),
    (("snapshot", "create", "baseline"), USAGE),
    (("snapshot", "export", "no such", "/tmp/never"), USAGE),
    (("snapshot", "import", "/no/such/file"), FAILED),
    (("snapshot", "restore", "no such"), USAGE),
    (("snapshot", "create", ""), USAGE),
    (("snapshot", "create", "now"), USAGE),
    (("snapshot", "create", "bad \udcff bytes"), USAGE),
    (("verify", "--only", "no such"), USAGE),
    (("verify", "--node", "NOBODY"), USAGE),
    (("collect", "--node", "a/b"), USAGE),
    (("db", "url", "--as", "nobody"), USAGE),
    (("db", "url", "--tcp"), USAGE),
    (("db", "url", "--reader"), USAGE),
    (("query", "DELETE FROM system_nodes"), USAGE),
    (("query", "SELECT 1", "--limit", "0"), USAGE),
    (("query", "SELECT 1", "--limit", "1000000000"), USAGE),
    (("query", "SELECT 1", "--as-of", "tomorrow"), USAGE),
    (("query", "SELECT 1", "--csv"), USAGE),
    (("query", "@/no/such/file"), USAGE),
    (("query", "SELECT 'bad \udcff bytes'"), USAGE),
    (("db",), USAGE),
]


@pytest.mark.parametrize(("arguments", "code"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_what_goes_wrong_is_one_document_as_well_and_words_on_stderr(
    aya: Command, arguments: tuple[str, ...], code: int
) -> None:
    done = aya(*arguments, "--json")
    assert done.code == code
    error = done.document["error"]
    assert error.keys() == {"kind", "message", "remedy"}
    assert error["message"].splitlines()[0] in done.err
    assert "Traceback" not in done.err


def test_a_name_that_does_not_exist_is_answered_with_those_that_do(aya: Command) -> None:
    assert "interfaces" in aya("show", "nonsense").err
    assert "STRANGER" in aya("show", "--node", "NOBODY").err
    assert "baseline" in aya("snapshot", "show", "no such").err
    assert "vector_distance" in aya("verify", "--only", "no such").err


def test_without_a_server_every_command_that_needs_one_fails_and_says_how_to_get_one(nowhere: Command) -> None:
    for arguments in (("show",), ("snapshot", "list"), ("verify",), ("db", "psql", "-c", "SELECT 1")):
        done = nowhere(*arguments)
        assert (done.code, done.out) == (FAILED, "")
        assert "aya db start" in done.err
    status = nowhere("db", "status", "--json")
    assert (status.code, status.document["reachable"]) == (ATTENTION, False)
    assert nowhere("doctor").code == ATTENTION
    assert nowhere("db", "stop", "--json").document == {"stopped": False}
    assert not nowhere.home.exists()


def test_a_dry_run_needs_no_database_and_leaves_no_trace(nowhere: Command) -> None:
    done = nowhere("collect", "--dry-run", "--json")
    assert (done.code, done.err) == (DONE, "")
    assert done.document["recorded"] is None
    assert done.document["state"]["node"]["kernel_version"]
    assert not nowhere.home.exists()


def test_a_server_can_be_stopped_and_started_and_migrated_by_itself(aya: Command) -> None:
    def said(*arguments: str) -> Any:
        return aya(*arguments, "--json").document

    assert said("db", "stop") == {"stopped": True}
    assert said("db", "stop") == {"stopped": False}
    assert said("db", "status")["running"] is False
    assert said("db", "start")["started"] is True
    assert said("db", "start")["started"] is False
    assert said("db", "migrate") == {"migrations": [], "objects": [], "mended": []}
    status = said("db", "status")
    assert (status["running"], status["reachable"], status["current"]) == (True, True, True)


def test_a_snapshot_is_created_listed_shown_verified_and_compared(aya: Command) -> None:
    taken = aya(
        "snapshot", "create", "mine", "--description", "[why]", "--by", "me", "--type", "manual", "--json"
    ).document
    assert (taken["snapshot_name"], taken["created_by"]) == ("mine", "me")
    assert "mine" in [snapshot["snapshot_name"] for snapshot in aya("snapshot", "list", "--json").document]
    shown = aya("snapshot", "show", "mine", "--json").document
    assert shown["snapshot"] == taken
    assert shown["state"]["nodes"].keys() == {"STRANGER"}
    assert "[why]" in aya("snapshot", "show", "mine").out
    verified = aya("snapshot", "verify", "mine", "--json").document
    assert verified == {"snapshot": "mine", "intact": True, "state_hash": taken["state_hash"], "problems": []}
    equal = aya("snapshot", "diff", "mine", "mine", "--json")
    assert (equal.code, equal.document) == (DONE, [])


def test_a_difference_and_a_failed_check_end_with_three(aya: Command) -> None:
    psql = ("db", "psql", "--as", "admin", "-qc")
    aya("snapshot", "create", "before the lie")
    assert (
        aya(*psql, "UPDATE network_interfaces SET ipv4_address = '203.0.113.9' WHERE interface_name = 'lo'").code == 0
    )
    try:
        different = aya("snapshot", "diff", "before the lie", "--json")
        assert different.code == ATTENTION
        changed = [step for step in different.document if step["path"].endswith("/interfaces/lo/ipv4_address")]
        assert [(step["op"], step["value"]) for step in changed] == [("replace", "203.0.113.9")]
        failed = aya("verify", "--only", "addresses_present", "--json")
        assert failed.code == ATTENTION
        assert [(r["target"], r["outcome"]) for r in failed.document if r["outcome"] != "pass"] == [("lo", "fail")]
        assert "203.0.113.9 is not on it now" in aya("verify", "--only", "addresses_present").out
    finally:
        aya("collect")
    assert aya("verify", "--only", "addresses_present").code == DONE


def test_a_snapshot_that_was_tampered_with_ends_with_three(aya: Command) -> None:
    aya("snapshot", "create", "tampered")
    table = "aya.system_state_snapshots"

    def by_hand(*statements: str) -> Done:
        return aya(
            "db", "psql", "--as", "admin", "-q", *(word for statement in statements for word in ("-c", statement))
        )

    lie = f"UPDATE {table} SET tests_passed = 7 WHERE snapshot_name = 'tampered'"
    assert "snapshots are neither changed nor removed" in by_hand(lie).err
    by_hand(f"ALTER TABLE {table} DISABLE TRIGGER USER", lie)
    try:
        done = aya("snapshot", "verify", "tampered", "--json")
        assert (done.code, done.document["intact"]) == (ATTENTION, False)
        assert f"trigger status_is_proven of {table} is switched off" in aya("doctor").out
        assert "snapshot tampered: change" in aya("audit", "verify").out
    finally:
        by_hand(*(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}" for name in ("append_only", "status_is_proven")))


def test_a_snapshot_goes_to_another_machine(aya: Command, nowhere: Command, tmp_path: Path) -> None:
    file = str(tmp_path / "baseline.snapshot")
    key = aya("snapshot", "export", "baseline", file, "--json").document["export"]["signer"]
    assert key == aya("audit", "keys", "--json").document[-1]["verifier_key"]
    # There, there is nothing but the file.
    held = nowhere("snapshot", "verify", file, "--key", key, "--json")
    assert (held.code, held.document["intact"], held.document["export"]["signer_known"]) == (DONE, True, True)
    stranger = nowhere("snapshot", "verify", file)
    assert (stranger.code, "the signer is not known" in stranger.out) == (DONE, True)
    content = Path(file).read_bytes()
    Path(file).write_bytes(content[:-100])
    cut = nowhere("snapshot", "verify", file, "--key", key)
    assert (cut.code, "is cut short" in cut.out) == (ATTENTION, True)
    Path(file).write_bytes(content)
    refused = aya("snapshot", "restore", file)
    assert (refused.code, "Already recorded: STRANGER" in refused.err) == (USAGE, True)
    (imported,) = aya("snapshot", "import", file, "--key", key, "--origin", "lab", "--json").document
    try:
        assert imported["node_name"] == "lab/STRANGER"
        assert "lab/STRANGER" in aya("show").out
        assert aya("diff", "lab/STRANGER", "STRANGER@baseline", "--json").document == []
    finally:
        aya("db", "psql", "--as", "admin", "-qc", "DELETE FROM system_nodes WHERE origin IS NOT NULL")


def test_the_doctor_names_what_is_wrong_and_what_to_do(aya: Command) -> None:
    psql = ("db", "psql", "--as", "admin", "-qc")
    assert aya("doctor").out.splitlines()[-1] == "All is well."
    aya(*psql, "ALTER ROLE aya_owner LOGIN", "-c", "GRANT DELETE ON services TO aya_reader")
    try:
        done = aya("doctor", "--json")
        assert done.code == ATTENTION
        wrong = {finding["what"]: finding for finding in done.document if not finding["well"]}
        assert wrong.keys() == {"role aya_owner", "role aya_reader"}
        for finding in wrong.values():
            assert aya(*psql, finding["remedy"]).code == 0
        assert aya("doctor").code == DONE
    finally:
        aya(*psql, "ALTER ROLE aya_owner NOLOGIN", "-c", "REVOKE DELETE ON services FROM aya_reader")


def test_sql_by_command_is_logged_with_what_it_cost(aya: Command) -> None:
    asked = "SELECT generate_series(1, 3) AS by_command"
    answer = aya("query", asked, "--json").document
    call = next(call for call in aya("calls", "--json").document if asked in call["arguments"])
    assert (call["operation"], call["outcome"], call["rows"], call["bytes"]) == ("query", "done", 3, answer["bytes"])


def test_help_and_version_ask_for_nothing(nowhere: Command) -> None:
    assert nowhere("--version").out.startswith("aya ")
    for arguments in ((), ("db",), ("snapshot",), ("snapshot", "diff")):
        done: Done = nowhere(*arguments, "--help")
        assert (done.code, done.err) == (DONE, "")
        assert done.out.startswith("Usage: aya")


def test_settings_tell_where_each_option_was_set_and_no_secret(nowhere: Command) -> None:
    url = "postgresql://me:hunter2@127.0.0.1:1/x"
    done = nowhere("settings", "--json", AYA_DATABASE_URL=url, AYA_POSTGRES_URLS=json.dumps([url]), AYA_NODE="N")
    by = {row["option"]: row["set_by"] for row in done.document}
    assert (by["node"], by["database_url"], by["interval_s"]) == ("AYA_NODE", "AYA_DATABASE_URL", "default")
    assert "hunter2" not in done.out
