"""The objects of a database are told one by one, exactly, and without waiting for anybody."""

from collections.abc import Iterator

import pytest

from aya.model import Facts, Outcome, SchemaObject
from tests.collect.postgresql.cluster import Cluster
from tests.collect.postgresql.conftest import collected

DDL = (
    "CREATE SCHEMA app",
    """CREATE TABLE app.customer (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name varchar(40) NOT NULL DEFAULT 'nobody'::varchar,
        code char(3) COLLATE "C",
        loud text GENERATED ALWAYS AS (upper(name)) STORED,
        CONSTRAINT named CHECK (length(name) > 1)
    )""",
    "COMMENT ON TABLE app.customer IS 'who pays'",
    "COMMENT ON COLUMN app.customer.code IS 'three letters'",
    """CREATE TABLE public.bill (
        number integer, part integer, customer bigint REFERENCES app.customer (id), PRIMARY KEY (number, part)
    )""",
    "CREATE UNIQUE INDEX short ON app.customer (lower(name)) WHERE code IS NOT NULL",
    "CREATE VIEW app.names AS SELECT name FROM app.customer",
    "CREATE MATERIALIZED VIEW app.frozen AS SELECT 1 AS one",
    "CREATE TABLE app.log (at date, what text) PARTITION BY RANGE (at)",
    "CREATE TABLE app.log_2025 PARTITION OF app.log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    "CREATE UNLOGGED TABLE app.scrap () WITH (fillfactor = 50)",
    "CREATE SEQUENCE app.counter AS integer INCREMENT 5",
    "CREATE FUNCTION app.twice(n integer) RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 2 * n'",
    "CREATE FUNCTION app.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
    "CREATE TRIGGER stamped BEFORE UPDATE ON app.customer FOR EACH ROW EXECUTE FUNCTION app.stamp()",
    "CREATE TYPE app.mood AS ENUM ('good')",
    "CREATE TYPE mood AS ENUM ('bad')",
    "CREATE TABLE app.odd (a app.mood, b mood, c mood[], d timestamptz(3)[], e numeric(10,2))",
    "INSERT INTO app.customer (name) SELECT 'name' || n FROM generate_series(1, 5000) n",
    "ANALYZE app.customer",
)


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[str]:
    with cluster.scratch("shop") as name:
        cluster.run(*DDL, database=name)
        yield name


@pytest.fixture(scope="module")
def facts(cluster: Cluster, database: str) -> Facts:
    return collected("schemas", cluster, database)


def one(facts: Facts, kind: str, **wanted: str) -> SchemaObject:
    (found,) = (
        row for row in facts.schemas
        if row.kind == kind and all(getattr(row, name) == value for name, value in wanted.items())
    )  # fmt: skip
    return found


def test_nothing_is_told_twice_and_nothing_of_the_systems_own(facts: Facts) -> None:
    assert len({row.key for row in facts.schemas}) == len(facts.schemas)
    assert {row.schema_name for row in facts.schemas} == {"app", "public"}
    assert facts.gaps == ()


def test_the_kind_is_also_in_the_metadata(facts: Facts) -> None:
    assert {(row.kind, row.metadata["kind"]) for row in facts.schemas} == {
        (kind, kind)
        for kind in ("schema", "table", "view", "column", "index", "constraint", "sequence", "function", "trigger")
    }


def test_a_table_is_told_with_its_sizes(cluster: Cluster, database: str, facts: Facts) -> None:
    table = one(facts, "table", table_name="customer")
    sizes = cluster.run("SELECT pg_table_size('app.customer'), pg_indexes_size('app.customer')", database=database)[0]
    assert (table.table_size_bytes, table.index_size_bytes) == sizes
    assert table.metadata == {
        "kind": "table",
        "relation": "table",
        "owner": "postgres",
        "persistence": "permanent",
        "access_method": "heap",
        "row_security": False,
        "comment": "who pays",
        "observed": {"estimated_rows": 5000},
    }
    assert table.column_name is table.index_name is table.constraint_name is None


def test_a_column_is_told_with_type_default_and_keys(facts: Facts) -> None:
    name = one(facts, "column", table_name="customer", column_name="name")
    assert (name.data_type, name.is_nullable, name.character_maximum_length) == ("character varying(40)", False, 40)
    assert name.column_default == "'nobody'::character varying"
    assert name.metadata == {"kind": "column", "position": 2}
    key = one(facts, "column", table_name="customer", column_name="id")
    assert (key.is_primary_key, key.metadata["identity"], key.column_default) == (True, "always", None)
    code = one(facts, "column", table_name="customer", column_name="code")
    assert (code.data_type, code.character_maximum_length, code.is_primary_key) == ("character(3)", 3, False)
    assert code.metadata["collation"] == "C"
    assert code.metadata["comment"] == "three letters"
    loud = one(facts, "column", column_name="loud")
    assert (loud.metadata["generated"], loud.column_default) == ("stored", "upper((name)::text)")
    link = one(facts, "column", table_name="bill", column_name="customer")
    assert (link.foreign_key_table, link.foreign_key_column) == ("customer", "id")
    assert link.metadata["foreign_key_schema"] == "app"


def test_a_type_carries_its_schema_unless_it_is_public(facts: Facts) -> None:
    types = {
        row.column_name: row.data_type for row in facts.schemas if row.kind == "column" and row.table_name == "odd"
    }
    assert types == {
        "a": "app.mood", "b": "mood", "c": "mood[]", "d": "timestamp(3) with time zone[]", "e": "numeric(10,2)",
    }  # fmt: skip


