-- Collections, newest first, with how each collector ended.
-- path: /runs
-- path: /nodes/{node}/runs
-- order: -run
-- column outcomes: How each collector ended, and why.
SELECT n.node_name, r.id AS run, r.collected_at, r.duration_ms, r.rows_inserted, r.rows_updated, r.rows_vanished, r.recorded_by,
    (SELECT jsonb_agg(to_jsonb(o) - 'run_id' ORDER BY o.collector, o.target) FROM collection_outcomes o WHERE o.run_id = r.id) AS outcomes
FROM collection_runs r
JOIN system_nodes n ON n.id = r.node_id
WHERE %(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)
