-- Nodes seen for the first time; record_nodes fills the rest.
INSERT INTO system_nodes (node_name, node_role, identity)
SELECT g.node_name, coalesce(g.node_role, 'standalone'), g.identity
FROM json_to_recordset(%(nodes)s::json) AS g (node_name text, node_role text, identity text)
RETURNING id, node_name
