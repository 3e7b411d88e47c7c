-- Snapshots without their documents, newest first.
-- for agents
-- path: /snapshots
-- order: -created_at, -id
-- command: snapshot list
SELECT s.id, s.snapshot_name, s.snapshot_type, s.description, s.verification_status, s.tests_passed, s.tests_failed, s.tests_skipped,
    s.partial_reasons, s.schema_version, s.state_hash, s.state_bytes, s.checks_hash, s.change_number, s.logged_change, s.created_by,
    s.created_at
FROM system_state_snapshots s
WHERE %(nodes)s::text[] IS NULL
