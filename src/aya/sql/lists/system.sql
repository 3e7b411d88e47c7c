-- One line per node, as v_system_overview has it, and when it was last looked at and verified; of a foreign one, from which log and snapshot it is.
-- path: /nodes
-- order: node_name
-- column last_collected: When it was last looked at.
-- column origin: Of a foreign node, the log that vouches for it.
-- column origin_snapshot: Of a foreign node, the snapshot it came with.
SELECT v.*, n.origin ->> 'log' AS origin, n.origin ->> 'snapshot' AS origin_snapshot, n.last_verified, (SELECT max(r.collected_at) FROM collection_runs r WHERE r.node_id = n.id) AS last_collected
FROM v_system_overview v
JOIN system_nodes n USING (node_name)
WHERE %(nodes)s::text[] IS NULL OR v.node_name = ANY (%(nodes)s)
