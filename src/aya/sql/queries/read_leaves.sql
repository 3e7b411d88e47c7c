-- Changes as the lines that are hashed: one JSON object each, all columns in a fixed order, times in UTC (the session's zone), jsonb as
-- PostgreSQL writes it. Of the numbers from `first` to `last`, those in `changes`. This form is version 1; it must never change.
SELECT l.id, row_to_json(l)::text AS line
FROM (
    SELECT
        c.id, c.node_id, c.node_name, c.section, c.source, c.change_type, c.change_category, c.table_affected, c.record_id, c.records, c.fact,
        c.action, c.change_description, c.old_value, c.new_value, c.changed_by, c.change_reason, c.verification_status, c.verification_notes,
        c.run_id, c.happened_after, c.happened_before, c.session_role, c.transaction_id, c.created_at
    FROM change_log c
    WHERE c.id BETWEEN %(first)s AND %(last)s AND %(changes)s::int8multirange @> c.id
    ORDER BY c.id
) l
