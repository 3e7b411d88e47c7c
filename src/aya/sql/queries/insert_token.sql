-- A new token, made by whoever asks. Readers see all of it but the hash.
INSERT INTO aya.tokens (name, prefix, token_hash, scopes, node_name, expires_at, created_by)
VALUES (%(name)s, %(prefix)s, %(token_hash)s, %(scopes)s, %(node_name)s, %(expires_at)s, aya.actor())
RETURNING id
