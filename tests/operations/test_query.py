"""Asking in SQL: the document's own queries, limits that are said, errors that help, and a past."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from aya.db.adhoc import workers
from aya.db.adhoc.question import ResultColumn
from aya.db.connection import Connection, rows
from aya.db.database import Database, Login
from aya.db.migrate import migrate
from aya.errors import DatabaseUnreachable, DatabaseUnsuitable, StatementRefused, TooManyRequests, UsageError
from aya.operations.context import Context
from aya.operations.query import query
from aya.record.recorder import record
from aya.settings import Settings
from aya.snapshot import snapshots
from tests import contract
from tests.record.states import setting, settings_of, state


def limited(context: Context, **limits: int) -> Context:
    return Context(context.settings.model_copy(update=limits))


def test_the_views_of_the_document_answer_as_they_are_and_as_printed(
    context: Context, writer: Connection, source_document: str
) -> None:
    record(writer, [state()])
    for name, body in contract.views(source_document).items():
        assert query(context, f"SELECT * FROM {name};").rows == query(context, body).rows
    assert query(context, "SELECT node_name FROM v_system_overview").rows == [["ALPHA"]]


def test_every_table_of_the_document_can_be_read(context: Context, database: Database, source_document: str) -> None:
    for name, columns in contract.tables(source_document).items():
        assert query(context, f"SELECT {', '.join(columns)} FROM {name}").rows == []


def test_every_table_and_view_of_the_present_and_the_past_can_be_read_with_what_it_holds(
    context: Context, writer: Connection, admin: Connection
) -> None:
    record(writer, [state()])
    snapshots.create(writer, "one", created_by="somebody")
    found = rows(
        admin,
        "SELECT relnamespace::regnamespace || '.' || quote_ident(relname) AS name FROM pg_class "
        "WHERE relnamespace IN ('public'::regnamespace, 'past'::regnamespace) AND relkind IN ('r', 'v', 'p')",
    )
    assert len(found) > 20
    for relation in found:
        query(context, f"SELECT * FROM {relation['name']} LIMIT 5")
    assert query(context, "SELECT state_json -> 'nodes' ? 'ALPHA' FROM system_state_snapshots").rows == [[True]]


def test_columns_have_their_types_and_may_share_a_name(context: Context, database: Database) -> None:
    answer = query(context, "SELECT 1 AS a, 'x' AS a, ARRAY[1::bigint], now(), '[1]'::vector")
    assert answer.columns == [
        ResultColumn("a", "integer"), ResultColumn("a", "text"), ResultColumn("array", "bigint[]"),
        ResultColumn("now", "timestamp with time zone"), ResultColumn("vector", "vector"),
    ]  # fmt: skip
    assert query(context, "SELECT").columns == []


def test_what_a_limit_leaves_out_is_said(context: Context, database: Database) -> None:
    every = query(context, "SELECT generate_series(1, 5)", limit=5)
    assert (every.row_count, every.truncated, every.truncation) == (5, False, "")
    some = query(context, "SELECT generate_series(1, 100000000)", limit=5)
    assert (some.rows, some.truncated) == ([[1], [2], [3], [4], [5]], True)
    assert "more than 5 rows" in some.truncation
    small = limited(context, sql_bytes=2000, sql_value_bytes=1000)
    long = query(small, "SELECT repeat('x', 900) FROM generate_series(1, 5)")
    assert (long.row_count, long.truncated) == (2, True)
    assert "longer than 2000 bytes" in long.truncation
    assert long.bytes <= 2000
    cut = query(small, "SELECT repeat('x', 1001)")
    assert (cut.rows, cut.truncated) == ([["x" * 1000 + "…"]], True)
    assert "1 values are longer than 1000 bytes" in cut.truncation


@pytest.mark.parametrize("limit", [0, -1, 1001, 10**9])
def test_a_limit_beyond_the_most_is_refused(context: Context, limit: int) -> None:
    with pytest.raises(UsageError, match=r"limit of .* rows") as refused:
        query(context, "SELECT 1", limit=limit)
    assert "1 to 1000" in refused.value.remedy


@pytest.mark.parametrize(
    ("sql", "said", "remedy"),
    [
        ("SELECT * FROM v_system_overvew", 'relation "v_system_overvew" does not exist', "v_system_overview"),
        ("SELECT node_nam\nFROM system_nodes", 'column "node_nam" does not exist', "node_name"),
        ("SELECT 1\n  FRM x", "Line 2, column 7:\n    FRM x\n        ^", ""),
        ("SELECT zzqqzz FROM system_nodes", "zzqqzz", "docs/tables.md"),
        ("SELECT * FROM no_such_schema.x", "no_such_schema", ""),
        ("SELECT 1\0", "NUL", "Leave"),
        ("SELECT $1::int", "parameters", "values"),
        ("SELECT 1/0", "division by zero", ""),
        ("SELECT pg_sleep(1)", "permission denied for function pg_sleep", "only|Read-only"),
        ("SELECT * FROM aya.seals", "permission denied for table seals", "public and past"),
        ("SELECT repeat('[', 100000)::json", "stack depth", ""),
    ],
)
def test_what_postgresql_refuses_is_explained(
    context: Context, database: Database, sql: str, said: str, remedy: str
) -> None:
    with pytest.raises(StatementRefused) as refused:
        query(context, sql)
    assert said in refused.value.message
    assert any(word in refused.value.remedy for word in remedy.split("|"))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 100_000 + "1" + ")" * 100_000,
        "SELECT " + "1+" * 100_000 + "1",
        "SELECT repeat('x', 1073741000)",
        "SELECT repeat('x', 200000000)",
        "SELECT '" + "x" * 2_000_000 + "'",
    ],
)
def test_what_is_too_deep_or_too_large_harms_nobody(context: Context, database: Database, sql: str) -> None:
    before = psutil.Process().memory_info().rss
    with pytest.raises(StatementRefused):
        query(context, sql)
    assert psutil.Process().memory_info().rss - before < 50_000_000
    assert query(context, "SELECT 1").rows == [[1]]


def test_a_statement_that_takes_too_long_is_stopped_also_in_the_server(
    context: Context, database: Database, admin: Connection
) -> None:
    with pytest.raises(StatementRefused, match="longer than 1 s"):
        query(limited(context, sql_timeout_s=1), "SELECT count(*) FROM pg_class a, pg_class b, pg_class c, pg_class d")
    assert alone(admin)


def test_so_is_one_whose_worker_was_killed(context: Context, database: Database, admin: Connection) -> None:
    def kill() -> None:
        while not running(admin):
            time.sleep(0.01)
        for child in psutil.Process().children():
            if workers.MODULE in child.cmdline():
                child.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(StatementRefused):
        query(context, "SELECT count(*) FROM pg_class a, pg_class b, pg_class c, pg_class d")
    killer.join()
    assert alone(admin)
    assert query(context, "SELECT 1").rows == [[1]]


def running(admin: Connection) -> list[Any]:
    return rows(admin, "SELECT pid FROM pg_stat_activity WHERE usename = 'aya_sql' AND state = 'active'")


def alone(admin: Connection) -> bool:
    """Whether no session of the role is left, soon."""
    for _ in range(100):
        if not rows(admin, "SELECT FROM pg_stat_activity WHERE usename = 'aya_sql'"):
            return True
        time.sleep(0.05)
    return False


def test_more_than_so_many_at_once_are_refused_and_then_it_goes_on(context: Context, database: Database) -> None:
    two = limited(context, sql_concurrency=2, sql_timeout_s=3)
    slow = "SELECT count(*) FROM pg_class a, pg_class b, pg_class c, pg_class d"

    def ended(_: int) -> type[BaseException]:
        try:
            query(two, slow)
        except (StatementRefused, TooManyRequests) as error:
            return type(error)
        raise AssertionError("it cannot end")

    with ThreadPoolExecutor(4) as pool:
        assert sorted(kind.__name__ for kind in pool.map(ended, range(4))) == [
            "StatementRefused", "StatementRefused", "TooManyRequests", "TooManyRequests",
        ]  # fmt: skip
    assert query(two, "SELECT 1").rows == [[1]]


def test_the_past_is_asked_with_the_same_words(context: Context, writer: Connection) -> None:
    record(writer, [state(settings_of(setting("work_mem", "4MB")))])
    between = datetime.now(UTC).isoformat()
    record(writer, [state(settings_of(setting("work_mem", "64MB")))])
    sql = "SELECT setting_value FROM postgresql_configuration WHERE setting_name = 'work_mem'"
    assert query(context, sql).rows == [["64MB"]]
    assert query(context, sql, as_of=between).rows == [["4MB"]]
    assert query(context, sql).rows == [["64MB"]]
    with pytest.raises(UsageError, match="future"):
        query(context, sql, as_of="2999-01-01")


def test_each_statement_has_a_session_of_its_own(context: Context, database: Database) -> None:
    sessions = {query(context, "SELECT pg_backend_pid()").rows[0][0] for _ in range(5)}
    assert len(sessions) == 5


def test_a_hole_in_the_wall_stops_everything_until_it_is_mended(
    context: Context, database: Database, admin: Connection
) -> None:
    holes = {
        "ALTER ROLE aya_sql CREATEDB": "more attributes",
        "GRANT pg_read_all_data TO aya_sql": "member of pg_read_all_data",
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) TO PUBLIC": "pg_sleep",
        "CREATE FUNCTION public.opened() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1": "public.opened()",
        "GRANT TEMPORARY ON DATABASE aya_rag TO PUBLIC": "TEMPORARY",
        "GRANT CREATE ON SCHEMA public TO aya_sql": "CREATE in the schema public",
        "GRANT INSERT ON system_nodes TO aya_sql": "INSERT on public.system_nodes",
        "GRANT UPDATE (node_name) ON system_nodes TO PUBLIC": "UPDATE on public.system_nodes",
        "GRANT SELECT ON aya.seals TO PUBLIC": "SELECT on aya.seals",
        "GRANT SELECT ON pg_authid TO aya_sql": "SELECT on pg_catalog.pg_authid",
        "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC": "DO in the language plpgsql",
        "GRANT SET ON PARAMETER log_statement TO aya_sql": "SET of the parameter log_statement",
        "ALTER ROLE aya_sql RESET temp_file_limit": "temp_file_limit",
        "ALTER ROLE aya_sql SET search_path = evil": "setting of search_path",
        "ALTER ROLE aya_sql IN DATABASE aya_rag SET statement_timeout = 0": "setting of statement_timeout",
    }
    try:
        for hole, said in holes.items():
            admin.execute(hole)  # type: ignore[call-overload]
            assert said in str(rows(admin, "SELECT gap FROM aya.sql_gaps")), hole
        workers.workers(context.settings.sql_concurrency).close()  # those that had looked lately
        with pytest.raises(DatabaseUnsuitable, match="may do more than read") as refused:
            query(context, "SELECT 1")
        assert "aya db migrate" in refused.value.remedy
    finally:
        mended = migrate(database).mended
        admin.execute("DROP FUNCTION public.opened()")
    assert len(mended) >= len(holes)
    assert rows(admin, "SELECT * FROM aya.sql_gaps") == []
    assert query(context, "SELECT 1").rows == [[1]]


def test_what_only_somebody_can_decide_stops_it_too(context: Context, database: Database, admin: Connection) -> None:
    admin.execute("CREATE TABLE public.owned (x int)")
    admin.execute("ALTER TABLE public.owned OWNER TO aya_sql")
    try:
        assert [row["mend"] for row in rows(admin, "SELECT mend FROM aya.sql_gaps")] == [None]
        workers.workers(context.settings.sql_concurrency).close()
        with pytest.raises(DatabaseUnsuitable, match="owns something"):
            query(context, "SELECT 1")
    finally:
        admin.execute("DROP TABLE public.owned")


def test_without_a_server_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachable, match="does not run"):
        query(Context(Settings(home=tmp_path)), "SELECT 1")


def test_the_role_sees_no_other_database_and_no_other_session(
    context: Context, database: Database, admin: Connection
) -> None:
    elsewhere = database.url(Login.SQL).replace("/aya_rag?", "/postgres?")
    with pytest.raises(psycopg.OperationalError, match="rejects connection"):
        psycopg.connect(elsewhere)
    with pytest.raises(StatementRefused, match="permission denied"):
        query(context, "SELECT query FROM pg_stat_activity")
