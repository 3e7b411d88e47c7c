-- The newest result of each check on each thing.
-- path: /checks
-- path: /nodes/{node}/checks
-- order: node_name, check_name, target
SELECT DISTINCT ON (n.node_name, c.check_name, c.target)
    n.node_name, c.check_name, c.target, c.outcome, c.reason, c.probe, c.evidence, c.state_hash, c.started_at, c.duration_ms
FROM check_results c
JOIN system_nodes n ON n.id = c.node_id
WHERE %(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)
ORDER BY n.node_name, c.check_name, c.target, c.id DESC
