-- The numbers that moved.
INSERT INTO performance_metrics
    (node_id, metric_category, metric_name, metric_value, metric_unit, test_type, test_conditions, measured_at, measured_by)
SELECT m.node_id, m.category, m.name, m.value, m.unit, 'collection', m.conditions, m.measured_at, m.measured_by
FROM json_to_recordset(%(measurements)s::json) AS m (
    node_id integer, category text, name text, value numeric, unit text, conditions jsonb, measured_at timestamptz, measured_by text
)
