-- The databases to look into: those that accept connections. -2 marks one whose DROP was interrupted.
SELECT datname::text AS database FROM pg_database WHERE datallowconn AND datconnlimit <> -2 ORDER BY datname
