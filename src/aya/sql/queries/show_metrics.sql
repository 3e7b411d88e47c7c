-- Measurements of the last seven days, summed up.
SELECT * FROM v_performance_summary v
WHERE %(nodes)s::text[] IS NULL OR v.node_name = ANY (%(nodes)s)
ORDER BY v.node_name, v.metric_category, v.metric_name
