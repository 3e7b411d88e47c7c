-- Sequences, functions and triggers of one database, except those that belong to an extension. The text of a function stays
-- in the database: its MD5 tells whether it changed.
WITH extension_member AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
)
SELECT
    'sequence' AS kind, n.nspname::text AS schema, NULL::text AS table_name, c.relname::text AS name,
    pg_get_userbyid(c.relowner)::text AS owner, format_type(s.seqtypid, NULL) AS type, NULL::text AS language, NULL::text AS text_md5,
    s.seqincrement::text AS increment, s.seqmax::text AS maximum, NULL::boolean AS is_enabled, NULL::boolean AS is_security_definer
FROM pg_sequence AS s
JOIN pg_class AS c ON c.oid = s.seqrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
UNION ALL
SELECT
    'function', n.nspname::text, NULL, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
    pg_get_userbyid(p.proowner)::text,
    CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window function' ELSE 'function' END,
    l.lanname::text, md5(p.prosrc), NULL, NULL, NULL, p.prosecdef
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_language AS l ON l.oid = p.prolang
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
UNION ALL
SELECT
    'trigger', n.nspname::text, c.relname::text, t.tgname::text, NULL, p.proname::text, NULL, NULL, NULL, NULL, t.tgenabled <> 'D', NULL
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_proc AS p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY kind, schema, table_name, name
