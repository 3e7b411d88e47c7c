"""The statement that records the rows of one section: compare, insert, update, and mark what vanished.

One statement for any number of nodes: `MERGE` with `IS DISTINCT FROM` writes nothing for an unchanged row, where
`INSERT ... ON CONFLICT DO UPDATE` would lock every one. Rows that were not found again vanish only for the sources
that were complete.
"""

import json
from collections.abc import Sequence

from aya.model import FACT_TYPES, Fact
from aya.record.columns import columns, nullable

REFRESH_INTERVAL = "1 hour"
"""How old an observation that moves at nearly every look may become before it alone is a reason to write its row."""

PARAMETERS = ("nodes", "rows", "complete")
"""`nodes`: the nodes concerned; `rows`: [{"node_id", "source", "rows": [...]}], `complete`: [{"node_id", "source"}] as JSON
text.
"""


def _merge_statement(fact_type: type[Fact]) -> str:
    types = columns(fact_type)
    names = list(types)
    presence = fact_type.PRESENCE
    drifting = fact_type.drifting_fields()
    set_names = [*names, "source"]
    compared = [name for name in set_names if name not in drifting]
    differs = _differs(compared)
    if drifting:
        differs += f" OR (t.updated_at < now() - interval '{REFRESH_INTERVAL}' AND {_differs(drifting)})"
    same_key = " AND ".join(
        _same(name, types[name], may_be_unknown=name in nullable(fact_type)) for name in fact_type.KEY
    )
    newline = ",\n        "
    return f"""
WITH given AS MATERIALIZED (
    SELECT e.node_id, e.source, r.*
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS e (node_id integer, source text, rows jsonb)
    CROSS JOIN LATERAL jsonb_to_recordset(e.rows) AS r (
        {newline.join(f"{name} {types[name]}" for name in names)}
    )
), merged AS (
    MERGE INTO {fact_type.TABLE} AS t
    USING given AS g
    ON t.node_id = g.node_id AND t.node_id = ANY (%(nodes)s) AND t.{presence} AND {same_key}
    WHEN MATCHED AND ({differs}) THEN
        UPDATE SET {", ".join(f"{name} = g.{name}" for name in set_names)}, updated_at = now()
    WHEN NOT MATCHED THEN
        INSERT (node_id, {", ".join(set_names)}) VALUES (g.node_id, {", ".join(f"g.{name}" for name in set_names)})
    RETURNING t.node_id, merge_action() AS action
), complete AS (
    SELECT c.node_id, c.source FROM json_to_recordset(%(complete)s::json) AS c (node_id integer, source text)
), vanished AS (
    UPDATE {fact_type.TABLE} AS t
    SET {", ".join(_vanished(fact_type))}
    FROM complete c
    WHERE t.node_id = c.node_id AND t.node_id = ANY (%(nodes)s) AND t.source = c.source AND t.{presence}
        AND NOT EXISTS (SELECT FROM given g WHERE g.node_id = t.node_id AND {same_key})
    RETURNING t.node_id, 'VANISH' AS action
)
SELECT
    node_id,
    count(*) FILTER (WHERE action = 'INSERT') AS inserted,
    count(*) FILTER (WHERE action = 'UPDATE') AS updated,
    count(*) FILTER (WHERE action = 'VANISH') AS vanished
FROM (SELECT * FROM merged UNION ALL SELECT * FROM vanished) AS written
GROUP BY node_id
"""


def _differs(names: Sequence[str]) -> str:
    return f"({', '.join(f't.{name}' for name in names)}) IS DISTINCT FROM ({', '.join(f'g.{name}' for name in names)})"


def _vanished(fact_type: type[Fact]) -> list[str]:
    """What becomes of a row whose fact is gone."""
    more = [f"{name} = {_literal(value)}" for name, value in fact_type.ON_VANISHED.items()]
    return [f"{fact_type.PRESENCE} = false", *more, "updated_at = now()"]


def _same(name: str, sql_type: str, *, may_be_unknown: bool) -> str:
    """Equal, unknown being equal to unknown, in a form that can be hashed or sorted by."""
    if not may_be_unknown:
        return f"t.{name} = g.{name}"
    unknown = {"text": "''", "inet": "'0.0.0.0/0'::inet"}[sql_type]
    return f"coalesce(t.{name}, {unknown}) = coalesce(g.{name}, {unknown})"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return json.dumps(value) if isinstance(value, bool) else f"'{value}'"


MERGES = {fact_type: _merge_statement(fact_type) for fact_type in FACT_TYPES}
"""The statement of each section; for each node of which rows were written it returns how many were `inserted`, `updated` and
`vanished`.
"""


def _vanished_with_server(fact_type: type[Fact]) -> str:
    return (
        f"UPDATE {fact_type.TABLE} SET {', '.join(_vanished(fact_type))} "
        f"WHERE node_id = %(node)s AND {fact_type.PRESENCE} AND instance <> ALL (%(running)s)"
    )


VANISHED_WITH_SERVER = {
    fact_type: _vanished_with_server(fact_type) for fact_type in FACT_TYPES if "instance" in fact_type.KEY
}
"""The statement that lets the facts of servers vanish that are not among those `running`."""

CLAIMS_GIVE_WAY = {
    fact_type: f"UPDATE {fact_type.TABLE} SET {', '.join(_vanished(fact_type))} "
    f"WHERE node_id = %(node)s AND {fact_type.PRESENCE} AND source LIKE 'document:%%'"
    for fact_type in FACT_TYPES
}
"""The statement that lets what only a document says of a section vanish."""
