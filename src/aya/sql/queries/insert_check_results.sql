-- What checks showed, one row for each thing tested, and the state they vouch for.
INSERT INTO check_results (
    node_id, check_name, target, outcome, reason, probe, evidence, evidence_hash, started_at, duration_ms,
    state_hash, state_problem, change_number)
SELECT %(node_id)s, c.*, %(state_hash)s, %(state_problem)s, %(change_number)s
FROM json_to_recordset(%(results)s::json) AS c (
    check_name text, target text, outcome text, reason text, probe text, evidence text, evidence_hash text,
    started_at timestamptz, duration_ms integer
)
RETURNING id
