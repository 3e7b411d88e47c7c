-- The node that each described one is: by its name, else by the hardware UUID it is said to have; a new one gets a number. `measured` are
-- the sections of which somebody found something; what is recorded there is not replaced by what a document says.
WITH given AS (
    SELECT g.at, g.name, g.uuid FROM json_to_recordset(%(nodes)s::json) AS g (at integer, name text, uuid uuid)
), found AS (
    SELECT DISTINCT ON (g.at) g.at, g.name, n.id
    FROM given g
    LEFT JOIN system_nodes n ON n.origin IS NULL AND (
        n.node_name = g.name
        OR n.hardware_uuid = g.uuid AND NOT EXISTS (SELECT FROM system_nodes o WHERE o.node_name = g.name)
            AND n.node_name NOT IN (SELECT o.name FROM given o)
            AND g.at = (SELECT min(o.at) FROM given o WHERE o.uuid = g.uuid)
    )
    ORDER BY g.at, n.node_name = g.name DESC
), numbered AS MATERIALIZED (
    SELECT f.at, f.name, f.id IS NULL AS is_new, coalesce(f.id, nextval(pg_get_serial_sequence('public.system_nodes', 'id')))::integer AS id
    FROM found f
), told AS MATERIALIZED (
    SELECT set_config(
        'aya.runs',
        json_object_agg(n.id, json_build_object('owners', (
            SELECT json_object_agg(a.attname, %(source)s::text) FROM pg_attribute a
            WHERE a.attrelid = 'public.system_nodes'::regclass AND a.attnum > 0 AND NOT a.attisdropped
        )))::text,
        true
    ) AS runs
    FROM numbered n
), measured AS (
    SELECT 'interfaces' AS section, node_id FROM network_interfaces WHERE is_present AND coalesce(source, '') NOT LIKE 'document:%%'
    UNION ALL SELECT 'software', node_id FROM software_versions WHERE is_active AND coalesce(source, '') NOT LIKE 'document:%%'
    UNION ALL SELECT 'services', node_id FROM services WHERE is_present AND coalesce(source, '') NOT LIKE 'document:%%'
    UNION ALL SELECT 'instances', node_id FROM postgresql_instances WHERE is_active AND coalesce(source, '') NOT LIKE 'document:%%'
    UNION ALL SELECT 'settings', node_id FROM postgresql_configuration WHERE is_active AND coalesce(source, '') NOT LIKE 'document:%%'
    UNION ALL SELECT 'replication', node_id FROM replication_status WHERE is_active AND coalesce(source, '') NOT LIKE 'document:%%'
    UNION ALL SELECT 'schemas', node_id FROM database_schemas WHERE is_present AND coalesce(source, '') NOT LIKE 'document:%%'
)
SELECT
    n.id,
    coalesce(s.node_name, n.name) AS node_name,
    n.is_new,
    s.metadata -> 'claimed' AS claimed,
    coalesce(to_jsonb(s), '{}') AS values,
    EXISTS (SELECT FROM collection_runs r WHERE r.node_id = n.id) OR s.id IS NOT NULL AND s.identity NOT LIKE 'name:%%' AS is_measured,
    ARRAY(SELECT DISTINCT m.section FROM measured m WHERE m.node_id = n.id) AS measured
FROM numbered n
CROSS JOIN told
LEFT JOIN system_nodes s ON s.id = n.id
ORDER BY n.at
