-- The node that a machine is, whatever it is called now: by hardware UUID; else by machine id, unless the UUIDs say they are two;
-- else, for machines that have neither, by name. A node that has no identity yet (announced, or described in a document) is
-- taken over by the machine of its name. `taken` is a different machine that has the name.
WITH candidate AS (
    SELECT
        n.id,
        n.node_name,
        n.identity,
        CASE
            WHEN n.hardware_uuid = %(hardware_uuid)s THEN 1
            WHEN n.metadata -> 'identity' ->> 'machine_id' = %(machine_id)s
                AND (n.hardware_uuid IS NULL OR %(hardware_uuid)s::uuid IS NULL) THEN 2
            WHEN n.node_name = %(node_name)s
                AND (n.identity IS NULL OR n.identity LIKE 'name:%%' OR %(identity)s LIKE 'name:%%') THEN 3
        END AS strength
    FROM system_nodes n
    WHERE n.hardware_uuid = %(hardware_uuid)s
        OR n.metadata -> 'identity' ->> 'machine_id' = %(machine_id)s
        OR n.node_name = %(node_name)s
)
SELECT
    found.id,
    found.identity,
    found.node_role_source,
    found.status,
    (SELECT identity FROM candidate WHERE strength IS NULL AND node_name = %(node_name)s) AS taken
FROM (VALUES (1)) AS one_row (one)
LEFT JOIN LATERAL (
    SELECT c.id, n.identity, n.node_role_source, n.status
    FROM candidate c
    JOIN system_nodes n USING (id)
    WHERE c.strength IS NOT NULL
    ORDER BY c.strength
    LIMIT 1
) found ON true
