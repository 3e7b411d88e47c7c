-- One run, with one outcome per collector.
WITH run AS (
    INSERT INTO collection_runs (node_id, collected_at, duration_ms, rows_inserted, rows_updated, rows_vanished, aya_version)
    VALUES (%(node_id)s, %(collected_at)s, %(duration_ms)s, %(inserted)s, %(updated)s, %(vanished)s, %(aya_version)s)
    RETURNING id
), outcome AS (
    INSERT INTO collection_outcomes (run_id, collector, target, outcome, reason, duration_ms, facts)
    SELECT run.id, o.*
    FROM run, json_to_recordset(%(outcomes)s::json)
        AS o (collector text, target text, outcome text, reason text, duration_ms integer, facts integer)
)
SELECT id FROM run
