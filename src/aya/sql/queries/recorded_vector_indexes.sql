-- The vector indexes of all recorded databases but the knowledge base's own, and how many rows their tables are said to have.
SELECT concat_ws(' ', n.node_name, i.instance, i.database_name) AS database, i.index_name AS index, i.index_type AS method,
    i.index_definition AS definition, coalesce((i.metadata ->> 'is_valid')::boolean, true) AS is_valid,
    CASE WHEN r.said ~ '^\d{1,18}$' THEN r.said::bigint END AS rows
FROM database_schemas i
JOIN system_nodes n ON n.id = i.node_id
LEFT JOIN database_schemas t ON t.node_id = i.node_id AND t.instance IS NOT DISTINCT FROM i.instance AND t.database_name = i.database_name
    AND t.schema_name IS NOT DISTINCT FROM i.schema_name AND t.table_name = i.table_name AND t.is_present
    AND t.kind IN ('table', 'partitioned table', 'materialized view')
-- Seen by a collector, or stated by a document.
CROSS JOIN LATERAL (SELECT coalesce(t.metadata #>> '{observed,estimated_rows}', t.metadata ->> 'estimated_rows')) AS r (said)
WHERE i.kind = 'index' AND i.index_type IN ('ivfflat', 'hnsw') AND i.is_present AND i.index_name NOT LIKE 'idx_chunks_vectors_%%'
ORDER BY 1, 2
