-- How a call ended. What it did is safe on disk already: nobody waits for the disk to keep that it ended.
INSERT INTO aya.call_ends (call_id, outcome, duration_ms, rows, bytes)
SELECT %(call)s, %(outcome)s, %(duration_ms)s, %(rows)s, %(bytes)s
FROM set_config('synchronous_commit', 'off', true)
