-- The newest `limit` calls that fit every filter that is given, newest first. The outcome of a call that has not ended is NULL.
SELECT c.id, c.request_id, c.called_at, c.caller, host(c.called_from) AS called_from, c.operation, c.arguments,
    encode(c.arguments_sha256, 'hex') AS arguments_sha256, e.outcome, e.duration_ms, e.rows, e.bytes
FROM aya.calls c
LEFT JOIN aya.call_ends e ON e.call_id = c.id
WHERE (%(caller)s::text IS NULL OR c.caller = %(caller)s)
    AND (%(operation)s::text IS NULL OR c.operation = %(operation)s)
    AND (%(request_id)s::text IS NULL OR c.request_id = %(request_id)s)
    AND (%(since)s::timestamptz IS NULL OR c.called_at >= %(since)s)
    AND (%(before)s::bigint IS NULL OR c.id < %(before)s)
ORDER BY c.id DESC
LIMIT %(limit)s
