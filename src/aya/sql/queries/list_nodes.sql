-- The nodes by name, each in few words.
SELECT n.node_name, n.node_role, n.status, n.os_name, n.os_version,
    (SELECT max(r.collected_at) FROM collection_runs r WHERE r.node_id = n.id) AS last_collected, n.last_verified
FROM system_nodes n
WHERE %(match)s::text IS NULL OR strpos(lower(n.node_name), lower(%(match)s)) > 0
ORDER BY n.node_name
LIMIT %(limit)s
