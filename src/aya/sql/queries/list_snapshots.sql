-- Snapshots without their documents, newest first; all, or the one of that name.
SELECT
    s.id, s.snapshot_name, s.snapshot_type, s.description, s.verification_status, s.tests_passed, s.tests_failed,
    s.tests_skipped, s.partial_reasons, s.schema_version, s.state_hash, s.state_bytes,
    ARRAY(SELECT n.node_name FROM aya.snapshot_nodes_of(s.id) n ORDER BY n.node_name COLLATE "C") AS nodes,
    s.checks_hash, s.change_number, s.logged_change, s.created_by, s.created_at
FROM system_state_snapshots s
WHERE %(name)s::text IS NULL OR s.snapshot_name = %(name)s
ORDER BY s.id DESC
