-- Tables of state that are not there, and triggers of the log and of the snapshots that are not there, not in force always, or run something
-- else than what belongs to the owner of the log.
WITH wanted AS (
    SELECT t.table_name::text, g.trigger_name, 'log_' || t.table_name AS function_name
    FROM aya.state_tables t
    CROSS JOIN (VALUES ('log_inserted'), ('log_updated'), ('log_deleted'), ('log_truncated')) AS g (trigger_name)
    UNION ALL
    SELECT t.table_name::text, 'numbers_stay', 'refuse_renumbering' FROM aya.state_tables t
    UNION ALL
    SELECT 'change_log', 'pruned_only', 'refuse_unnamed_pruning'
    UNION ALL
    SELECT l.table_name, 'append_only', 'refuse_rewriting'
    FROM (VALUES ('change_log'), ('aya.seals'), ('aya.audit_keys'), ('aya.prunings'), ('aya.calls'), ('aya.call_ends')) AS l (table_name)
    UNION ALL
    SELECT 'aya.tokens', g.name, g.name FROM (VALUES ('log_tokens'), ('keep_tokens')) AS g (name)
    UNION ALL
    SELECT 'aya.' || s.table_name, 'append_only', 'refuse_changing_snapshots'
    FROM (VALUES ('system_state_snapshots'), ('snapshot_nodes'), ('snapshot_node_ends'), ('snapshot_facts'), ('snapshot_fact_ends'), ('snapshot_checks'))
        AS s (table_name)
    UNION ALL
    SELECT 'aya.system_state_snapshots', 'status_is_proven', 'prove_status'
)
SELECT 'trigger ' || w.trigger_name || ' of ' || w.table_name AS what,
    CASE WHEN g.oid IS NULL THEN 'is not there' WHEN g.tgenabled <> 'A' THEN 'is switched off' ELSE 'runs another function' END AS said
FROM wanted w
LEFT JOIN pg_trigger g ON g.tgrelid = to_regclass(w.table_name) AND g.tgname = w.trigger_name
LEFT JOIN pg_proc f ON f.oid = g.tgfoid AND f.proname = w.function_name AND f.pronamespace = 'aya'::regnamespace
    AND pg_get_userbyid(f.proowner) = 'aya_owner'
WHERE to_regclass(w.table_name) IS NOT NULL AND (g.oid IS NULL OR g.tgenabled <> 'A' OR f.oid IS NULL)
UNION ALL
SELECT 'table ' || t.table_name, 'is not there' FROM aya.state_tables t WHERE to_regclass(t.table_name) IS NULL
ORDER BY 1, 2
