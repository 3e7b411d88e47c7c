-- A node seen for the first time; record_node fills the rest.
INSERT INTO system_nodes (node_name, node_role, identity)
VALUES (%(node_name)s, coalesce(%(node_role)s, 'standalone'), %(identity)s)
RETURNING id
