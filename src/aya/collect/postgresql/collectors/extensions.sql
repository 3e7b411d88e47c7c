-- The extensions of this database. Its own version is what was created; the default one is what the server's files would create.
SELECT
    e.extname::text AS name, n.nspname::text AS schema, r.rolname::text AS owner, e.extversion AS version,
    obj_description(e.oid, 'pg_extension') AS comment
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace
LEFT JOIN pg_roles AS r ON r.oid = e.extowner
ORDER BY e.extname
