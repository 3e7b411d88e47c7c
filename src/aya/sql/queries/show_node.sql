-- Everything that is recorded of a node itself.
SELECT to_jsonb(n) - 'id' AS node
FROM system_nodes n
WHERE %(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)
ORDER BY n.node_name
