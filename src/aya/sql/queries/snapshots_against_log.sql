-- Snapshots that are not what the log has of them.
SELECT s.id, s.snapshot_name, s.logged_change, l.id IS NULL AS missing
FROM aya.system_state_snapshots s
LEFT JOIN change_log l ON l.id = s.logged_change AND l.table_affected = 'system_state_snapshots' AND l.record_id = s.id AND l.action = 'note'
WHERE l.id IS NULL OR l.new_value IS DISTINCT FROM aya.snapshot_manifest(s)
ORDER BY s.id
