-- Everything that is recorded of a node itself.
-- order: node_name
SELECT n.*
FROM system_nodes n
WHERE %(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)
