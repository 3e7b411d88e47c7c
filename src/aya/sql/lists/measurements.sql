-- Every measurement, newest first.
-- path: /performance/metrics
-- path: /nodes/{node}/metrics
-- order: -measured_at, -id
SELECT m.id, n.node_name, m.metric_category, m.metric_name, m.metric_value, m.metric_unit, m.measured_at, m.measured_by, m.test_type,
    m.test_conditions, m.metadata
FROM performance_metrics m
JOIN system_nodes n ON n.id = m.node_id
WHERE %(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)
