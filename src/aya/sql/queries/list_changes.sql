-- Changes that fit every filter that is given, the newest `limit` of them, oldest first.
SELECT * FROM (
    SELECT
        c.id, c.created_at, c.node_name, c.section, c.change_type, c.table_affected, c.record_id, c.fact, c.action, c.change_description,
        c.old_value, c.new_value, c.changed_by, c.change_reason, c.run_id, c.happened_after, c.happened_before, c.session_role,
        c.transaction_id,
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
    WHERE (%(ids)s::bigint[] IS NULL OR c.id = ANY (%(ids)s))
        AND (%(node)s::text IS NULL OR c.node_name = %(node)s
            OR c.node_id = (SELECT n.id FROM system_nodes n WHERE n.node_name = %(node)s))  -- a node that was renamed keeps its changes
        -- Calls are no changes; `aya calls` lists them.
        AND (c.table_affected IS DISTINCT FROM 'aya.calls' OR %(ids)s::bigint[] IS NOT NULL OR %(table)s::text = 'aya.calls')
        AND (%(table)s::text IS NULL OR c.table_affected = %(table)s)
        AND (%(section)s::text IS NULL OR c.section = %(section)s)
        AND (%(setting)s::text IS NULL OR c.section = 'settings' AND %(setting)s = ANY (string_to_array(c.fact, ' | ')))
        AND (%(match)s::text IS NULL
            OR strpos(lower(concat_ws(' ', c.fact, c.change_description)), lower(%(match)s)) > 0)
        AND (%(actor)s::text IS NULL OR c.changed_by = %(actor)s)
        AND (%(since)s::timestamptz IS NULL OR c.created_at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR c.created_at <= %(until)s)
        AND (%(run)s::bigint IS NULL OR c.run_id = %(run)s)
        AND (%(after)s::bigint IS NULL OR c.id > %(after)s)
    ORDER BY c.id DESC
    LIMIT %(limit)s
) newest
ORDER BY id