def test_an_index_is_told_with_its_definition(facts: Facts) -> None:
    index = one(facts, "index", index_name="short")
    assert index.index_definition == (
        "CREATE UNIQUE INDEX short ON app.customer USING btree (lower((name)::text)) WHERE (code IS NOT NULL)"
    )
    assert (index.index_type, index.is_primary_key) == ("btree", False)
    assert (index.metadata["is_unique"], index.metadata["is_partial"], index.metadata["is_valid"]) == (True, True, True)
    assert index.index_size_bytes is not None
    assert index.index_size_bytes % 8192 == 0
    assert one(facts, "index", index_name="bill_pkey").is_primary_key is True


def test_a_constraint_is_told_with_its_definition(facts: Facts) -> None:
    check = one(facts, "constraint", constraint_name="named")
    assert (check.constraint_type, check.constraint_definition) == ("CHECK", "CHECK ((length((name)::text) > 1))")
    key = one(facts, "constraint", constraint_name="bill_pkey")
    assert (key.constraint_type, key.metadata["columns"]) == ("PRIMARY KEY", ["number", "part"])
    link = one(facts, "constraint", constraint_name="bill_customer_fkey")
    assert (link.constraint_type, link.foreign_key_table, link.foreign_key_column) == ("FOREIGN KEY", "customer", "id")
    assert link.constraint_definition == "FOREIGN KEY (customer) REFERENCES app.customer(id)"


def test_views_partitions_and_storage_are_told(facts: Facts) -> None:
    definition = " ".join(one(facts, "view", table_name="names").metadata["definition"].split())
    # PostgreSQL 16 no longer repeats the table where there is only one.
    assert definition.replace("customer.name", "name") == "SELECT name FROM app.customer;"
    assert one(facts, "view", table_name="names").table_size_bytes is None
    assert one(facts, "view", table_name="frozen").metadata["relation"] == "materialized view"
    log = one(facts, "table", table_name="log")
    assert (log.metadata["relation"], log.metadata["partition_key"]) == ("partitioned table", "RANGE (at)")
    assert log.table_size_bytes is None
    part = one(facts, "table", table_name="log_2025")
    assert part.metadata["partition_of"] == "app.log"
    assert part.metadata["partition_bound"] == "FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"
    scrap = one(facts, "table", table_name="scrap")
    assert (scrap.metadata["persistence"], scrap.metadata["options"]) == ("unlogged", ["fillfactor=50"])
    assert scrap.table_size_bytes == 0


def test_sequences_functions_and_triggers_are_told(facts: Facts) -> None:
    assert one(facts, "sequence", object_name="counter").metadata["increment"] == "5"
    twice = one(facts, "function", object_name="twice(n integer)")
    assert (twice.metadata["language"], twice.metadata["is_security_definer"]) == ("sql", True)
    assert one(facts, "trigger", object_name="stamped").table_name == "customer"


def test_a_monitor_is_told_the_same(cluster: Cluster, database: str, facts: Facts) -> None:
    assert collected("schemas", cluster, database, user="monitor") == facts


def test_two_looks_at_an_unchanged_database_are_equal(cluster: Cluster, database: str, facts: Facts) -> None:
    assert collected("schemas", cluster, database) == facts


def test_strange_names_and_a_thousand_columns_are_told_whole(cluster: Cluster) -> None:
    with cluster.scratch("strange") as database:
        columns = ", ".join(f'"Spälte ""{n}"" 列" integer DEFAULT {n}' for n in range(1000))
        cluster.run(f'CREATE TABLE "Täble ""q"" \'; --" ({columns})', database=database)
        facts = collected("schemas", cluster, database)
    told = [row for row in facts.schemas if row.kind == "column"]
    assert [row.column_name for row in told] == [f'Spälte "{n}" 列' for n in range(1000)]
    assert {row.table_name for row in told} == {'Täble "q" \'; --'}
    assert told[999].column_default == "999"


def test_bytes_in_names_of_a_sql_ascii_database_stay_visible(cluster: Cluster) -> None:
    with cluster.scratch("ascii", "ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'") as database:
        with cluster.connect(database) as connection:
            connection.execute(b"CREATE TABLE caf\xe9 (na\xc3\xafve integer DEFAULT length('\xff'))")
        facts = collected("schemas", cluster, database)
    column = one(facts, "column", table_name="caf\\xe9")
    assert (column.column_name, column.column_default) == ("naïve", "length('\\xff'::text)")


def test_a_locked_table_is_not_waited_for_and_nothing_wrong_is_told_of_it(cluster: Cluster) -> None:
    with cluster.scratch("busy") as database:
        cluster.run(*DDL, database=database)
        whole = collected("schemas", cluster, database)
        with cluster.connect(database) as blocker:
            blocker.execute("BEGIN")
            blocker.execute("LOCK TABLE app.customer IN ACCESS EXCLUSIVE MODE")
            facts = collected("schemas", cluster, database)
    assert facts.gaps[0].outcome is Outcome.FAILED
    assert {gap.reason for gap in facts.gaps} == {
        f"app.{name} in busy: locked by another session" for name in ("customer", "names")
    }
    told = set(map(repr, facts.schemas))
    assert told < set(map(repr, whole.schemas))
    assert one(facts, "column", table_name="customer", column_name="code")
    assert one(facts, "table", table_name="odd")
    assert not [row for row in facts.schemas if row.kind == "table" and row.table_name == "customer"]
