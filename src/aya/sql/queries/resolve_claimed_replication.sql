-- Say which nodes a claimed replication link joins: the document names both.
UPDATE replication_status r
SET primary_node_id = x.primary_node_id, replica_node_id = x.replica_node_id
FROM (
    SELECT
        l.id,
        CASE l.side WHEN 'primary' THEN l.node_id ELSE n.id END AS primary_node_id,
        CASE l.side WHEN 'primary' THEN n.id ELSE l.node_id END AS replica_node_id
    FROM replication_status l
    LEFT JOIN system_nodes n ON n.node_name = l.peer AND n.origin IS NULL
    WHERE l.source = %(source)s AND l.is_active
) x
WHERE r.id = x.id
    AND (r.primary_node_id, r.replica_node_id) IS DISTINCT FROM (x.primary_node_id, x.replica_node_id)
