-- That a token was used, at most once a minute, waiting neither for others who note it nor for the disk.
WITH due AS (
    SELECT id
    FROM aya.tokens
    WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
    FOR UPDATE SKIP LOCKED
), unhurried AS (
    SELECT set_config('synchronous_commit', 'off', true)
)
UPDATE aya.tokens t SET last_used_at = now(), last_used_from = %(from)s::inet
FROM due, unhurried
WHERE t.id = due.id
