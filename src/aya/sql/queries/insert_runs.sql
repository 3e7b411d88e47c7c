-- One run for each node, with one outcome per collector. Where that is all there is to say, because nothing changed, nobody waits for the
-- disk: a crash of the server at that very moment loses only that we looked.
WITH run AS (
    INSERT INTO collection_runs (id, node_id, collected_at, duration_ms, rows_inserted, rows_updated, rows_vanished, aya_version)
    SELECT r.run_id, r.node_id, r.collected_at, r.duration_ms, r.inserted, r.updated, r.vanished, %(aya_version)s
    FROM json_to_recordset(%(runs)s::json) AS r (
        run_id bigint, node_id integer, collected_at timestamptz, duration_ms integer, inserted integer, updated integer, vanished integer
    )
    RETURNING id, node_id
), outcome AS (
    INSERT INTO collection_outcomes (run_id, collector, target, outcome, reason, duration_ms, facts)
    SELECT run.id, o.collector, o.target, o.outcome, o.reason, o.duration_ms, o.facts
    FROM json_to_recordset(%(outcomes)s::json) AS o (
        node_id integer, collector text, target text, outcome text, reason text, duration_ms integer, facts integer
    )
    JOIN run USING (node_id)
)
SELECT id, node_id, set_config('synchronous_commit', CASE WHEN %(changed)s THEN 'on' ELSE 'off' END, true)
FROM run
