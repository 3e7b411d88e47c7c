"""The schema explains itself, equals its picture, and equals the types that the program works with."""

from aya.db.connection import Connection, rows
from aya.db.queries import query
from aya.model import FACT_TYPES, Node
from aya.record.columns import columns, nullable


def test_every_table_view_column_and_function_says_what_it_means(admin: Connection) -> None:
    relations = rows(admin, query("describe_relations"))
    assert len(relations) > 20
    silent = [r["name"] for r in relations if not r["comment"]]
    silent += [f"{r['name']}.{c['name']}" for r in relations for c in r["columns"] if not c["comment"]]
    silent += [f["name"] for f in rows(admin, query("describe_functions")) if not f["comment"]]
    assert silent == []


def test_every_comment_is_a_sentence(admin: Connection) -> None:
    for relation in rows(admin, query("describe_relations")):
        for comment in [relation["comment"], *(c["comment"] for c in relation["columns"])]:
            assert comment.endswith("."), comment


def test_every_field_of_the_model_is_a_column_of_its_type(admin: Connection) -> None:
    relations = {r["name"]: {c["name"]: c for c in r["columns"]} for r in rows(admin, query("describe_relations"))}
    catalog_names = {"timestamptz": "timestamp with time zone"}
    for row_type in (Node, *FACT_TYPES):
        table = relations[row_type.TABLE]
        for name, sql_type in columns(row_type).items():
            assert table[name]["type"] == catalog_names.get(sql_type, sql_type), f"{row_type.TABLE}.{name}"
            assert table[name]["nullable"] or name not in nullable(row_type), (
                f"{row_type.TABLE}.{name} is never unknown"
            )


def test_every_column_of_a_state_table_is_a_field_or_bookkeeping(admin: Connection) -> None:
    relations = {r["name"]: {c["name"] for c in r["columns"]} for r in rows(admin, query("describe_relations"))}
    bookkeeping = {"id", "node_id", "source", "created_at", "updated_at", "primary_node_id", "replica_node_id"}
    for fact_type in FACT_TYPES:
        extra = relations[fact_type.TABLE] - set(columns(fact_type)) - bookkeeping - {fact_type.PRESENCE}
        assert extra == set(), fact_type.TABLE


def test_the_owner_cannot_log_in_and_no_role_is_stronger_than_it_needs(admin: Connection) -> None:
    roles = {
        row["rolname"]: row
        for row in rows(
            admin,
            "SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls "
            "FROM pg_roles WHERE rolname LIKE 'aya%%'",
        )
    }
    assert set(roles) == {"aya_owner", "aya_writer", "aya_reader", "aya_sql"}
    assert not roles["aya_owner"]["rolcanlogin"]
    for role in roles.values():
        assert not any(
            role[right] for right in ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")
        )


def test_everything_belongs_to_the_owner(admin: Connection) -> None:
    others = rows(
        admin,
        "SELECT c.relname, r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner "
        "WHERE c.relnamespace IN ('public'::regnamespace, 'aya'::regnamespace) AND r.rolname <> 'aya_owner'",
    )
    assert others == []
