"""Clocks that agree pass; one that is an hour off fails, and says in which direction."""

import pytest

from aya.db.connection import Connection
from tests.verify.conftest import Node, OwnServer


def test_servers_on_this_machine_have_its_time(described: Node, own_server: OwnServer) -> None:
    findings = described.tested_by("clock_agrees", own_server.reachable)
    assert findings == [("AYA's database", "pass", None), (own_server.instance, "pass", None)]


@pytest.mark.parametrize(
    ("off", "said"), [("- interval '1 hour'", "3600.0 s behind"), ("+ interval '2 hours'", "ahead")]
)
def test_a_clock_that_is_off_fails(node: Node, admin: Connection, off: str, said: str) -> None:
    admin.execute("CREATE SCHEMA broken")
    try:
        admin.execute(
            "CREATE FUNCTION broken.clock_timestamp() RETURNS timestamptz LANGUAGE sql "
            f"RETURN pg_catalog.clock_timestamp() {off}; GRANT USAGE ON SCHEMA broken TO aya_reader; "
            "ALTER ROLE aya_reader SET search_path = broken, pg_catalog, public".encode()
        )
        ((target, outcome, reason),) = node.tested_by("clock_agrees")
    finally:
        admin.execute("ALTER ROLE aya_reader RESET search_path; DROP SCHEMA broken CASCADE")
    assert (target, outcome) == ("AYA's database", "fail")
    assert said in str(reason)


def test_a_server_that_is_not_there_to_be_asked_fails(described: Node) -> None:
    assert [outcome for _, outcome, _ in described.tested_by("clock_agrees")] == ["pass", "fail"]
