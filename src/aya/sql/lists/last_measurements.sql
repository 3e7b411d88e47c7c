-- The newest measurement of each metric of each node.
-- path: /performance/metrics/last
-- path: /nodes/{node}/metrics/last
-- order: node_name, metric_category, metric_name, metric_unit, id
SELECT DISTINCT ON (n.node_name, m.metric_category, m.metric_name, m.metric_unit)
    m.id, n.node_name, m.metric_category, m.metric_name, m.metric_value, m.metric_unit, m.measured_at, m.measured_by, m.test_type,
    m.test_conditions, m.metadata
FROM performance_metrics m
JOIN system_nodes n ON n.id = m.node_id
WHERE %(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)
ORDER BY n.node_name, m.metric_category, m.metric_name, m.metric_unit, m.measured_at DESC, m.id DESC
