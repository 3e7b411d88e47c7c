-- The columns of all tables and views of one database. Writing a default out needs a lock on its table: where another session
-- holds or awaits one that excludes ours, `is_locked` is true instead of waiting.
WITH locked AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_locks AS l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
), primary_key AS MATERIALIZED (
    SELECT conrelid, unnest(conkey) AS attnum FROM pg_constraint WHERE contype = 'p' AND conrelid <> 0
), foreign_key AS MATERIALIZED (
    -- A column in several foreign keys shows the first by name; all are among the constraints.
    SELECT DISTINCT ON (f.conrelid, k.attnum)
        f.conrelid, k.attnum, n.nspname::text AS schema, c.relname::text AS name, a.attname::text AS column_name
    FROM pg_constraint AS f
    CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS k (attnum, confnum)
    JOIN pg_class AS c ON c.oid = f.confrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = f.confrelid AND a.attnum = k.confnum
    WHERE f.contype = 'f'
    ORDER BY f.conrelid, k.attnum, f.conname
)
SELECT
    n.nspname::text AS schema, c.relname::text AS table_name, a.attname::text AS name, a.attnum::integer AS position,
    -- Types outside of the system's own schema carry their schema's name, except for `public`.
    CASE WHEN tn.nspname = 'public' THEN regexp_replace(format_type(a.atttypid, a.atttypmod), '^public\.', '')
        ELSE format_type(a.atttypid, a.atttypmod)
    END AS data_type,
    NOT a.attnotnull AS is_nullable,
    CASE WHEN d.oid IS NOT NULL AND k.relation IS NULL THEN pg_get_expr(d.adbin, d.adrelid) END AS column_default,
    CASE WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND a.atttypmod > 4 THEN a.atttypmod - 4 END AS maximum_length,
    p.attnum IS NOT NULL AS is_primary_key,
    f.schema AS foreign_key_schema, f.name AS foreign_key_table, f.column_name AS foreign_key_column,
    CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
    CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END AS generated,
    CASE WHEN a.attcollation <> t.typcollation THEN (SELECT collname::text FROM pg_collation WHERE oid = a.attcollation) END AS collation,
    col_description(c.oid, a.attnum) AS comment,
    d.oid IS NOT NULL AND k.relation IS NOT NULL AS is_locked
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN pg_namespace AS tn ON tn.oid = t.typnamespace
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN primary_key AS p ON p.conrelid = a.attrelid AND p.attnum = a.attnum
LEFT JOIN foreign_key AS f ON f.conrelid = a.attrelid AND f.attnum = a.attnum
LEFT JOIN locked AS k ON k.relation = c.oid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname, a.attnum
