-- A snapshot with the results of the checks that vouch for it; no row when the name is taken.
WITH snapshot AS (
    INSERT INTO system_state_snapshots (
        snapshot_name, snapshot_type, description, verification_status, tests_passed, tests_failed, tests_skipped,
        schema_version, state_json, state_canonical, state_hash, created_by)
    VALUES (
        %(name)s, %(type)s, %(description)s, %(status)s, %(passed)s, %(failed)s, %(skipped)s,
        %(schema_version)s, %(json)s, %(canonical)s, %(hash)s, %(created_by)s)
    ON CONFLICT (snapshot_name) DO NOTHING
    RETURNING id
), vouching AS (
    UPDATE check_results c SET snapshot_id = s.id FROM snapshot s WHERE c.id = ANY (%(results)s::bigint[])
)
SELECT id FROM snapshot
