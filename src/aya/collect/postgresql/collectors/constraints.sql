-- The constraints of all tables of one database. Writing an expression out needs a lock on its table: where another session
-- holds or awaits one that excludes ours, `is_locked` is true instead of waiting.
WITH locked AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_locks AS l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT
    n.nspname::text AS schema, c.relname::text AS table_name, o.conname::text AS name,
    CASE o.contype
        WHEN 'c' THEN 'CHECK' WHEN 'u' THEN 'UNIQUE' WHEN 'p' THEN 'PRIMARY KEY' WHEN 'f' THEN 'FOREIGN KEY'
        WHEN 'x' THEN 'EXCLUDE' WHEN 'n' THEN 'NOT NULL' WHEN 't' THEN 'TRIGGER'
    END AS type,
    CASE WHEN k.relation IS NULL THEN pg_get_constraintdef(o.oid) END AS definition,
    ARRAY(
        SELECT a.attname::text FROM unnest(o.conkey) WITH ORDINALITY AS u (attnum, place)
        JOIN pg_attribute AS a ON a.attrelid = o.conrelid AND a.attnum = u.attnum ORDER BY u.place
    ) AS columns,
    fn.nspname::text AS foreign_key_schema, f.relname::text AS foreign_key_table,
    ARRAY(
        SELECT a.attname::text FROM unnest(o.confkey) WITH ORDINALITY AS u (attnum, place)
        JOIN pg_attribute AS a ON a.attrelid = o.confrelid AND a.attnum = u.attnum ORDER BY u.place
    ) AS foreign_key_columns,
    o.convalidated AS is_validated, o.condeferrable AS is_deferrable, o.condeferred AS is_deferred,
    obj_description(o.oid, 'pg_constraint') AS comment,
    k.relation IS NOT NULL AS is_locked
FROM pg_constraint AS o
JOIN pg_class AS c ON c.oid = o.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_class AS f ON f.oid = o.confrelid
LEFT JOIN pg_namespace AS fn ON fn.oid = f.relnamespace
LEFT JOIN locked AS k ON k.relation = c.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname, o.conname
