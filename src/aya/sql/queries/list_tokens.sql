-- All tokens, newest first, and what becomes of them now: valid, expired or revoked.
SELECT t.id, t.name, t.prefix, t.scopes, t.node_name, t.created_at, t.created_by, t.expires_at, t.revoked_at, t.revoked_by, t.last_used_at,
    host(t.last_used_from) AS last_used_from,
    CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked' WHEN t.expires_at <= now() THEN 'expired' ELSE 'valid' END AS status
FROM aya.tokens t
ORDER BY t.id DESC
