"""`aya up` again and again: nothing changes that has not changed, and it ends when told to."""

import signal
from typing import Any

import pytest

from tests.serve.command import Command

TABLES = ("network_interfaces", "software_versions", "postgresql_configuration", "database_schemas")
"""State that other programs of this machine leave alone while a test runs, if only of AYA's own server."""


def own_instance(aya: Command) -> str:
    folder = aya.home / "data"
    (instance,) = [
        row["instance"] for row in aya("show", "instances", "--json").document if row["data_directory"] == str(folder)
    ]
    return str(instance)


def versions(aya: Command, instance: str) -> str:
    """The transaction that wrote each row of state: writing a row again would change it."""
    statements = [
        f"SELECT '{table}', id, xmin FROM {table} WHERE coalesce(to_jsonb({table}) ->> 'instance', '{instance}') = "
        f"'{instance}' ORDER BY id"
        for table in TABLES
    ]
    node = "SELECT to_jsonb(n) - 'last_verified' - 'updated_at' FROM system_nodes n"
    done = aya("db", "psql", "--as", "reader", "-AtXc", "; ".join([*statements, node]))
    assert done.code == 0, done.err
    return done.out


def test_up_again_writes_no_row_and_takes_no_snapshot_where_nothing_changed(aya: Command) -> None:
    aya("up", "--once")  # what starting the server for the first time changed is recorded by now
    instance = own_instance(aya)
    before, told = versions(aya, instance), []
    for _ in range(4):
        told.append(aya("up", "--json").document)
        if len(told) > 1 and unchanged(told[-1]) and told[-1]["snapshot"] == told[-2]["snapshot"]:
            break
    assert versions(aya, instance) == before
    assert not any(one["server_started"] or one["migrated"]["applied"] or one["migrated"]["objects"] for one in told)
    if not unchanged(told[-1]):
        pytest.skip("other programs of this machine came and went at every look")
    assert told[-1]["snapshot_taken"] is False
    assert aya("snapshot", "diff", told[-1]["snapshot"]["snapshot_name"]).code == 0


def unchanged(told: dict[str, Any]) -> bool:
    recorded = told["collection"]["recorded"]
    return not (recorded["inserted"] or recorded["updated"] or recorded["vanished"])


def test_what_changed_is_recorded_and_in_a_snapshot_of_its_own(aya: Command) -> None:
    psql = ("db", "psql", "--as", "admin", "-qc")
    assert aya(*psql, "CREATE TABLE public.appeared (id integer)").code == 0
    try:
        told = aya("up", "--json").document
        assert told["collection"]["recorded"]["inserted"] >= 2
        assert told["snapshot_taken"] is True
        added = aya("snapshot", "diff", "baseline", "--all")
        assert "appeared" in added.out
    finally:
        aya(*psql, "DROP TABLE public.appeared")


def test_a_baseline_that_holds_false_things_is_not_called_verified(aya: Command) -> None:
    name = aya("up", "--json").document["snapshot"]["snapshot_name"]
    shown = aya("snapshot", "show", name, "--json").document["snapshot"]
    results = (shown["tests_passed"], shown["tests_failed"], shown["tests_skipped"])
    assert (shown["verification_status"] == "verified") is (results[0] > 0 and results[1:] == (0, 0))


def test_without_once_it_goes_on_through_a_stopped_server_until_interrupted(aya: Command) -> None:
    with aya.start("up", AYA_INTERVAL_S="1", PYTHONUNBUFFERED="1") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        rounds = (line for line in process.stdout if "checks:" in line)
        assert next(rounds)
        assert aya("db", "stop").code == 0
        assert next(rounds)
        assert next(rounds)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "Interrupted. Nothing is half recorded."
    assert "Traceback" not in said
    assert aya("db", "status").code == 0
