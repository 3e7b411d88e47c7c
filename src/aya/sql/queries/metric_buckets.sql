-- Measurements summed up per node, metric and stretch of time. A stretch without a measurement is left out: nothing was measured.
SELECT
    n.node_name, m.metric_category, m.metric_name, m.metric_unit,
    date_bin(make_interval(secs => %(width_s)s), m.measured_at, '2000-01-01T00:00:00Z') AS bucket,
    avg(m.metric_value)::double precision AS avg_value, min(m.metric_value)::double precision AS min_value,
    max(m.metric_value)::double precision AS max_value, count(*) AS sample_count
FROM performance_metrics m
JOIN system_nodes n ON n.id = m.node_id
WHERE m.measured_at >= %(since)s AND m.measured_at < %(until)s
    AND m.metric_value NOT IN ('NaN', 'Infinity', '-Infinity')
    AND (%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))
    AND (%(category)s::text IS NULL OR m.metric_category = %(category)s)
    AND (%(name)s::text IS NULL OR m.metric_name = %(name)s)
GROUP BY n.node_name, m.metric_category, m.metric_name, m.metric_unit, bucket
ORDER BY n.node_name, m.metric_category, m.metric_name, m.metric_unit, bucket
LIMIT %(limit)s
