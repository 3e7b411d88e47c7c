"""URLs for another user: the same place, never the same person."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import conninfo

from aya.db.connection import as_user
from aya.errors import ConfigurationError

NAME = st.text("abcXYZ019-_ %:/@?&='\\é", min_size=1, max_size=12)


@given(
    database=NAME,
    host=st.sampled_from(["db.example", "10.0.0.1", "::1", "/run/postgresql", "one,two", "a-b_c"]),
    port=st.sampled_from(["5432", "6000", "1,2"]),
    password=st.none() | NAME,
    mode=st.sampled_from([None, "require", "verify-full"]),
)
def test_everything_stays_but_the_user_and_the_password(
    database: str, host: str, port: str, password: str | None, mode: str | None
) -> None:
    before = {"dbname": database, "host": host, "port": port, "sslmode": mode, "user": "boss", "password": "theirs"}
    before = {name: value for name, value in before.items() if value is not None}
    after = conninfo.conninfo_to_dict(as_user(psycopg.conninfo.make_conninfo("", **before), "aya_sql", password))
    assert after == before | {"user": "aya_sql", "password": password or "theirs"}


def test_a_url_without_a_password_has_none_afterwards() -> None:
    assert as_user("postgresql://boss@db/x", "aya_sql") == "postgresql://aya_sql@db/x"
    assert (
        as_user("postgresql://boss@db:6000/x?sslmode=require", "a", "p@")
        == "postgresql://a:p%40@db:6000/x?sslmode=require"
    )


def test_one_that_cannot_be_understood_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigurationError, match="AYA_DATABASE_URL") as refused:
        as_user("postgresql://me:hunter2@host/x?nonsense=1", "aya_sql")
    assert "hunter2" not in str(refused.value)
