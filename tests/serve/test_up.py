"""`aya up` again and again: nothing changes that has not changed, and it ends when told to."""

import signal
from typing import Any

from tests.record.test_recorder import STATE_TABLES
from tests.serve.command import Command


def rows_now(aya: Command) -> dict[tuple[str, str], tuple[str, Any]]:
    """Every row of state: the transaction that wrote it, and what it says."""
    tables = (
        f"(SELECT json_object_agg(id, json_build_array(xmin, to_jsonb(t) - 'updated_at')) FROM {table} t)"
        for table in STATE_TABLES
    )
    done = aya("db", "psql", "--as", "reader", "-AtXc", f"SELECT json_build_array({', '.join(tables)})")
    assert done.code == 0, done.err
    return {
        (table, number): (xmin, said)
        for table, rows in zip(STATE_TABLES, done.document, strict=True)
        for number, (xmin, said) in (rows or {}).items()
    }


def test_up_again_writes_no_row_that_has_not_changed_and_takes_no_snapshot_of_the_same(aya: Command) -> None:
    """Programs of others may come and go meanwhile: then their rows are new, or say something else."""
    first, before = aya("up", "--json").document, rows_now(aya)
    again, after = aya("up", "--json").document, rows_now(aya)
    written = [key for key in before if before[key][0] != after[key][0]]
    assert [key for key in written if before[key][1] == after[key][1]] == []
    assert not again["server_started"]
    assert again["migrated"] == {"applied": [], "objects": [], "mended": []}
    assert again["snapshot_taken"] is (first["snapshot"]["state_hash"] != again["snapshot"]["state_hash"])
    recorded = again["collection"]["recorded"]
    if not (recorded["inserted"] or recorded["updated"] or recorded["vanished"]):
        assert again["snapshot"] == first["snapshot"]
        assert written in ([], [("system_nodes", "1")])


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


def test_tables_of_users_in_the_same_database_may_be_called_anything(aya: Command) -> None:
    psql = ("db", "psql", "--as", "admin", "-qXc")
    named = 'o\'dd "täble" %s; [b] 😀'
    quoted = '"' + named.replace('"', '""') + '"'
    columns = ", ".join(f'"{number} ëlän "" \'" text' for number in range(1000))
    assert aya(*psql, f"CREATE SCHEMA {quoted} CREATE TABLE {quoted} ({columns})").code == 0
    try:
        assert aya("collect").code == 0
        found = [row for row in aya("show", "schemas", "--match", named, "--json").document if row["kind"] == "column"]
        assert {row["column_name"] for row in found} == {f"{number} ëlän \" '" for number in range(1000)}
        assert {(row["schema_name"], row["table_name"]) for row in found} == {(named, named)}
        assert named in aya("show", "schemas", "--match", named).out
    finally:
        assert aya(*psql, f"DROP SCHEMA {quoted} CASCADE").code == 0
    assert aya("collect").code == 0
    assert aya("show", "schemas", "--match", named, "--json").document == []


def test_without_once_it_goes_on_through_a_stopped_server_until_interrupted(aya: Command) -> None:
    with aya.start("up", AYA_INTERVAL_S="1", PYTHONUNBUFFERED="1") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert any("Go on:" in line for line in process.stdout)
        assert aya("db", "stop").code == 0
        assert any("checks:" in line for line in process.stdout)  # a round later, with a server that was started again
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "Interrupted. Nothing is half recorded."
    assert "Traceback" not in said
    aya("db", "start")
