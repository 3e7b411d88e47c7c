-- Calls that are not what their notes in the log say, notes whose call is gone, and calls that have no note.
SELECT coalesce(c.id, l.record_id) AS call, l.id AS change,
    CASE WHEN c.id IS NULL THEN 'is gone' WHEN l.id IS NULL THEN 'has no note in the log' ELSE 'is not what it was' END AS said
FROM aya.calls c
FULL JOIN (SELECT id, record_id, new_value FROM change_log WHERE table_affected = 'aya.calls') l ON l.record_id = c.id
WHERE c.id IS NULL OR l.id IS NULL OR l.new_value ->> 'call_sha256' IS DISTINCT FROM aya.call_sha256(c)
ORDER BY 1
LIMIT %(most)s
