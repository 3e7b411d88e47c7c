-- Lay what collectors found over the rows of their nodes. `columns` has only the columns that are to be set, so that all others stay;
-- `replaced` are whole keys of metadata, `merged` are keys of which only a part could be looked at, `removed` are keys whose fact is gone.
-- Observations alone are no reason to write a row, unless they are an hour old.
WITH given AS (
    SELECT *
    FROM json_to_recordset(%(nodes)s::json) AS g (
        id integer, columns jsonb, replaced jsonb, merged jsonb, removed text[], observed jsonb
    )
), first_seen AS (
    INSERT INTO system_nodes (id, {columns}, metadata)
    SELECT
        g.id,
        {row_columns},
        g.replaced || g.merged || CASE WHEN g.observed = '{}' THEN '{}' ELSE jsonb_build_object('observed', g.observed) END
    FROM given g
    CROSS JOIN LATERAL jsonb_populate_record(
        NULL::system_nodes, '{"node_role": "standalone", "node_role_source": "found", "status": "active"}'::jsonb || g.columns
    ) AS row
    WHERE NOT EXISTS (SELECT FROM system_nodes n WHERE n.id = g.id)
    RETURNING id
), laid AS (
    SELECT
        {row_columns},
        n.id,
        ((n.metadata || g.replaced || coalesce((
            SELECT jsonb_object_agg(
                m.key,
                CASE WHEN jsonb_typeof(m.value) = 'object' AND jsonb_typeof(n.metadata -> m.key) = 'object'
                    THEN (n.metadata -> m.key) || m.value ELSE m.value END)
            FROM jsonb_each(g.merged) m
        ), '{}')) - g.removed) - 'observed' AS metadata,
        g.observed
    FROM given g
    JOIN system_nodes n USING (id)
    CROSS JOIN LATERAL jsonb_populate_record(n, g.columns) AS row
), written AS (
    UPDATE system_nodes n
    SET ({columns}) = ROW({laid_columns}),
        metadata = l.metadata || CASE WHEN l.observed = '{}' THEN '{}' ELSE jsonb_build_object('observed', l.observed) END,
        updated_at = now()
    FROM laid l
    WHERE n.id = l.id
        AND (
            ({old_columns}, n.metadata - 'observed') IS DISTINCT FROM ({laid_columns}, l.metadata)
            OR (l.observed <> '{}'
                AND coalesce((n.metadata -> 'observed' ->> 'at')::timestamptz, '-infinity') < now() - interval '1 hour')
        )
    RETURNING n.id
)
SELECT id, true AS inserted FROM first_seen
UNION ALL
SELECT id, false FROM written
