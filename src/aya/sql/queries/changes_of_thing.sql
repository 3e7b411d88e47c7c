-- The changes of one thing of a node: a fact by its whole key or a part of it (work_mem), or a column or key of the node itself (ram_gb,
-- metadata.cpu). Newest first. A node that was renamed keeps its changes.
SELECT
    c.id, c.created_at, c.node_name, c.section, c.change_type, c.table_affected, c.record_id, c.fact, c.action, c.change_description,
    c.old_value, c.new_value, c.changed_by, c.change_reason, c.run_id, c.happened_after, c.happened_before, c.session_role,
    c.transaction_id,
    coalesce(v.verification_status, c.verification_status) AS verification_status,
    coalesce(v.verification_notes, c.verification_notes) AS verification_notes
FROM change_log c
LEFT JOIN LATERAL (
    SELECT n.verification_status, n.verification_notes
    FROM change_log n
    WHERE n.table_affected = 'change_log' AND n.record_id = c.id
    ORDER BY n.id DESC
    LIMIT 1
) v ON true
WHERE (c.node_name = %(node)s OR c.node_id = (SELECT n.id FROM system_nodes n WHERE n.node_name = %(node)s))
    AND c.action IN ('insert', 'update', 'delete')
    AND (
        lower(c.fact) = lower(%(thing)s)
        OR c.section <> 'node' AND lower(%(thing)s) = ANY (string_to_array(lower(c.fact), ' | '))
        OR c.section = 'node' AND (c.old_value ? %(thing)s OR c.new_value ? %(thing)s)
    )
ORDER BY c.id DESC
LIMIT %(limit)s
