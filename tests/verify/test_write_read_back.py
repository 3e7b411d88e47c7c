"""AYA's own database keeps what is written to it, or that is said; nothing is left behind."""

import pytest

from aya.db.connection import Connection, rows
from tests.verify.conftest import Node


def test_a_row_that_comes_back_passes_and_leaves_nothing_behind(node: Node, admin: Connection) -> None:
    admin.execute("INSERT INTO aya.probe_rows VALUES (gen_random_uuid(), now() - interval '2 days')")
    (result,) = node.results("write_read_back")
    assert (result.outcome, result.reason) == ("pass", None)
    assert "INSERT INTO aya.probe_rows" in str(result.probe)
    assert rows(admin, "SELECT FROM aya.probe_rows") == []


@pytest.mark.parametrize(
    ("event", "said"), [("INSERT", "a committed row is not found"), ("DELETE", "a removed row is still found")]
)
def test_a_database_that_does_not_do_what_it_says_fails(node: Node, admin: Connection, event: str, said: str) -> None:
    admin.execute(
        "CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        f"CREATE TRIGGER swallow BEFORE {event} ON aya.probe_rows FOR EACH ROW EXECUTE FUNCTION public.swallow()".encode()
    )
    try:
        ((target, outcome, reason),) = node.tested_by("write_read_back")
    finally:
        admin.execute(
            "DROP TRIGGER swallow ON aya.probe_rows; DROP FUNCTION public.swallow(); DELETE FROM aya.probe_rows"
        )
    assert (target, outcome) == ("AYA's database", "fail")
    assert said in str(reason)


def test_a_database_that_refuses_to_be_written_fails(node: Node, admin: Connection) -> None:
    admin.execute("ALTER ROLE aya_writer SET default_transaction_read_only = on")
    try:
        ((_, outcome, reason),) = node.tested_by("write_read_back")
    finally:
        admin.execute("ALTER ROLE aya_writer RESET default_transaction_read_only")
    assert outcome == "fail"
    assert "read-only" in str(reason)
