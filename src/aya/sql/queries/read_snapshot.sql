-- The document of a snapshot in both forms, and what its check rows really count.
SELECT
    s.state_canonical AS bytes,
    s.state_json,
    (SELECT count(*) FROM check_results c WHERE c.snapshot_id = s.id AND c.outcome = 'pass') AS passed,
    (SELECT count(*) FROM check_results c WHERE c.snapshot_id = s.id AND c.outcome = 'fail') AS failed,
    (SELECT count(*) FROM check_results c WHERE c.snapshot_id = s.id AND c.outcome = 'skipped') AS skipped
FROM system_state_snapshots s
WHERE s.snapshot_name = %(name)s
