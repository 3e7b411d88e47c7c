-- Snapshots without their documents, newest first; all, or the one of that name.
SELECT
    s.id, s.snapshot_name, s.snapshot_type, s.description, s.verification_status, s.tests_passed, s.tests_failed,
    s.tests_skipped, s.schema_version, s.state_hash, octet_length(s.state_canonical) AS state_bytes,
    ARRAY(SELECT jsonb_object_keys(s.state_json -> 'nodes')) AS nodes,
    s.created_by, s.created_at
FROM system_state_snapshots s
WHERE %(name)s::text IS NULL OR s.snapshot_name = %(name)s
ORDER BY s.created_at DESC, s.id DESC
