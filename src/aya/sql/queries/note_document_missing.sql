-- The file is no longer there; since when is kept from the first look that said so.
UPDATE documentation_files SET missing_since = coalesce(missing_since, now()) WHERE id = %(id)s RETURNING id
