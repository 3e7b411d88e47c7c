-- What changed, newest first.
-- path: /changes
-- path: /nodes/{node}/changes
-- order: -id
SELECT c.id, c.created_at, c.node_name, c.section, c.change_type, c.table_affected, c.record_id, c.fact, c.action, c.change_description,
    c.old_value, c.new_value, c.changed_by, c.change_reason, c.run_id, c.happened_after, c.happened_before, c.session_role, c.transaction_id,
    c.verification_status, c.verification_notes
FROM change_log c
WHERE %(nodes)s::text[] IS NULL OR c.node_name = ANY (%(nodes)s)
