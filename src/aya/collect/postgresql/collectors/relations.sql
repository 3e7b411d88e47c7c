-- Schemas, tables and views of one database; the system's own and temporary ones left out. Sizes are of files, asked for all
-- at once. A size or a view's text needs a lock on the table: where another session holds or awaits one that excludes ours,
-- `is_locked` is true instead of waiting. The size of a table includes TOAST and maps, not its indexes.
WITH locked AS MATERIALIZED (
    SELECT DISTINCT l.relation
    FROM pg_locks AS l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
), locked_views AS MATERIALIZED (
    SELECT DISTINCT r.ev_class AS relation
    FROM locked
    JOIN pg_depend AS d
        ON d.refclassid = 'pg_class'::regclass AND d.refobjid = locked.relation AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite AS r ON r.oid = d.objid
), extension_member AS MATERIALIZED (
    SELECT d.classid, d.objid, e.extname::text AS extension
    FROM pg_depend AS d
    JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
    WHERE d.deptype = 'e' AND d.classid IN ('pg_class'::regclass, 'pg_namespace'::regclass)
)
SELECT
    'schema' AS kind, n.nspname::text AS schema, NULL::text AS name, NULL::text AS relation,
    pg_get_userbyid(n.nspowner)::text AS owner, m.extension,
    NULL::text AS persistence, NULL::text AS access_method, NULL::text AS tablespace, NULL::text[] AS options,
    NULL::boolean AS row_security, NULL::text AS partition_of, NULL::text AS partition_key, NULL::text AS partition_bound,
    NULL::text AS definition, obj_description(n.oid, 'pg_namespace') AS comment,
    NULL::bigint AS estimated_rows, NULL::bigint AS size_bytes, false AS is_locked
FROM pg_namespace AS n
LEFT JOIN extension_member AS m ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT
    CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, n.nspname::text, c.relname::text,
    CASE c.relkind
        WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table'
        WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
    END,
    pg_get_userbyid(c.relowner)::text, m.extension,
    CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' END,
    a.amname::text, t.spcname::text, c.reloptions, c.relrowsecurity,
    CASE WHEN c.relispartition THEN parent.inhparent::regclass::text END,
    CASE WHEN c.relkind = 'p' AND k.relation IS NULL THEN pg_get_partkeydef(c.oid) END,
    CASE WHEN c.relispartition AND k.relation IS NULL THEN pg_get_expr(c.relpartbound, c.oid) END,
    CASE WHEN c.relkind IN ('v', 'm') AND k.relation IS NULL AND v.relation IS NULL THEN pg_get_viewdef(c.oid) END,
    obj_description(c.oid, 'pg_class'),
    CASE WHEN c.reltuples >= 0 AND c.relkind IN ('r', 'm') THEN c.reltuples::bigint END,
    CASE WHEN c.relkind IN ('r', 'm') AND k.relation IS NULL THEN pg_table_size(c.oid) END,
    k.relation IS NOT NULL OR v.relation IS NOT NULL
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN extension_member AS m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
LEFT JOIN pg_am AS a ON a.oid = c.relam
LEFT JOIN pg_tablespace AS t ON t.oid = c.reltablespace
LEFT JOIN pg_inherits AS parent ON parent.inhrelid = c.oid AND c.relispartition
LEFT JOIN locked AS k ON k.relation = c.oid
LEFT JOIN locked_views AS v ON v.relation = c.oid
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY kind, schema, name
