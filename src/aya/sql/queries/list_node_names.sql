-- The names of all nodes that are or ever were recorded.
SELECT node_name FROM system_nodes
UNION
SELECT l.node_name FROM change_log l WHERE l.section = 'node' AND l.node_name IS NOT NULL
ORDER BY node_name
