-- The node that each machine is, whatever it is called now: by hardware UUID; else by machine id, unless the UUIDs say they are two;
-- else, for machines that have neither, by name. A node that has no identity yet (announced, or described in a document) is
-- taken over by the machine of its name, else by the one whose hardware UUID the document states; one that another AYA vouches for is
-- never. `taken` is a different machine that has the name.
WITH given AS (
    SELECT *
    FROM json_to_recordset(%(nodes)s::json) AS g (
        number integer, node_name text, identity text, hardware_uuid uuid, machine_id text
    )
), own AS NOT MATERIALIZED (
    SELECT * FROM system_nodes WHERE origin IS NULL
), candidate AS (
    SELECT g.number, n.id, CASE WHEN n.identity LIKE 'name:%%' THEN 4 ELSE 1 END AS rank
    FROM given g
    JOIN own n ON n.hardware_uuid = g.hardware_uuid
    UNION ALL
    SELECT g.number, n.id, 2
    FROM given g
    JOIN own n ON n.metadata -> 'identity' ->> 'machine_id' = g.machine_id
    WHERE n.hardware_uuid IS NULL OR g.hardware_uuid IS NULL
    UNION ALL
    SELECT g.number, n.id, 3
    FROM given g
    JOIN own n ON n.node_name = g.node_name
    WHERE n.identity IS NULL OR n.identity LIKE 'name:%%' OR g.identity LIKE 'name:%%'
), found AS (
    SELECT DISTINCT ON (number) number, id FROM candidate ORDER BY number, rank
)
SELECT n.id, n.identity, n.node_role_source, n.status, n.metadata -> 'claimed' AS claimed, namesake.identity AS taken
FROM given g
LEFT JOIN found f USING (number)
LEFT JOIN system_nodes n ON n.id = f.id
LEFT JOIN system_nodes namesake ON namesake.node_name = g.node_name
    AND NOT EXISTS (SELECT FROM candidate c WHERE c.number = g.number AND c.id = namesake.id)
ORDER BY g.number
