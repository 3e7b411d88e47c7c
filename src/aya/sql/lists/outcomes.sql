-- How each collector of the last collection ended.
-- path: /runs/outcomes
-- path: /nodes/{node}/runs/outcomes
-- order: node_name, collector, target
SELECT n.node_name, o.collector, o.target, o.outcome, o.facts, o.duration_ms, o.reason
FROM system_nodes n
CROSS JOIN LATERAL (SELECT id FROM collection_runs WHERE node_id = n.id ORDER BY id DESC LIMIT 1) r
JOIN collection_outcomes o ON o.run_id = r.id
WHERE %(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)
