-- What else changed, on any node, in the time in which a change must have happened, widened a little on both sides; nearest first.
SELECT
    c.id, c.created_at, c.node_name, c.section, c.change_type, c.table_affected, c.record_id, c.fact, c.action, c.change_description,
    c.old_value, c.new_value, c.changed_by, c.change_reason, c.run_id, c.happened_after, c.happened_before, c.session_role,
    c.transaction_id, c.verification_status, c.verification_notes
FROM change_log c
WHERE c.action IN ('insert', 'update', 'delete')
    AND c.id <> %(id)s
    -- The log is in order of time; a node that is looked at rarely may tell a day late what happened in between.
    AND c.created_at BETWEEN %(after)s::timestamptz - %(margin)s::interval
        AND %(before)s::timestamptz + %(margin)s::interval + interval '1 day'
    AND coalesce(c.happened_after, c.happened_before, c.created_at) <= %(before)s::timestamptz + %(margin)s::interval
    AND coalesce(c.happened_before, c.created_at) >= %(after)s::timestamptz - %(margin)s::interval
ORDER BY c.node_name <> %(node)s, abs(c.id - %(id)s)
LIMIT %(limit)s
