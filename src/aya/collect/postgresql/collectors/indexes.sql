-- The indexes of one database with their sizes. Sizes and expressions need a lock: where another session holds or awaits one
-- that excludes ours, `is_locked` is true instead of waiting.
WITH locked AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_locks AS l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT
    n.nspname::text AS schema, c.relname::text AS table_name, i.relname::text AS name, a.amname::text AS type,
    CASE WHEN k.relation IS NULL THEN pg_get_indexdef(x.indexrelid) END AS definition,
    CASE WHEN i.relkind = 'i' AND k.relation IS NULL AND own.relation IS NULL THEN pg_relation_size(i.oid) END AS size_bytes,
    x.indisprimary AS is_primary, x.indisunique AS is_unique, x.indisvalid AS is_valid, x.indisready AS is_ready,
    x.indpred IS NOT NULL AS is_partial, i.relkind = 'I' AS is_partitioned, t.spcname::text AS tablespace, i.reloptions AS options,
    obj_description(i.oid, 'pg_class') AS comment,
    k.relation IS NOT NULL OR own.relation IS NOT NULL AS is_locked
FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_class AS c ON c.oid = x.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_am AS a ON a.oid = i.relam
LEFT JOIN pg_tablespace AS t ON t.oid = i.reltablespace
LEFT JOIN locked AS k ON k.relation = c.oid
LEFT JOIN locked AS own ON own.relation = i.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname, i.relname
