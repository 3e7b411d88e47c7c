-- What checks showed, one row for each thing tested.
INSERT INTO check_results (node_id, check_name, target, outcome, reason, evidence, evidence_hash, started_at, duration_ms)
SELECT c.*
FROM json_to_recordset(%(results)s::json) AS c (
    node_id integer, check_name text, target text, outcome text, reason text, evidence text, evidence_hash text,
    started_at timestamptz, duration_ms integer
)
RETURNING id
