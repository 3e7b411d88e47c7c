-- What changed, newest first.
-- path: /changes
-- path: /nodes/{node}/changes
-- order: -id
-- column verification_status: verified, refuted or pending, as was said last; NULL: nothing was said.
-- column verification_notes: How it was verified.
SELECT c.id, c.created_at, c.node_name, c.section, c.change_type, c.table_affected, c.record_id, c.fact, c.action, c.change_description,
    c.old_value, c.new_value, c.changed_by, c.change_reason, c.run_id, c.happened_after, c.happened_before, c.session_role, c.transaction_id,
    coalesce(v.verification_status, c.verification_status) AS verification_status,
    coalesce(v.verification_notes, c.verification_notes) AS verification_notes
FROM change_log c
LEFT JOIN LATERAL (
    -- What was said of a change later stands in the log as well, since the log is not rewritten.
    SELECT n.verification_status, n.verification_notes
    FROM change_log n
    WHERE n.table_affected = 'change_log' AND n.record_id = c.id
    ORDER BY n.id DESC
    LIMIT 1
) v ON true
WHERE %(nodes)s::text[] IS NULL OR c.node_name = ANY (%(nodes)s)
