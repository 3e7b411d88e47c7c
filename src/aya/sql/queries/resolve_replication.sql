-- Say which nodes a replication link joins: the teller itself, and the other end by PostgreSQL's system identifier, which a primary
-- shares with its replicas, and by address. An end that fits no node, or more than one, stays NULL. Nodes that another
-- AYA vouches for are left out, and links that only a document claims.
WITH link AS (
    SELECT r.id, r.node_id, r.side, r.client_address, r.application_name, split_part(r.instance, ':', 1) AS system_identifier
    FROM replication_status r
    JOIN system_nodes n ON n.id = r.node_id AND n.origin IS NULL
    WHERE r.is_active AND coalesce(r.source, '') NOT LIKE 'document:%%'
        AND split_part(r.instance, ':', 1) IN (
            SELECT split_part(mine.instance, ':', 1) FROM postgresql_instances mine WHERE mine.node_id = ANY (%(nodes)s)
        )
), server AS (
    SELECT i.node_id, i.system_identifier, i.server_role
    FROM postgresql_instances i
    JOIN system_nodes n ON n.id = i.node_id AND n.origin IS NULL
    WHERE i.is_active
), other AS (
    SELECT l.id, s.node_id
    FROM link l
    JOIN server s ON s.system_identifier = l.system_identifier
        AND s.server_role = CASE l.side WHEN 'primary' THEN 'replica' ELSE 'primary' END
    WHERE l.side = 'replica'
        OR (l.client_address IS NULL OR l.client_address << '127.0.0.0/8' OR l.client_address = '::1') AND s.node_id = l.node_id
        OR EXISTS (
            SELECT FROM network_interfaces ni
            WHERE ni.node_id = s.node_id
                AND (host(ni.ipv4_address) = host(l.client_address) OR host(ni.ipv6_address) = host(l.client_address))
        )
        OR EXISTS (
            SELECT FROM system_nodes n WHERE n.id = s.node_id AND lower(n.node_name) = lower(l.application_name)
        )
), one_other AS (
    SELECT id, min(node_id) AS node_id FROM other GROUP BY id HAVING count(DISTINCT node_id) = 1
), resolved AS (
    SELECT
        l.id,
        CASE l.side WHEN 'primary' THEN l.node_id ELSE o.node_id END AS primary_node_id,
        CASE l.side WHEN 'primary' THEN o.node_id ELSE l.node_id END AS replica_node_id
    FROM link l
    LEFT JOIN one_other o USING (id)
)
UPDATE replication_status r
SET primary_node_id = x.primary_node_id, replica_node_id = x.replica_node_id
FROM resolved x
WHERE r.id = x.id
    AND (r.primary_node_id, r.replica_node_id) IS DISTINCT FROM (x.primary_node_id, x.replica_node_id)
