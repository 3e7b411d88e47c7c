-- What somebody found on a node, of the things that statements are about; `names` are names of interfaces, software, services, settings,
-- databases and tables. What only a document says is left out.
WITH node AS (
    SELECT n.*, (SELECT max(r.collected_at) FROM collection_runs r WHERE r.node_id = n.id) AS looked_at
    FROM system_nodes n
    WHERE n.node_name = %(node)s
), found AS (
    SELECT 'node' AS section, to_jsonb(n) - ARRAY(SELECT jsonb_object_keys(coalesce(n.metadata -> 'claimed' -> 'columns', '{}'))) AS row
    FROM node n
    UNION ALL
    SELECT 'interfaces', to_jsonb(i) FROM network_interfaces i JOIN node n ON n.id = i.node_id
    WHERE i.is_present AND coalesce(i.source, '') NOT LIKE 'document:%%'
    UNION ALL
    SELECT 'software', to_jsonb(s) FROM software_versions s JOIN node n ON n.id = s.node_id
    WHERE s.is_active AND coalesce(s.source, '') NOT LIKE 'document:%%'
        AND regexp_replace(lower(s.software_name), '^(pip|brew|deb|npm|cask):', '') = ANY (%(names)s)
    UNION ALL
    SELECT 'services', to_jsonb(s) FROM services s JOIN node n ON n.id = s.node_id
    WHERE s.is_present AND coalesce(s.source, '') NOT LIKE 'document:%%' AND lower(s.service_name) = ANY (%(names)s)
    UNION ALL
    SELECT 'instances', to_jsonb(p) FROM postgresql_instances p JOIN node n ON n.id = p.node_id
    WHERE p.is_active AND coalesce(p.source, '') NOT LIKE 'document:%%'
    UNION ALL
    SELECT 'settings', to_jsonb(c) FROM postgresql_configuration c JOIN node n ON n.id = c.node_id
    WHERE c.is_active AND coalesce(c.source, '') NOT LIKE 'document:%%' AND c.setting_name = ANY (%(names)s)
    UNION ALL
    SELECT 'replication', to_jsonb(r) FROM replication_status r JOIN node n ON n.id = r.node_id
    WHERE r.is_active AND coalesce(r.source, '') NOT LIKE 'document:%%'
    UNION ALL
    SELECT 'schemas', to_jsonb(d) FROM database_schemas d JOIN node n ON n.id = d.node_id
    WHERE d.is_present AND coalesce(d.source, '') NOT LIKE 'document:%%' AND d.kind IN ('database', 'table', 'extension')
        AND d.database_name = ANY (%(names)s) AND (d.kind = 'database' OR coalesce(d.table_name, d.object_name) = ANY (%(names)s))
)
SELECT f.section, f.row, n.looked_at
FROM found f
CROSS JOIN node n
WHERE n.looked_at IS NOT NULL
