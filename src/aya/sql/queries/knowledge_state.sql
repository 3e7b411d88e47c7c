-- The state as documents of the knowledge base, one for each node and part, a fact on each line: what the node is, its settings with their
-- descriptions, its services, what its checks found last, and its newest 500 changes. A line does not name its node, so that the same fact
-- of many nodes is embedded once.
WITH fact AS (
    SELECT n.node_name, 'node' AS part, 'What ' || n.node_name || ' is' AS title, n.updated_at AS at,
        row_number() OVER (PARTITION BY n.id ORDER BY c.ordinality) AS place,
        replace(c.key, '_', ' ') || ': ' || c.value AS line
    FROM system_nodes n
    CROSS JOIN LATERAL json_each_text(to_json(n)) WITH ORDINALITY AS c (key, value, ordinality)
    WHERE c.value IS NOT NULL AND c.key NOT IN ('id', 'metadata', 'last_verified', 'created_at', 'updated_at', 'node_role_source')
    UNION ALL
    SELECT n.node_name, 'settings ' || coalesce(s.instance, ''), 'Settings of PostgreSQL ' || concat_ws(' ', s.instance, 'on', n.node_name), s.updated_at,
        row_number() OVER (PARTITION BY n.id, s.instance ORDER BY s.setting_name),
        format('%%s = %%s', s.setting_name, aya.shown_setting(s.setting_value, s.setting_unit))
            || CASE WHEN s.pending_value IS NOT NULL THEN format(' (after a restart %%s)', aya.shown_setting(s.pending_value, s.setting_unit)) ELSE '' END
            || coalesce('. ' || s.setting_short_desc, '') || coalesce(' (' || s.setting_category || ')', '')
    FROM postgresql_configuration s
    JOIN system_nodes n ON n.id = s.node_id
    WHERE s.is_active
    UNION ALL
    SELECT n.node_name, 'services', 'Services of ' || n.node_name, s.updated_at, row_number() OVER (PARTITION BY n.id ORDER BY s.service_name, s.id),
        format('service %%s is %%s', s.service_name, s.status) || coalesce(format(', listens on %%s', concat_ws(':', s.bind_address, s.port)), '')
            || coalesce(', program ' || s.executable_path, '')
    FROM services s
    JOIN system_nodes n ON n.id = s.node_id
    WHERE s.is_present
    UNION ALL
    SELECT n.node_name, 'findings', 'What the checks found on ' || n.node_name, c.started_at,
        row_number() OVER (PARTITION BY n.id ORDER BY c.outcome, c.check_name, c.target),
        format('check %%s%%s: %%s', replace(c.check_name, '_', ' '), coalesce(' of ' || nullif(c.target, ''), ''), c.outcome)
            || coalesce(', ' || c.reason, '')
    FROM (SELECT DISTINCT ON (node_id, check_name, target) * FROM check_results ORDER BY node_id, check_name, target, id DESC) c
    JOIN system_nodes n ON n.id = c.node_id
    UNION ALL
    SELECT l.node_name, 'changes', 'Changes on ' || l.node_name, l.created_at, row_number() OVER (PARTITION BY l.node_name ORDER BY l.id DESC),
        format('change %%s: %%s', l.id, l.change_description) || coalesce(', because ' || l.change_reason, '')
    FROM (
        SELECT o.*, row_number() OVER (PARTITION BY o.node_name ORDER BY o.id DESC) AS age FROM change_log o WHERE o.node_name IS NOT NULL
    ) l
    WHERE l.age <= 500
), document AS (
    SELECT f.node_name, f.part, min(f.title) AS title, max(f.at) AS at,
        string_agg(regexp_replace(f.line, '\s+', ' ', 'g'), E'\n' ORDER BY f.place) AS content
    FROM fact f
    GROUP BY f.node_name, f.part
)
SELECT 'state:' || d.node_name || '/' || d.part AS source, d.content, d.title, 'facts' AS format, 'state' AS category, d.node_name,
    NULL::text AS root, encode(sha256(convert_to(d.content, 'UTF8')), 'hex') AS source_hash, d.at AS modified_at,
    jsonb_build_object('part', split_part(d.part, ' ', 1)) AS metadata
FROM document d
ORDER BY 1
