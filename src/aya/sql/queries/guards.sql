-- Everything that writes and guards the log, each with the text that makes it what it is: functions and views of schema aya, and the log's
-- tables with their columns, rules, children and what other triggers they have. `make docs` keeps this of a fresh database in sql/guards.txt; what differs from
-- that was changed by hand.
WITH logs AS (
    SELECT c.oid, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relkind, n.nspname || '.' || c.relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname, c.relname) IN (('public', 'change_log'), ('aya', 'seals'), ('aya', 'audit_keys'), ('aya', 'prunings'))
)
SELECT 'table' AS kind, l.name,
    concat_ws(' ', l.relkind, pg_get_userbyid(l.relowner), l.relrowsecurity, l.relforcerowsecurity) AS text
FROM logs l
UNION ALL
SELECT 'column', l.name || '.' || a.attname,
    concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
FROM logs l
JOIN pg_attribute a ON a.attrelid = l.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = l.oid AND d.adnum = a.attnum
UNION ALL
SELECT 'trigger', t.tgname || ' of ' || l.name, concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid))
FROM logs l JOIN pg_trigger t ON t.tgrelid = l.oid AND NOT t.tgisinternal AND t.tgname <> 'append_only'  -- see triggers_missing
UNION ALL
SELECT 'rule', r.rulename || ' of ' || l.name, concat_ws(' ', r.ev_enabled, pg_get_ruledef(r.oid))
FROM logs l JOIN pg_rewrite r ON r.ev_class = l.oid AND l.relkind = 'r'
UNION ALL
SELECT 'child', i.inhrelid::regclass::text || ' of ' || l.name, ''
FROM logs l JOIN pg_inherits i ON i.inhparent = l.oid
UNION ALL
SELECT 'function', 'aya.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
    concat_ws(' ', pg_get_userbyid(p.proowner), p.prokind, p.prosecdef, p.provolatile, p.proisstrict, p.proconfig, g.lanname,
        coalesce(pg_get_function_sqlbody(p.oid), p.prosrc))
FROM pg_proc p JOIN pg_language g ON g.oid = p.prolang
WHERE p.pronamespace = 'aya'::regnamespace
UNION ALL
SELECT 'view', 'aya.' || c.relname, pg_get_userbyid(c.relowner) || ' ' || pg_get_viewdef(c.oid)
FROM pg_class c
WHERE c.relnamespace = 'aya'::regnamespace AND c.relkind = 'v'
ORDER BY 1, 2
