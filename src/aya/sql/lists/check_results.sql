-- Every result of every check, newest first.
-- path: /checks/results
-- path: /nodes/{node}/checks/results
-- order: -id
SELECT c.id, n.node_name, c.check_name, c.target, c.outcome, c.reason, c.probe, c.evidence, c.evidence_hash, c.started_at, c.duration_ms,
    c.state_hash, c.state_problem, c.change_number, c.snapshot_id
FROM check_results c
JOIN system_nodes n ON n.id = c.node_id
WHERE %(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)
