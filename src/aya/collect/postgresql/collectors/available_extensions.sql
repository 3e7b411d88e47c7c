-- The extensions whose control files the server has; the same in every database.
SELECT name::text AS name, default_version, comment FROM pg_available_extensions ORDER BY name
