-- Measurements of the last seven days, summed up per node and metric.
-- path: /performance/metrics/summary
-- path: /nodes/{node}/metrics/summary
-- order: node_name, metric_category, metric_name, metric_unit
-- moves with the clock
SELECT *
FROM v_performance_summary v
WHERE %(nodes)s::text[] IS NULL OR v.node_name = ANY (%(nodes)s)
