-- Where a thing of a node is, now or formerly: the section and since when it is known. For what never changed, and to name what exists.
SELECT 'settings' AS section, c.instance || ' | ' || c.setting_name AS fact, c.created_at, lower(c.setting_name) = lower(%(thing)s) AS exact
FROM postgresql_configuration c JOIN system_nodes n ON n.id = c.node_id
WHERE n.node_name = %(node)s AND strpos(lower(c.setting_name), lower(%(thing)s)) > 0
UNION ALL
SELECT 'software', s.software_name, s.created_at, lower(s.software_name) = lower(%(thing)s)
FROM software_versions s JOIN system_nodes n ON n.id = s.node_id
WHERE n.node_name = %(node)s AND strpos(lower(s.software_name), lower(%(thing)s)) > 0
UNION ALL
SELECT 'services', s.service_name, s.created_at, lower(s.service_name) = lower(%(thing)s)
FROM services s JOIN system_nodes n ON n.id = s.node_id
WHERE n.node_name = %(node)s AND strpos(lower(s.service_name), lower(%(thing)s)) > 0
UNION ALL
SELECT 'interfaces', i.interface_name, i.created_at, lower(i.interface_name) = lower(%(thing)s)
FROM network_interfaces i JOIN system_nodes n ON n.id = i.node_id
WHERE n.node_name = %(node)s AND strpos(lower(i.interface_name), lower(%(thing)s)) > 0
UNION ALL
SELECT 'schemas', o.name, o.created_at, lower(o.name) = lower(%(thing)s)
FROM (
    SELECT node_id, created_at,
        coalesce(index_name, constraint_name, column_name, object_name, table_name, schema_name, database_name) AS name
    FROM database_schemas
) o JOIN system_nodes n ON n.id = o.node_id
WHERE n.node_name = %(node)s AND strpos(lower(o.name), lower(%(thing)s)) > 0
UNION ALL
SELECT 'node', k.key, n.created_at, k.key = %(thing)s
FROM system_nodes n CROSS JOIN LATERAL jsonb_object_keys(aya.flat(to_jsonb(n))) AS k (key)
WHERE n.node_name = %(node)s AND strpos(lower(k.key), lower(%(thing)s)) > 0
ORDER BY exact DESC, section, fact
LIMIT 50
