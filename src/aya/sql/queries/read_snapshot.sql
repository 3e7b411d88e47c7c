-- Everything that a snapshot consists of, and what the log has of it; NULL where the change that logged it is not what it should be.
SELECT
    aya.snapshot_text(s.id) AS state,
    aya.snapshot_nodes_text(s.id) AS nodes,
    aya.snapshot_checks_text(s.id) AS checks,
    aya.snapshot_manifest(s) AS manifest,
    (
        SELECT l.new_value FROM change_log l
        WHERE l.id = s.logged_change AND l.table_affected = 'system_state_snapshots' AND l.record_id = s.id AND l.action = 'note'
    ) AS logged
FROM aya.system_state_snapshots s
WHERE s.snapshot_name = %(name)s
