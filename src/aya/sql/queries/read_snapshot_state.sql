-- The document of a snapshot, as the text that was hashed.
SELECT aya.snapshot_text(s.id) AS state FROM aya.system_state_snapshots s WHERE s.snapshot_name = %(name)s
