-- The token that begins so; whether it is the whole token is for the caller to compare.
SELECT t.id, t.name, t.token_hash, t.scopes, t.node_name, t.revoked_at,
    coalesce(t.expires_at <= now(), false) AS expired, t.expires_at,
    t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute' AS use_is_news
FROM aya.tokens t
WHERE t.prefix = %(prefix)s
