"""The same evil in other clothes: case, blanks, comments, quotes, attribute notation, wrapping."""

import re
import string

from hypothesis import strategies as st

BLANKS = (" ", "\n", "\t", "/**/", "/*x*/ ", "--\n", "\f", " /* /* nested */ */ ")
WRAPPED = (
    "SELECT * FROM ({sql}) x",
    "WITH x AS ({sql}) SELECT * FROM x",
    "WITH x AS MATERIALIZED ({sql}) TABLE x",
    "SELECT ({sql})",
    "SELECT EXISTS ({sql})",
    "SELECT * FROM (VALUES (1)) v, LATERAL ({sql}) x",
    "VALUES (({sql}))",
    "SELECT ARRAY({sql})",
    "EXPLAIN {sql}",
    "EXPLAIN ANALYZE {sql}",
    "EXPLAIN (ANALYZE, VERBOSE, FORMAT json) {sql}",
    "COPY ({sql}) TO STDOUT",
    "PREPARE p AS {sql}",
    "SELECT 1 WHERE EXISTS ({sql})",
    "SELECT 1 ORDER BY ({sql})",
    "SELECT 1 UNION ALL ({sql})",
    "{sql};",
    ";{sql}",
    "SELECT 1; {sql}",
    "COMMIT; {sql}",
    "{sql} --",
    "CREATE TABLE stolen AS {sql}",
    "EXPLAIN ANALYZE CREATE TABLE stolen AS {sql}",
    "SELECT * FROM query_to_xml($q${sql}$q$, true, true, '')",
    "SELECT * FROM ts_stat($q${sql}$q$)",
    "DO $q$ BEGIN {sql}; END $q$",
)
CALL = re.compile(r"\b(\w+)\(('[^']*')\)")


def mutated(sql: str) -> st.SearchStrategy[str]:
    """Up to three mutations of a statement."""
    return st.lists(
        st.sampled_from((_cased, _blanked, _quoted, _attributed, _wrapped)), min_size=1, max_size=3
    ).flatmap(lambda changes: _after(sql, tuple(changes)))


def _after(sql: str, changes: tuple) -> st.SearchStrategy[str]:  # type: ignore[type-arg]
    if not changes:
        return st.just(sql)
    return changes[0](sql).flatmap(lambda changed: _after(changed, changes[1:]))


def _cased(sql: str) -> st.SearchStrategy[str]:
    return st.randoms(use_true_random=False).map(
        lambda chance: "".join(chance.choice((c.lower(), c.upper())) if c in string.ascii_letters else c for c in sql)
    )


def _blanked(sql: str) -> st.SearchStrategy[str]:
    return st.randoms(use_true_random=False).map(lambda chance: re.sub(" ", lambda _: chance.choice(BLANKS), sql))


def _quoted(sql: str) -> st.SearchStrategy[str]:
    """Names of functions as "name", pg_catalog."name" and U&"name"."""
    return st.sampled_from(('"{}"(', 'pg_catalog."{}"(', 'U&"{}"(', "pg_catalog.{}(")).map(
        lambda form: re.sub(r"\b(pg_\w+|lo_\w+|set_config)\(", lambda call: form.format(call[1]), sql)
    )


def _attributed(sql: str) -> st.SearchStrategy[str]:
    """f('x') as ('x'::text).f."""
    return st.just(CALL.sub(r"(\2::text).\1", sql))


def _wrapped(sql: str) -> st.SearchStrategy[str]:
    return st.sampled_from(WRAPPED).map(lambda form: form.replace("{sql}", sql))
