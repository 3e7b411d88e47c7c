-- The measurements that a document states, once each, as of the moment that it is of; those that it no longer states go.
WITH given AS (
    SELECT m.*
    FROM json_to_recordset(%(measurements)s::json) AS m (
        node_id integer, category text, name text, value numeric, unit text, conditions jsonb, measured_at timestamptz
    )
), gone AS (
    DELETE FROM performance_metrics p
    WHERE p.measured_by = %(source)s
        AND NOT EXISTS (
            SELECT FROM given g
            WHERE (g.node_id, g.category, g.name, g.value, g.unit, g.conditions) = (
                p.node_id, p.metric_category, p.metric_name, p.metric_value, p.metric_unit, p.test_conditions)
                AND g.measured_at IS NOT DISTINCT FROM p.measured_at
        )
    RETURNING p.id
), new AS (
    INSERT INTO performance_metrics
        (node_id, metric_category, metric_name, metric_value, metric_unit, test_type, test_conditions, measured_at, measured_by)
    SELECT g.node_id, g.category, g.name, g.value, g.unit, 'document', g.conditions, g.measured_at, %(source)s
    FROM given g
    WHERE NOT EXISTS (
        SELECT FROM performance_metrics p
        WHERE p.measured_by = %(source)s
            AND (g.node_id, g.category, g.name, g.value, g.unit, g.conditions) = (
                p.node_id, p.metric_category, p.metric_name, p.metric_value, p.metric_unit, p.test_conditions)
            AND g.measured_at IS NOT DISTINCT FROM p.measured_at
    )
    RETURNING id
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM new) AS moved
