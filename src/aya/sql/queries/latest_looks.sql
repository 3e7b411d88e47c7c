-- How each collector ended at the last look at each node, and when it last saw everything. A collector that the last look did not come to,
-- because its server or database could not be reached, has no outcome there. A node that was never looked at has one row with NULLs.
-- `nodes`: those, or NULL for all.
WITH newest AS MATERIALIZED (
    SELECT n.id AS node_id, n.node_name, r.id AS run_id, r.collected_at
    FROM system_nodes n
    LEFT JOIN LATERAL (
        SELECT c.id, c.collected_at FROM collection_runs c WHERE c.node_id = n.id ORDER BY c.id DESC LIMIT 1
    ) r ON true
    WHERE %(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)
), last AS (
    SELECT w.node_id, w.node_name, w.run_id, w.collected_at, o.collector, o.target, o.outcome, o.reason
    FROM newest w
    LEFT JOIN collection_outcomes o ON o.run_id = w.run_id
), missed AS (
    -- Servers that are recorded as active, and their databases, but that the last look did not come to.
    SELECT w.node_id, w.node_name, w.run_id, w.collected_at, p.collector, p.target
    FROM newest w
    JOIN postgresql_instances i ON i.node_id = w.node_id AND i.is_active
    CROSS JOIN LATERAL (
        SELECT DISTINCT o.collector, o.target
        FROM collection_runs c
        JOIN collection_outcomes o ON o.run_id = c.id AND (o.target = i.instance OR o.target LIKE i.instance || '/%%')
        WHERE c.node_id = w.node_id
    ) p
    WHERE NOT EXISTS (SELECT FROM collection_outcomes o WHERE o.run_id = w.run_id AND o.target = i.instance)
)
SELECT l.node_name, l.collected_at, l.collector, l.target, l.outcome, l.reason,
    CASE WHEN l.outcome IN ('ok', 'absent') THEN l.collected_at ELSE whole.at END AS complete_at
FROM (
    SELECT node_id, node_name, run_id, collected_at, collector, target, outcome, reason FROM last
    UNION ALL
    SELECT node_id, node_name, run_id, collected_at, collector, target, NULL, NULL FROM missed
) l
LEFT JOIN LATERAL (
    SELECT c.collected_at AS at
    FROM collection_runs c
    JOIN collection_outcomes o ON o.run_id = c.id AND o.collector = l.collector AND o.target = l.target AND o.outcome IN ('ok', 'absent')
    WHERE c.node_id = l.node_id AND l.outcome IS DISTINCT FROM 'ok' AND l.outcome IS DISTINCT FROM 'absent'
    ORDER BY c.id DESC
    LIMIT 1
) whole ON true
ORDER BY l.node_name, l.collector, l.target
