-- Rows of a table of state that are not what the log says: a column that became something else in the last change of it, a row that nothing
-- inserted, a row that nothing deleted. Pruned changes are no witnesses: a creation and a last change are never pruned.
WITH told AS (
    SELECT DISTINCT ON (l.record_id, k.key) l.record_id, l.id AS change, l.action, l.fact, k.key, l.new_value -> k.key AS became
    FROM change_log l
    CROSS JOIN LATERAL jsonb_object_keys(coalesce(l.old_value, '{}') || coalesce(l.new_value, '{}') || '{"": null}') AS k (key)
    WHERE l.table_affected = %(table)s AND l.record_id IS NOT NULL
    ORDER BY l.record_id, k.key, l.id DESC
), loaded AS (
    SELECT coalesce(range_agg(l.records), '{}') AS records FROM change_log l WHERE l.table_affected = %(table)s
), present AS MATERIALIZED (
    SELECT r.id::bigint AS id, {row} - %(unlogged)s::text[] AS row FROM {table} r
)
SELECT record_id, fact, change, key, "is", became, problem FROM (
    SELECT t.record_id, t.fact, t.change, t.key, p.row -> t.key AS "is", t.became, 'differs' AS problem
    FROM told t
    JOIN present p ON p.id = t.record_id
    WHERE t.key <> '' AND t.key <> ALL (%(unlogged)s::text[]) AND t.action <> 'delete'
        AND nullif(p.row -> t.key, 'null') IS DISTINCT FROM nullif(t.became, 'null')
    UNION ALL
    -- Of an inserted row the log tells all that was known; anything else was not.
    SELECT b.record_id, b.fact, b.change, e.key, e.value, NULL, 'differs'
    FROM told b
    JOIN present p ON p.id = b.record_id
    CROSS JOIN LATERAL jsonb_each(p.row) e
    WHERE b.key = '' AND b.action <> 'delete' AND NOT (SELECT records FROM loaded) @> b.record_id
        AND e.value <> 'null' AND e.key <> ALL (%(unlogged)s::text[])
        AND NOT EXISTS (SELECT FROM told t WHERE t.record_id = b.record_id AND t.key = e.key)
    UNION ALL
    SELECT t.record_id, t.fact, t.change, NULL, NULL, NULL, 'missing'
    FROM told t
    WHERE t.key = '' AND t.action <> 'delete' AND NOT EXISTS (SELECT FROM present p WHERE p.id = t.record_id)
    UNION ALL
    SELECT g.id, NULL, NULL, NULL, NULL, NULL, 'missing'
    FROM loaded, unnest(loaded.records) AS r (records)
    CROSS JOIN LATERAL generate_series(lower(r.records), upper(r.records) - 1) AS g (id)
    WHERE NOT EXISTS (SELECT FROM present p WHERE p.id = g.id) AND NOT EXISTS (SELECT FROM told t WHERE t.record_id = g.id)
    UNION ALL
    SELECT p.id, NULL, NULL, NULL, NULL, NULL, 'unlogged'
    FROM present p
    CROSS JOIN loaded
    WHERE NOT loaded.records @> p.id
        AND NOT EXISTS (SELECT FROM told t WHERE t.record_id = p.id AND t.key = '' AND t.action <> 'delete')
) found
ORDER BY change NULLS LAST, record_id
LIMIT %(most)s
