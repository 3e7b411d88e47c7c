-- Take back the tokens named, by name or number, or all; those that are revoked already stay as they are.
UPDATE aya.tokens SET revoked_at = now(), revoked_by = aya.actor()
WHERE revoked_at IS NULL AND (%(name)s::text IS NULL OR name = %(name)s OR id::text = %(name)s)
RETURNING id, name
