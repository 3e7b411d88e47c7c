"""What a statement is, said early. That it is no wall either way is shown in tests/security."""

import pytest

from aya.db.adhoc.statement import refuse_unless_reading
from aya.errors import StatementRefused


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        " select 1 ; ",
        "WITH x AS (SELECT 1) TABLE x",
        "TABLE system_nodes",
        "VALUES (1), (2)",
        "SHOW work_mem",
        "(SELECT 1)",
        "EXPLAIN SELECT 1",
        "EXPLAIN (ANALYZE, FORMAT json) SELECT 1",
        "SELECT 1 UNION ALL SELECT 2",
        "SELECT $$;$$",
        "SELECT 'DELETE FROM x'",
        "-- ; DELETE FROM x\nSELECT 1",
        "/* ; */ SELECT ';'",
        "SELECT * FROM a, LATERAL (SELECT 1) x",
    ],
)
def test_what_reads_passes(sql: str) -> None:
    refuse_unless_reading(sql)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM x", "DELETE does more"),
        ("/* x */ -- y\n insert into x values (1)", "INSERT does more"),
        ("COMMIT", "COMMIT does more"),
        ("copy x to stdout", "COPY does more"),
        ("SET a = 1", "SET does more"),
        ("DO $$ $$", "DO does more"),
        ("CALL f()", "CALL does more"),
        ("PREPARE TRANSACTION 'x'", "PREPARE does more"),
        ("LISTEN x", "LISTEN does more"),
        ("LOCK x", "LOCK does more"),
        ("CREATE TABLE x AS SELECT 1", "CREATE does more"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("", "no statement"),
        (" -- x", "no statement"),
        (";", "no statement"),
        ("SELECT 1 INTO x", "SELECT INTO"),
        ("SELECT 1 FROM x FOR UPDATE", "FOR UPDATE"),
        ("SELECT * FROM (SELECT 1 FROM x FOR SHARE) y", "FOR UPDATE"),
        ("WITH d AS (DELETE FROM x RETURNING 1) SELECT * FROM d", "DELETE, writes"),
        ("WITH m AS (MERGE INTO x USING y ON true WHEN MATCHED THEN DELETE) SELECT 1", "MERGE, writes"),
        ("SELECT (WITH u AS (UPDATE x SET a = 1 RETURNING 1) SELECT * FROM u)", "UPDATE, writes"),
        ("EXPLAIN ANALYZE DELETE FROM x", "EXPLAIN of DELETE"),
        ("EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1", "EXPLAIN of CREATE TABLE AS"),
        ("EXPLAIN ANALYZE WITH d AS (DELETE FROM x RETURNING 1) SELECT 1", "DELETE, writes"),
        ("EXPLAIN ANALYZE SELECT 1 INTO x", "SELECT INTO"),
        ("EXPLAIN ANALYZE EXECUTE p", "EXPLAIN of EXECUTE"),
    ],
)
def test_what_does_not_is_named_and_told_what_to_do(sql: str, said: str) -> None:
    with pytest.raises(StatementRefused) as refused:
        refuse_unless_reading(sql)
    assert said in refused.value.message
    assert refused.value.remedy


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT 1 FROM", "SELECT 'open", "\\! ls", "SELECT 1 \\gexec"])
def test_what_cannot_be_understood_is_left_to_postgresql(sql: str) -> None:
    refuse_unless_reading(sql)
